//! Holds the code to the rooms and the import direction of `ARCHITECTURE.md`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Each room and the rooms it may import from.
const ROOMS: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("secret", &[]),
    ("document", &["error", "secret"]),
    ("cipher", &["error", "secret"]),
    ("system", &["error", "secret"]),
    ("keys", &["error", "secret", "cipher", "system"]),
    ("sops", &["error", "secret", "document", "cipher", "keys"]),
    ("repo", &["error", "secret", "document", "cipher", "system", "keys", "sops"]),
    ("guard", &["error", "secret", "document", "cipher", "system", "keys", "sops", "repo"]),
    ("promote", &["error", "secret", "system", "repo"]),
    ("platforms", &["error", "secret", "system", "promote"]),
    ("sandbox", &["error", "secret", "system", "cipher", "promote"]),
];

/// Files that may look inside a secret: each sends it on or encrypts it.
const MAY_EXPOSE: &[&str] = &[
    "src/cipher/shamir.rs",
    "src/cipher/value.rs",
    "src/cli/commands/decrypt.rs",
    "src/cli/commands/get.rs",
    "src/cli/commands/set.rs",
    "src/cli/commands/sops_compat/set.rs",
    "src/cli/promotion/rehearsal.rs",
    "src/cli/secrets/child.rs",
    "src/cli/secrets/value.rs",
    "src/keys/age/asking.rs",
    "src/keys/age/hybrid.rs",
    "src/keys/age/locked.rs",
    "src/keys/age/mod.rs",
    "src/keys/age/ssh.rs",
    "src/keys/cloud/aws/machine.rs",
    "src/keys/cloud/aws/mod.rs",
    "src/keys/cloud/aws/profile.rs",
    "src/keys/cloud/aws/sign.rs",
    "src/keys/cloud/azure/application.rs",
    "src/keys/cloud/azure/chain.rs",
    "src/keys/cloud/azure/managed.rs",
    "src/keys/cloud/azure/mod.rs",
    "src/keys/cloud/gcp/bucket.rs",
    "src/keys/cloud/gcp/credentials.rs",
    "src/keys/cloud/gcp/external.rs",
    "src/keys/cloud/gcp/grpc.rs",
    "src/keys/cloud/gcp/mod.rs",
    "src/keys/cloud/huawei/mod.rs",
    "src/keys/cloud/huawei/sign.rs",
    "src/keys/cloud/mod.rs",
    "src/keys/cloud/vault.rs",
    "src/keys/keyring.rs",
    "src/keys/pgp.rs",
    "src/keys/remote/client.rs",
    "src/keys/remote/server.rs",
    "src/keys/surroundings.rs",
    "src/platforms/dns/tsig.rs",
    "src/platforms/heroku/builds.rs",
    "src/platforms/heroku/config_vars.rs",
    "src/promote/platform.rs",
    "src/sandbox/authority.rs",
    "src/sandbox/endpoint.rs",
    "src/sandbox/heroku/config_vars.rs",
    "src/sandbox/vault.rs",
    "src/sops/change.rs",
    "src/sops/recovery.rs",
    "src/sops/wrapping.rs",
    "src/sops/kept.rs",
    "src/sops/new_value.rs",
    "src/system/http.rs",
    "src/system/http/body.rs",
    "src/system/postgres/settings.rs",
    "src/system/process.rs",
];

/// Commands that open a file without a record in the audit: what they compare is shown to nobody.
const OPEN_UNSEEN: &[&str] = &["src/cli/commands/publish.rs"];

const LIMIT: usize = 500;

struct Source {
    path: String,
    text: String,
}

impl Source {
    /// The room: the first folder below `src/`, or the file's own name at the top.
    fn room(&self) -> &str {
        let inner = self.path.strip_prefix("src/").unwrap();
        inner.split('/').next().unwrap().trim_end_matches(".rs")
    }

