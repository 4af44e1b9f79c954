//! Values, comments and keys in clear inside files under a rule.

use crate::lab::{FORMATS, Lab, PASSWORD, encrypt_as, encrypted, rules, token, with_value, without_lines};

#[test]
fn one_leaf_in_clear() {
    let Some(mut lab) = Lab::new() else { return };
    for format in FORMATS {
        let quoted = if format.is("json") { format!("\"{PASSWORD}\"") } else { PASSWORD.into() };
        let text = with_value(&encrypted(format), "password", &quoted);
        lab.stage(&format.path(), text).blocked("clear-value", format.ending);
        let place = lab.guard().places();
        assert!(place.iter().any(|place| place.starts_with(&format.path())), "{place:?}");
        lab.scenario.git(["reset", "-q", "--hard"]);
    }
}

#[test]
fn a_number_a_bool_and_a_list_item_in_clear() {
    let Some(mut lab) = Lab::new() else { return };
    for format in FORMATS {
        for (key, value) in [("port", "54321"), ("tls", "true"), ("hosts", "\"blue-house-42\"")] {
            if format.is("env") && key == "hosts" {
                continue;
            }
            let text = with_value(&encrypted(format), key, value);
            lab.stage(&format.path(), text).blocked("clear-value", &format!("{key} in {}", format.ending));
            lab.scenario.git(["reset", "-q", "--hard"]);
        }
    }
}

#[test]
fn only_the_word_of_a_token() {
    let Some(mut lab) = Lab::new() else { return };
    for format in FORMATS {
        let real = token(&encrypted(format), "password");
        let forged = [
            format!("ENC[{PASSWORD}]"),
            format!("ENC[AES256_GCM,data:{PASSWORD},iv:x,tag:y,type:str]"),
            format!("{real}{PASSWORD}"),
            real.replace("type:str", "type:blue-house-42"),
            real.replace("ENC[AES256_GCM,", &format!("ENC[AES256_GCM,{PASSWORD},")),
        ];
        for forged in forged {
            let new = if format.is("env") { forged.clone() } else { format!("\"{forged}\"") };
            let text = with_value(&encrypted(format), "password", &new);
            lab.stage(&format.path(), text).blocked("clear-value", &format!("{forged} in {}", format.ending));
            lab.scenario.git(["reset", "-q", "--hard"]);
        }
    }
}

#[test]
fn plaintext_under_a_pasted_block_or_beside_a_word_in_a_comment() {
    let Some(mut lab) = Lab::new() else { return };
    for format in FORMATS {
        let block = match format.ending {
            "yaml" => {
                format!("{}sops:\n    mac: {PASSWORD}\n    lastmodified: \"2026-01-01T00:00:00Z\"\n", format.plain)
            }
            "json" => format.plain.replacen(
                '{',
                "{\n\t\"sops\": {\"mac\": \"x\", \"lastmodified\": \"2026-01-01T00:00:00Z\"},",
                1,
            ),
            _ => format!("{}sops_mac=x\nsops_lastmodified=2026-01-01T00:00:00Z\n", format.plain),
        };
        lab.stage(&format.path(), block).blocked("clear-value", format.ending);
        if !format.is("json") {
            let text = format!("# ENC[AES256_GCM,data:AAAA,type:comment]\n{}", format.plain);
            lab.stage(&format.path(), text).blocked("clear-value", format.ending);
        }
        lab.scenario.git(["reset", "-q", "--hard"]);
    }
}

#[test]
fn a_comment_in_clear() {
    let Some(mut lab) = Lab::new() else { return };
    for format in FORMATS.into_iter().filter(|format| !format.is("json")) {
        let text = format!("# the password is {PASSWORD}\n{}", encrypted(format));
        lab.stage(&format.path(), text).blocked("clear-comment", format.ending);
        lab.scenario.git(["reset", "-q", "--hard"]);
    }
    let yaml = FORMATS[0];
    for (from, to) in
        [("\ndb:\n", "\ndb:\n    # blue-house-42\n"), ("tag:", "tag:"), ("    mac: ", "    # blue-house-42\n    mac: ")]
    {
        if from != to {
            let text = encrypted(yaml).replacen(from, to, 1);
            lab.stage(&yaml.path(), text).blocked("clear-comment", to);
        }
    }
    // A comment that SOPS loses, so that its walk does not meet it.
    let lost = encrypted(yaml).replacen("\nsops:", "\nlist: [ # blue-house-42\n    ]\nsops:", 1);
    lab.stage(&yaml.path(), lost).blocked("clear-comment", "in an empty list");
    let at_end = format!("{}# blue-house-42\n", encrypted(yaml));
    lab.stage(&yaml.path(), at_end).blocked("clear-comment", "behind the block");
}

