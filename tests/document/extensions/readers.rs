//! Dialects held to the programs that read them.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use lockage::document::{Dialect, Document, Format, SyntaxError, Visit};

use super::generate;
use crate::common::peer;
use crate::yaml::generate::Random;

type Variables = BTreeMap<String, String>;

fn ours(dialect: Dialect, text: &str) -> Option<Variables> {
    let document = Document::parse(Format::Dialect(dialect), text.into()).ok()?;
    let mut out = Variables::new();
    document
        .walk(|visit| {
            if let Visit::Leaf { id, path } = visit {
                let value = String::from_utf8(document.scalar(id)?.canonical.into_owned()).unwrap();
                out.insert(path.keys().next().unwrap().to_owned(), value);
            }
            Ok::<(), SyntaxError>(())
        })
        .unwrap();
    Some(out)
}

/// Runs `read` over texts that we take, until each of so many held something.
fn hold(dialect: Dialect, count: usize, read: impl Fn(&Path) -> Variables) {
    let folder = tempfile::tempdir().unwrap();
    let mut random = Random::new(0xD1A);
    let mut held = 0;
    while held < count {
        // Many small files in one: a process for each entry would take long.
        let mut text = String::new();
        for part in 0..40 {
            let more = generate::dotenv(&mut random, dialect).replace("\r\n", "\n").replace('K', &format!("K{part}_"));
            let more = if more.ends_with('\n') { more } else { more + "\n" };
            if !more.contains("sops_") && ours(dialect, &more).is_some() {
                text.push_str(&more);
            }
        }
        let ours = ours(dialect, &text).unwrap();
        held += ours.len();
        let path = folder.path().join("file");
        std::fs::write(&path, &text).unwrap();
        assert_eq!(read(&path), ours, "{text}");
    }
}

fn listed(output: std::process::Output) -> Variables {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let entries = text.split('\0').filter_map(|entry| entry.split_once('='));
    entries.filter(|(name, _)| name.starts_with('K')).map(|(name, value)| (name.into(), value.into())).collect()
}

#[test]
fn a_shell_reads_what_we_say_it_reads() {
    for shell in ["bash", "sh"] {
        let Some(program) = peer(shell) else { continue };
        hold(Dialect::Shell, 800, |path| {
            let script = "set -a; . \"$1\"; exec env -0";
            let mut command = Command::new(&program);
            command.args(["-c", script, "shell"]).arg(path).env_clear().env("PATH", std::env::var_os("PATH").unwrap());
            listed(command.output().unwrap())
        });
    }
}

#[test]
fn node_reads_what_we_say_it_reads() {
    let Some(node) = peer("node") else { return };
    hold(Dialect::Node, 800, |path| {
        let script = "for (const [k, v] of Object.entries(process.env)) process.stdout.write(k + '=' + v + '\\0')";
        let mut command = Command::new(&node);
        command.arg(format!("--env-file={}", path.display())).args(["-e", script]).env_clear();
        listed(command.output().unwrap())
    });
}
