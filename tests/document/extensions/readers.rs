//! Dialects held to the programs that read them.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use lockage::document::{Dialect, Document, Format, SyntaxError, Visit};

use super::generate;
use crate::common::peer;
use crate::yaml::generate::Random;

pub(super) type Variables = BTreeMap<String, String>;

fn ours(dialect: Dialect, text: &str) -> Option<Variables> {
    Document::parse(Format::Dialect(dialect), text.into()).ok().map(|document| variables(&document))
}

/// The values by their names; the last one counts, as to every reader.
pub(super) fn variables(document: &Document) -> Variables {
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
    out
}

/// Runs `read` over texts that we take, until each of so many held something.
fn hold(dialect: Dialect, count: usize, read: impl Fn(&Path) -> Variables) {
    let folder = tempfile::tempdir().unwrap();
    let mut random = Random::new(0xBEE);
    let mut held = 0;
    while held < count {
        // Many small files in one: a process for each entry would take long.
        let mut text = String::new();
        for part in 0..40 {
            let more =
                generate::odd_dotenv(&mut random, dialect).replace("\r\n", "\n").replace('K', &format!("K{part}_"));
            let more = if more.ends_with('\n') { more } else { more + "\n" };
            let whole = text.clone() + &more;
            if !more.contains("sops_") && ours(dialect, &more).is_some() && ours(dialect, &whole).is_some() {
                text = whole;
            }
        }
        let mut ours = ours(dialect, &text).unwrap();
        ours.retain(|name, _| name.contains('K'));
        held += ours.len();
        let path = folder.path().join("file");
        std::fs::write(&path, &text).unwrap();
        let mut theirs = read(&path);
        if dialect == Dialect::Systemd {
            // The program that has systemd's parser leaves out what is empty.
            theirs.retain(|name, _| ours.get(name).is_none_or(|value| !value.is_empty()));
            ours.retain(|_, value| !value.is_empty());
        }
        assert_eq!(theirs, ours, "{text}");
    }
}

fn listed(output: std::process::Output) -> Variables {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let entries = text.split('\0').filter_map(|entry| entry.split_once('='));
    entries.filter(|(name, _)| name.contains('K')).map(|(name, value)| (name.into(), value.into())).collect()
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

#[test]
fn systemd_reads_what_we_say_it_reads() {
    let Some(program) = peer("systemd-environment") else { return };
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("environment.d");
    std::fs::create_dir(&folder).unwrap();
    hold(Dialect::Systemd, 800, |path| {
        // This program expands what the parser gives it, other than a unit: there is a sign for a dollar.
        let text = std::fs::read_to_string(path).unwrap().replace('$', "$$");
        std::fs::write(folder.join("file.conf"), text).unwrap();
        let output = Command::new(&program).env_clear().env("XDG_CONFIG_HOME", home.path()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let printed = String::from_utf8(output.stdout).unwrap();
        let entries = printed.lines().filter_map(|line| line.split_once('='));
        entries.filter(|(name, _)| name.contains('K')).map(|(name, value)| (name.into(), unquoted(value))).collect()
    });
}

/// A value as systemd prints it: where it needs quotes, they are double ones.
fn unquoted(value: &str) -> String {
    let Some(inside) = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')) else { return value.into() };
    let mut out = String::new();
    let mut chars = inside.chars();
    while let Some(char) = chars.next() {
        out.push(match char {
            '\\' => match chars.next().unwrap() {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                'v' => '\u{B}',
                'f' => '\u{C}',
                other => other,
            },
            char => char,
        });
    }
    out
}