#[test]
fn string_data_beside_encrypted_data() {
    let rules = format!("{}    encrypted_regex: ^(data|stringData)$\n", rules());
    for (path, plain, from, to) in [
        (
            "secrets/s.yaml",
            "apiVersion: v1\nkind: Secret\nmetadata:\n    name: a\ndata:\n    password: Ymx1ZS1ob3VzZS00Mg==\n",
            "\nsops:",
            "\nstringData:\n    token: blue-house-42\nsops:",
        ),
        (
            "secrets/s.json",
            "{\"apiVersion\": \"v1\", \"kind\": \"Secret\", \"data\": {\"password\": \"Ymx1ZS1ob3VzZS00Mg==\"}}",
            "\"sops\": {",
            "\"stringData\": {\"token\": \"blue-house-42\"}, \"sops\": {",
        ),
    ] {
        let mut lab = Lab::with_rules(&rules);
        let Some(text) = encrypt_as(path, plain, &["--encrypted-regex", "^(data|stringData)$"]) else { return };
        lab.stage(path, &text).passes(path);
        lab.stage(path, text.replacen(from, to, 1)).blocked_only("clear-value", path);
    }
}

#[test]
fn a_password_with_the_suffix() {
    let Some(mut lab) = Lab::new() else { return };
    for format in FORMATS {
        let plain = format.plain.replace("name_unencrypted", "password_unencrypted").replace("app", PASSWORD);
        let text = encrypt_as(&format.path(), &plain, &[]).unwrap();
        lab.stage(&format.path(), text).blocked_only("clear-suffix", format.ending);
        lab.scenario.git(["reset", "-q", "--hard"]);
    }
    let below = "db_unencrypted:\n    password: blue-house-42\n";
    let text = encrypt_as("secrets/below.yaml", below, &[]).unwrap();
    lab.stage("secrets/below.yaml", text).blocked_only("clear-suffix", "below a key with the suffix");
}

#[test]
fn a_secret_as_the_key_of_a_mapping() {
    let Some(mut lab) = Lab::new() else { return };
    for (secret, name) in [(PASSWORD, "human"), ("aB3xK9mQ2vR7tY5w", "random")] {
        for format in FORMATS {
            let plain = format.plain.replacen("password", secret, 1);
            let text = encrypt_as(&format.path(), &plain, &[]).unwrap();
            lab.stage(&format.path(), text).blocked_only("secret-as-key", &format!("{name} in {}", format.ending));
            let said = lab.guard();
            assert!(!said.stderr.contains(secret), "the key is printed: {}", said.stderr);
            lab.scenario.git(["reset", "-q", "--hard"]);
        }
    }
}

#[test]
fn a_secret_inside_a_longer_key() {
    let mut lab = Lab::with_rules(&crate::lab::rules());
    for format in FORMATS {
        let plain = format.plain.replacen("port", "db-blue-house-42-old", 1);
        let Some(text) = encrypt_as(&format.path(), &plain, &[]) else { return };
        lab.stage(&format.path(), text);
        let said = lab.guard();
        assert_eq!(said.code, 0, "without a key nothing tells it from a name: {}", said.stderr);
        assert!(said.stderr.contains("whether the name of a key holds a value"), "that is said: {}", said.stderr);
        let said = lab.ask(&["guard", "--with-key", "--json"]);
        assert_eq!((said.code, said.checks()), (1, vec!["secret-as-key".to_owned()]), "{}", said.stderr);
        lab.stage(&format.path(), encrypted(format));
        assert_eq!(lab.ask(&["guard", "--with-key"]).code, 0, "{}", format.ending);
    }
}

#[test]
fn a_value_of_eight_bytes_is_looked_for_in_names_and_one_of_seven_is_not() {
    let mut lab = Lab::with_rules(&crate::lab::rules());
    for (value, code) in [("blue-4y7", 1), ("blue-4y", 0)] {
        let Some(text) = encrypt_as("secrets/app.yaml", &format!("db-{value}: x\na: {value}\n"), &[]) else { return };
        lab.stage("secrets/app.yaml", text);
        assert_eq!(lab.ask(&["guard", "--with-key"]).code, code, "{value}");
    }
}

