//! Whole files in clear, under whatever name.

use crate::lab::{FORMATS, Lab, PASSWORD, encrypt_as, encrypted, rules};

#[test]
fn a_file_under_the_rule_in_clear() {
    let Some(mut lab) = Lab::new() else { return };
    for format in FORMATS {
        lab.stage(&format.path(), format.plain).blocked("clear-value", format.ending);
        let hidden = format!("secrets/.decrypted~x.{}", format.ending);
        lab.scenario.git(["reset", "-q", "--hard"]);
        lab.stage(&hidden, format.plain).blocked("clear-value", &hidden);
        lab.scenario.git(["rm", "-q", "-f", "--cached", &hidden]);
    }
}

#[test]
fn renamed_out_of_the_rule_and_decrypted() {
    for format in FORMATS {
        let Some(mut lab) = Lab::new() else { return };
        lab.scenario.git(["rm", "-q", &format.path()]);
        let elsewhere = format!("config/settings.{}", format.ending);
        lab.stage(&elsewhere, format.plain).blocked_only("decrypted-copy", format.ending);
        lab.stage(&elsewhere, encrypted(format)).passes("renamed and still encrypted");
        let edited = format.plain.replace(PASSWORD, "blue-house-42-and-more");
        lab.stage(&elsewhere, edited).blocked_only("decrypted-copy", &format!("edited {}", format.ending));
    }
}

#[test]
fn a_decrypted_copy_where_no_rule_looks() {
    let rules = rules().replace("^secrets/", "^secrets/.*\\.(yaml|json|env)$");
    for format in FORMATS {
        let mut lab = Lab::with_rules(&rules);
        let Some(text) = encrypt_as(&format.path(), format.plain, &[]) else { return };
        lab.stage(&format.path(), text);
        lab.scenario.commit("secrets");
        let names = [
            format!("{}.dec", format.path()),
            format!("{}.bak", format.path()),
            format!("app.dec.{}", format.ending),
            format!("elsewhere/notes.{}", format.ending),
            "secrets/app.txt".to_owned(),
        ];
        for name in names {
            lab.stage(&name, format.plain).blocked_only("decrypted-copy", &name);
            lab.scenario.git(["rm", "-q", "-f", "--cached", &name]);
        }
        let sample =
            format.plain.replace(PASSWORD, "changeme").replace("54321", "5432").replace("second-host", "localhost");
        let name = format!("app.example.{}", format.ending);
        lab.stage(&name, sample).passes(&name);
    }
}

#[test]
fn a_decrypted_copy_of_a_binary_file() {
    let rules = rules().replace("^secrets/", "^secrets/[^.]*\\.txt$");
    let mut lab = Lab::with_rules(&rules);
    let plain = format!("{PASSWORD}\n").repeat(20);
    let Some(text) = encrypt_as("secrets/app.txt", &plain, &[]) else { return };
    lab.stage("secrets/app.txt", text);
    lab.scenario.commit("secrets");
    lab.stage("notes", &plain).blocked_only("decrypted-copy", "another name");
}

#[test]
fn a_kubernetes_secret_where_no_rule_looks() {
    let Some(mut lab) = Lab::new() else { return };
    let secret = |value: &str| {
        format!("apiVersion: v1\ndata:\n  password: {value}\nkind: Secret\nmetadata: {{name: a}}\ntype: Opaque\n")
    };
    let encoded = secret("Ymx1ZS1ob3VzZS00Mg==");
    let item = encoded.lines().map(|line| format!("    {line}\n")).collect::<String>();
    let list = format!("apiVersion: v1\nkind: List\nitems:\n  -\n{item}");
    let second = format!("kind: ConfigMap\ndata:\n  a: b\n---\n{encoded}");
    let json = r#"{"kind": "Secret", "stringData": {"password": "blue-house-42"}}"#;
    let json_list = format!(r#"{{"kind": "List", "items": [{json}]}}"#);
    for (name, text) in [
        ("a.yaml", encoded.as_str()),
        (
            "b.yml",
            &encoded.replace("data:\n  password: Ymx1ZS1ob3VzZS00Mg==", "stringData:\n  password: blue-house-42"),
        ),
        ("c.yaml", &list),
        ("d.yaml", &second),
        ("e.json", json),
        ("f.json", &json_list),
    ] {
        lab.stage(name, text).blocked_only("kubernetes-secret", name);
        lab.scenario.git(["rm", "-q", "-f", "--cached", name]);
    }
    for value in [
        "cGxhY2Vob2xkZXI=",
        "Y2hhbmdlbWU=",
        "\"\"",
        "<path:secret/data/a#b>",
        "\"{{ .Values.password }}\"",
        "${PASSWORD}",
    ] {
        lab.stage("g.yaml", secret(value)).passes(value);
    }
}

#[test]
fn what_is_staged_counts_and_not_the_work_tree() {
    let Some(mut lab) = Lab::new() else { return };
    for format in FORMATS {
        lab.stage(&format.path(), format.plain);
        lab.scenario.write(&format.path(), encrypted(format));
        lab.blocked("clear-value", format.ending);
        lab.stage(&format.path(), encrypted(format));
        lab.scenario.write(&format.path(), format.plain);
        lab.passes(format.ending);
    }
}

#[test]
fn names_encodings_and_ignore_rules_are_no_way_around() {
    let Some(mut lab) = Lab::new() else { return };
    lab.scenario.write(".gitignore", "ignored.*\n");
    for format in FORMATS {
        for name in ["a\nb", "a\"b'", "ignored", "ü b"] {
            let path = format!("secrets/{name}.{}", format.ending);
            lab.stage(&path, format.plain).blocked("clear-value", &path);
            lab.scenario.git(["rm", "-q", "-f", "--cached", "--", &path]);
        }
        for (name, order) in [("le", true), ("be", false)] {
            let units = format!("\u{feff}{}", format.plain).encode_utf16().collect::<Vec<_>>();
            let bytes: Vec<u8> =
                units.iter().flat_map(|unit| if order { unit.to_le_bytes() } else { unit.to_be_bytes() }).collect();
            let path = format!("secrets/{name}.{}", format.ending);
            lab.stage(&path, bytes);
            assert_eq!(lab.guard().code, 1, "UTF-16 {name} in {}", format.ending);
            lab.scenario.git(["rm", "-q", "-f", "--cached", &path]);
        }
    }
    let mut lab = Lab::with_rules(&rules().replace("^secrets/", "^secrets/.*\\.yaml$"));
    lab.stage("secrets/a\nb.yaml", FORMATS[0].plain).blocked("clear-value", "a line break that `.` does not match");
}

#[test]
fn a_file_that_cannot_be_read_is_not_let_through() {
    let Some(mut lab) = Lab::new() else { return };
    for (path, text) in [
        ("secrets/a.yaml", "password: [blue-house-42\n"),
        ("secrets/b.json", "{\"password\": \"blue-house-42\""),
        ("secrets/c.env", "blue-house-42\n"),
    ] {
        lab.stage(path, text).blocked_only("unreadable", path);
        lab.scenario.git(["rm", "-q", "-f", "--cached", path]);
    }
}
