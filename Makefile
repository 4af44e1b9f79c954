# make test     brings the peers and runs every test
# make lint     formatting, clippy, rustdoc
# make bench    side by side with the real sops and git
# make install  the static binary, where this machine can build one

.PHONY: test peers lint bench install

# Asked when it is used: `peers` brings what it takes.
TARGET = $(addprefix --target ,$(shell tests/peers/bring --target))

test: peers
	LOCKAGE_PEERS="$$(tests/peers/bring --where)" cargo test --release --locked --no-fail-fast $(TARGET)

peers:
	@tests/peers/bring >/dev/null

lint:
	cargo fmt --check
	cargo clippy --release --locked --all-targets $(TARGET) -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --release --locked --no-deps --document-private-items $(TARGET)

bench: peers
	LOCKAGE_PEERS="$$(tests/peers/bring --where)" cargo bench --locked $(TARGET)

install:
	cargo install --locked --path . $(TARGET)