#[test]
fn a_second_document_and_a_second_key_in_clear() {
    let Some(mut lab) = Lab::new() else { return };
    let [yaml, json, env] = FORMATS;
    let text = format!("{}---\npassword: {PASSWORD}\n", encrypted(yaml));
    lab.stage(&yaml.path(), text).blocked("clear-value", "a second document");
    let later = format!("{}---\nsops:\n    note: {PASSWORD}\n", encrypted(yaml));
    lab.stage(&yaml.path(), later).blocked("metadata", "a second block");
    for (format, from, to) in [
        (yaml, "    password: ", "    password: blue-house-42\n    password: "),
        (json, "\"password\": ", "\"password\": \"blue-house-42\",\n\t\t\"password\": "),
        (env, "password=", "password=blue-house-42\npassword="),
    ] {
        lab.scenario.git(["reset", "-q", "--hard"]);
        let text = encrypted(format).replacen(from, to, 1);
        lab.stage(&format.path(), text);
        let said = lab.guard();
        let caught = said.checks().iter().any(|check| check == "clear-value" || check == "unreadable");
        assert!(said.code == 1 && caught, "{}: {}", format.ending, said.stderr);
    }
}

#[test]
fn ini_and_binary_are_judged_as_encrypted_or_not() {
    let Some(mut lab) = Lab::new() else { return };
    for (path, plain) in [
        ("secrets/app.ini", "[db]\npassword = blue-house-42\nport = 54321\n"),
        ("secrets/app.txt", "blue-house-42\n"),
        ("secrets/app", "\0\x01blue-house-42"),
    ] {
        let text = encrypt_as(path, plain, &[]).unwrap();
        lab.stage(path, &text).passes(path);
        lab.stage(path, plain).blocked("clear-value", path);
        lab.scenario.git(["rm", "-q", "--cached", path]);
    }
    let ini = encrypt_as("secrets/app.ini", "[db]\npassword = blue-house-42\nport = 54321\n", &[]).unwrap();
    lab.stage("secrets/app.ini", with_value(&ini, "password", PASSWORD)).blocked("clear-value", "one value of an INI");
}

#[test]
fn a_value_is_named_with_its_line_and_never_shown() {
    let Some(mut lab) = Lab::new() else { return };
    let yaml = FORMATS[0];
    lab.stage(&yaml.path(), with_value(&encrypted(yaml), "password", PASSWORD));
    let said = lab.ask(&["guard"]);
    assert_eq!(said.code, 1);
    assert!(said.stderr.contains("secrets/app.yaml:4:15: clear-value: `db.password` is in clear"), "{}", said.stderr);
    assert!(said.stderr.contains("  hint: "), "{}", said.stderr);
}

#[test]
fn tokens_without_their_block() {
    let Some(mut lab) = Lab::new() else { return };
    for format in FORMATS {
        let text = encrypted(format);
        let bare = match format.ending {
            "yaml" => text.split("sops:").next().unwrap().to_owned(),
            "json" => format!("{}\n}}\n", text.split(",\n\t\"sops\"").next().unwrap()),
            _ => without_lines(&text, "sops_"),
        };
        lab.stage(&format.path(), bare).blocked("metadata", format.ending);
        lab.scenario.git(["reset", "-q", "--hard"]);
    }
}

/// The law: wherever in an encrypted file the password is put, the guard says no; but for the middle of a key's name
/// in a first version, which nothing tells from a name, and for a value whose suffix leaves it in clear.
#[test]
fn wherever_the_password_is_put() {
    for format in FORMATS {
        let mut lab = Lab::with_rules(&rules());
        let Some(text) = encrypt_as(&format.path(), format.plain, &[]) else { return };
        let places: Vec<usize> = (0..=text.len()).filter(|at| at % 7 == 0).collect();
        for at in &places {
            lab.scenario.write(
                &format!("secrets/{at}.{}", format.ending),
                format!("{}{PASSWORD}{}", &text[..*at], &text[*at..]),
            );
        }
        lab.scenario.git(["add", "-A"]);
        let said = lab.guard();
        let found: Vec<String> = said.places();
        for at in places {
            let path = format!("secrets/{at}.{}:", format.ending);
            let start = text[..at].rfind('\n').map_or(0, |start| start + 1);
            let line = text[start..].lines().next().unwrap_or_default();
            let in_key = !text[start..at].contains([':', '=']);
            let free = in_key || line.contains("_unencrypted");
            assert!(free || found.iter().any(|place| place.starts_with(&path)), "passes in `{line}` at {}", at - start);
        }
    }
}

#[test]
fn a_tag_behind_everything_else() {
    let Some(mut lab) = Lab::new() else { return };
    let yaml = FORMATS[0];
    let text = format!("{}empty_too: !blue-house-42\n", encrypted(yaml));
    lab.stage(&yaml.path(), text).blocked("hidden-text", "behind the block");
}