    /// The code without the unit tests at its end.
    fn without_tests(&self) -> &str {
        self.text.split("#[cfg(test)]\nmod tests {").next().unwrap()
    }
}

fn files(folder: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push(Source { path: path.strip_prefix(root).unwrap().display().to_string(), text });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// Every `crate::room` named in a text, comments aside.
fn imports(text: &str) -> BTreeSet<String> {
    let code = text.lines().map(|line| line.split("//").next().unwrap()).collect::<Vec<_>>().join("\n");
    let mut found = BTreeSet::new();
    for piece in code.split("crate::").skip(1) {
        if let Some(group) = piece.strip_prefix('{') {
            let group = group.split(';').next().unwrap();
            found.extend(top_level_words(group));
        } else {
            found.extend(word(piece));
        }
    }
    found
}

fn word(text: &str) -> Option<String> {
    let end = text.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(text.len());
    (end > 0).then(|| text[..end].to_owned())
}

fn top_level_words(group: &str) -> Vec<String> {
    let (mut depth, mut start, mut words) = (0_i32, true, Vec::new());
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => start = true,
            _ if start && depth == 0 && letter.is_alphabetic() => {
                words.extend(word(&group[at..]));
                start = false;
            }
            _ => {}
        }
    }
    words
}

#[test]
fn rooms_import_downwards_only() {
    let mut wrong = Vec::new();
    for source in files("src") {
        let room = source.room();
        if matches!(room, "lib" | "main" | "cli") {
            continue;
        }
        let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == room) else {
            wrong.push(format!("{}: room `{room}` is not in the table", source.path));
            continue;
        };
        for import in imports(source.without_tests()) {
            let known = ROOMS.iter().any(|(name, _)| *name == import) || import == "cli";
            if known && import != room && !allowed.contains(&import.as_str()) {
                wrong.push(format!("{}: `{room}` may not import `{import}`", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_import_reader_sees_groups_and_paths() {
    let text = "use crate::{error::{Class, X}, secret::Y};\nlet x = crate::cli::run; // crate::repo\n";
    assert_eq!(imports(text).into_iter().collect::<Vec<_>>(), ["cli", "error", "secret"]);
}

/// Where a machine asks for an audit, no plaintext comes about without a row in it.
#[test]
fn every_command_that_opens_a_file_has_a_witness() {
    let mut wrong = Vec::new();
    for source in files("src/cli") {
        let code = source.without_tests();
        let opens = [".decrypt(&", ".decrypt_unverified(&", ".adopt("].iter().any(|call| code.contains(call));
        if opens && !code.contains("witness") && !OPEN_UNSEEN.contains(&source.path.as_str()) {
            wrong.push(source.path);
        }
    }
    assert!(wrong.is_empty(), "these open files and record nothing: {wrong:?}");
}

#[test]
fn no_file_is_over_the_limit() {
    let mut wrong = Vec::new();
    for source in files("src") {
        let lines = source.without_tests().lines().count();
        if lines > LIMIT {
            wrong.push(format!("{}: {lines} lines", source.path));
        }
    }
    for source in files("tests").into_iter().chain(files("benches")) {
        let lines = source.text.lines().count();
        if lines > LIMIT {
            wrong.push(format!("{}: {lines} lines", source.path));
        }
    }
    assert!(wrong.is_empty(), "over {LIMIT} lines:\n{}", wrong.join("\n"));
}

#[test]
fn only_listed_files_look_inside_a_secret() {
    let exposing: BTreeSet<String> = files("src")
        .into_iter()
        .filter(|source| !source.path.ends_with("/tests.rs"))
        .filter(|source| source.without_tests().contains(".expose_secret()"))
        .map(|source| source.path)
        .collect();
    let listed: BTreeSet<String> = MAY_EXPOSE.iter().map(|&path| path.to_owned()).collect();
    let unlisted: Vec<_> = exposing.difference(&listed).collect();
    let stale: Vec<_> = listed.difference(&exposing).collect();
    assert!(unlisted.is_empty() && stale.is_empty(), "not listed: {unlisted:#?}; listed in vain: {stale:#?}");
}

#[test]
fn a_secret_type_reaches_no_span_or_event() {
    let macros = ["trace!", "debug!", "info!", "warn!", "error!", "span!", "instrument"];
    let mut wrong = Vec::new();
    for source in files("src") {
        for call in macros.iter().flat_map(|name| source.text.split(name).skip(1)) {
            let call = call.split(';').next().unwrap_or_default();
            if call.contains("expose_secret") {
                wrong.push(source.path.clone());
            }
        }
    }
    let secret = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/secret.rs")).unwrap();
    for forbidden in ["impl fmt::Display for Secret", "impl std::fmt::Display for Secret", "Serialize for Secret"] {
        assert!(!secret.replace("for SecretRef", "").contains(forbidden), "{forbidden}");
    }
    assert!(wrong.is_empty(), "a secret may reach the log in {wrong:?}");
}

#[test]
fn only_the_edge_reads_the_environment_the_clock_and_the_terminal() {
    let doors = [
        "std::env::var",
        "env::var(",
        "env::var_os",
        "env::vars",
        "Timestamp::now()",
        "Zoned::now()",
        "SystemTime::now()",
        "println!",
        "eprintln!",
        "std::io::stdin()",
        "std::process::exit",
    ];
    let mut wrong = Vec::new();
    for source in files("src") {
        if matches!(source.room(), "cli" | "main") {
            continue;
        }
        for line in source.without_tests().lines() {
            let code = line.split("//").next().unwrap();
            wrong.extend(
                doors.iter().filter(|door| code.contains(**door)).map(|door| format!("{}: {door}", source.path)),
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A program that links these rooms has its own environment, working directory, terminal and state.
#[test]
fn the_library_has_no_state_of_its_own() {
    let rooms = ["document", "cipher", "keys", "sops", "secret", "error"];
    let doors = [
        "thread_local!",
        "static mut",
        "set_current_dir",
        "env::current_dir",
        "env::set_var",
        "env::home_dir",
        "env::temp_dir",
        "is_terminal(",
        "std::io::stdout",
        "std::io::stderr",
        "panic::set_hook",
    ];
    let shared = ["Mutex<", "RwLock<", "Atomic", "OnceLock<", "LazyLock<", "OnceCell<", "RefCell<", "Cell<"];
    let mut wrong = Vec::new();
    for source in files("src").into_iter().filter(|source| rooms.contains(&source.room())) {
        for line in source.without_tests().lines() {
            let code = line.split("//").next().unwrap().trim_start();
            let item = code.split_once("static ").filter(|(before, _)| before.is_empty() || before.starts_with("pub"));
            let state = item.is_some_and(|(_, item)| shared.iter().any(|kind| item.contains(kind)));
            if state || doors.iter().any(|door| code.contains(door)) {
                wrong.push(format!("{}: {code}", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_engine_does_not_know_where_it_rehearses() {
    let wrong: Vec<_> = files("src")
        .into_iter()
        .filter(|source| !matches!(source.room(), "cli" | "sandbox" | "lib"))
        .filter(|source| source.text.to_lowercase().contains("sandbox"))
        .map(|source| source.path)
        .collect();
    assert!(wrong.is_empty(), "only cli/ and sandbox/ may say that word: {wrong:?}");
}

#[test]
fn every_backend_file_is_in_the_registry() {
    let registry = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/platforms/mod.rs")).unwrap();
    for source in files("src/platforms") {
        if source.text.contains(": Descriptor =") {
            let name = source.path.trim_end_matches("/mod.rs").trim_end_matches(".rs");
            let name = name.rsplit('/').next().unwrap();
            assert!(registry.contains(&format!("{name}::")), "{} is not in the registry", source.path);
        }
    }
}
