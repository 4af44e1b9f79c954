# make test   brings the peers and runs every test
# make lint   formatting, clippy, rustdoc
# make bench  side by side with the real sops and git

.PHONY: test peers lint bench

test: peers
	LOCKAGE_PEERS="$$(tests/peers/bring --where)" cargo test --release --locked --no-fail-fast

peers:
	@tests/peers/bring >/dev/null

lint:
	cargo fmt --check
	cargo clippy --release --locked --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --release --locked --no-deps --document-private-items

bench: peers
	LOCKAGE_PEERS="$$(tests/peers/bring --where)" cargo bench --locked
