//! `sops` blocks that do not protect their file.

use crate::lab::{
    FORMATS, Lab, RECIPIENT, STRANGER, encrypt_as, encrypted, token, with_another_name, with_value, without_leaf,
    without_lines,
};

#[test]
fn no_recipient_or_no_mac() {
    let Some(mut lab) = Lab::new() else { return };
    for format in FORMATS {
        let text = encrypted(format);
        let no_mac = match format.ending {
            "yaml" => without_lines(&text, "    mac: "),
            "json" => without_lines(&text, "\"mac\": "),
            _ => without_lines(&text, "sops_mac="),
        };
        lab.stage(&format.path(), no_mac).blocked("metadata", &format!("no MAC in {}", format.ending));
        let empty_mac = with_value(&text, "mac", "\"\"");
        lab.stage(&format.path(), empty_mac).blocked("metadata", &format!("an empty MAC in {}", format.ending));
        let nobody = match format.ending {
            "yaml" => cut(&text, "    age:\n", "    lastmodified"),
            "json" => cut(&text, "\t\t\"age\": [", "\t\t\"lastmodified"),
            _ => without_lines(&text, "sops_age"),
        };
        lab.stage(&format.path(), nobody).blocked("metadata", &format!("no recipient in {}", format.ending));
        lab.scenario.git(["reset", "-q", "--hard"]);
    }
}

fn cut(text: &str, from: &str, to: &str) -> String {
    let (head, rest) = text.split_once(from).unwrap();
    format!("{head}{}", &rest[rest.find(to).unwrap()..])
}

#[test]
fn something_in_the_block_that_does_not_belong_there() {
    let Some(mut lab) = Lab::new() else { return };
    for format in FORMATS {
        let text = encrypted(format);
        let more = match format.ending {
            "yaml" => text.replacen("    lastmodified", "    password: blue-house-42\n    lastmodified", 1),
            "json" => text.replacen("\"lastmodified", "\"password\": \"blue-house-42\",\n\t\t\"lastmodified", 1),
            _ => text.replacen("sops_lastmodified", "sops_password=blue-house-42\nsops_lastmodified", 1),
        };
        lab.stage(&format.path(), more).blocked_only("metadata", format.ending);
        lab.scenario.git(["reset", "-q", "--hard"]);
    }
}

#[test]
fn wrong_missing_and_extra_recipients() {
    let Some(mut lab) = Lab::new() else { return };
    let both = format!("{RECIPIENT},{STRANGER}");
    for format in FORMATS {
        for recipients in [STRANGER, &both] {
            let text = encrypt_as(&format.path(), format.plain, &["--age", recipients]).unwrap();
            lab.stage(&format.path(), text).blocked_only("recipients", format.ending);
        }
        lab.scenario.git(["reset", "-q", "--hard"]);
    }
    let rules = format!("creation_rules:\n  - path_regex: ^secrets/\n    age: {both}\n");
    let mut strict = Lab::with_rules(&rules);
    for format in FORMATS {
        strict.stage(&format.path(), encrypted(format)).blocked_only("recipients", format.ending);
    }
    strict.scenario.git(["reset", "-q", "--hard"]);
    for format in FORMATS {
        let text = encrypt_as(&format.path(), format.plain, &["--age", &both]).unwrap();
        strict.stage(&format.path(), text).passes(format.ending);
    }
}

#[test]
fn a_selector_weaker_than_the_rules() {
    let Some(mut lab) = Lab::new() else { return };
    for format in FORMATS {
        for weak in
            [["--encrypted-regex", "^nothing$"], ["--unencrypted-regex", "^other$"], ["--encrypted-suffix", "_x"]]
        {
            let text = encrypt_as(&format.path(), format.plain, &weak).unwrap();
            lab.stage(&format.path(), text).blocked("weak-selector", &format!("{weak:?} in {}", format.ending));
        }
        lab.scenario.git(["reset", "-q", "--hard"]);
    }
    let text = encrypted(FORMATS[0]).replace("    lastmodified", "    mac_only_encrypted: true\n    lastmodified");
    lab.stage("secrets/app.yaml", text).blocked_only("weak-selector", "a MAC over encrypted values only");
}

#[test]
fn a_mac_that_did_not_follow_the_values() {
    let Some(mut lab) = Lab::new() else { return };
    for format in FORMATS {
        let text = encrypted(format);
        let edits = [
            ("a leaf deleted", without_leaf(&text, "tls")),
            ("a clear value changed", with_another_name(&text)),
            (
                "a token changed",
                with_value(&text, "port", &quoted(format, &token(&text, "tls").replace("bool", "int"))),
            ),
            (
                "lastmodified changed",
                text.replace("lastmodified\": \"20", "lastmodified\": \"21")
                    .replace("lastmodified: \"20", "lastmodified: \"21")
                    .replace("lastmodified=20", "lastmodified=21"),
            ),
        ];
        for (what, edited) in edits {
            // A JSON object may not end in a comma, which a deleted last line leaves behind.
            let edited = edited.replace(",\n\t},\n\t\"hosts", "\n\t},\n\t\"hosts");
            lab.stage(&format.path(), edited).blocked("stale-mac", &format!("{what} in {}", format.ending));
        }
        lab.scenario.git(["reset", "-q", "--hard"]);
    }
    let yaml = FORMATS[0];
    let text = encrypted(yaml);
    let items: Vec<&str> = text.lines().filter(|line| line.starts_with("    - ENC[")).collect();
    let swapped = text.replace(&format!("{}\n{}\n", items[0], items[1]), &format!("{}\n{}\n", items[1], items[0]));
    lab.stage(&yaml.path(), swapped).blocked_only("stale-mac", "two list items swapped");
}

fn quoted(format: crate::lab::Format, text: &str) -> String {
    if format.is("json") { format!("\"{text}\"") } else { text.to_owned() }
}

#[test]
fn a_merge_that_took_one_sides_mac() {
    let Some(mut lab) = Lab::new() else { return };
    let yaml = FORMATS[0];
    let plain = yaml.plain.replace("second-host", "third-host");
    let theirs = encrypt_as(&yaml.path(), &plain, &[]).unwrap();
    lab.scenario.git(["checkout", "-q", "-b", "theirs"]);
    lab.scenario.write(&yaml.path(), &theirs);
    lab.scenario.commit("theirs");
    lab.scenario.git(["checkout", "-q", "main"]);
    lab.scenario.git(["merge", "-q", "--no-commit", "--no-ff", "theirs"]);
    lab.passes("their version whole");
    let mixed = with_value(&theirs, "port", &token(&encrypted(yaml), "port"));
    lab.stage(&yaml.path(), mixed).blocked("stale-mac", "their MAC over our value");
}

#[test]
fn a_value_moved_within_a_file_or_copied_from_another_stage() {
    let Some(mut lab) = Lab::new() else { return };
    for format in FORMATS {
        let text = encrypted(format);
        let moved = with_value(&text, "port", &quoted(format, &token(&text, "password")));
        lab.stage(&format.path(), moved).blocked("moved-value", &format!("moved in {}", format.ending));

        let stage = format!("secrets/prod.{}", format.ending);
        let other = encrypt_as(&stage, format.plain, &[]).unwrap();
        lab.stage(&format.path(), &text);
        lab.stage(&stage, &other);
        lab.passes("two stages");
        lab.scenario.commit("prod");
        let copied = with_value(&other, "password", &quoted(format, &token(&text, "password")));
        lab.stage(&stage, copied).blocked("moved-value", &format!("copied in {}", format.ending));
        lab.scenario.git(["reset", "-q", "--hard"]);
        let new = format!("secrets/new.{}", format.ending);
        let whole = encrypt_as(&new, format.plain, &[]).unwrap();
        let pasted = with_value(&whole, "password", &quoted(format, &token(&text, "password")));
        lab.stage(&new, pasted).blocked("moved-value", &format!("pasted into a new {}", format.ending));
        let twice = with_value(&whole, "port", &quoted(format, &token(&whole, "password")));
        lab.stage(&new, twice).blocked_only("moved-value", &format!("twice in a new {}", format.ending));
        lab.stage(&new, &text).passes("a whole file copied for a new stage");
        lab.scenario.git(["reset", "-q", "--hard"]);
    }
}

#[test]
fn half_of_the_values_from_elsewhere_are_no_copy_of_a_file() {
    let Some(mut lab) = Lab::new() else { return };
    let made = |name: &str| encrypt_as(name, "a: heron-1\nb: heron-2\nc: heron-3\nd: heron-4\n", &[]).unwrap();
    let (theirs, mut ours) = (made("secrets/prod.yaml"), made("secrets/new.yaml"));
    lab.stage("secrets/prod.yaml", &theirs);
    lab.scenario.commit("prod");
    for key in ["a:", "b:"] {
        ours = with_value(&ours, key, &token(&theirs, key));
    }
    lab.stage("secrets/new.yaml", &ours).blocked_only("moved-value", "half of the values");
}

#[test]
fn what_only_a_key_can_tell_is_said() {
    let Some(mut lab) = Lab::new() else { return };
    let text = encrypt_as("secrets/first.yaml", "a: blue-house-42\n", &[]).unwrap();
    lab.stage("secrets/first.yaml", text);
    let said = lab.ask(&["guard"]);
    assert_eq!(said.code, 0);
    assert!(said.stderr.contains("secrets/first.yaml: note: there is no earlier version"), "{}", said.stderr);
}

#[test]
fn a_key_tells_what_structure_cannot() {
    for format in FORMATS {
        let mut lab = Lab::with_rules(&crate::lab::rules());
        let Some(text) = encrypt_as(&format.path(), format.plain, &[]) else { return };
        lab.stage(&format.path(), &text);
        let with_key = ["guard", "--with-key", "--json"];
        assert_eq!(lab.ask(&with_key).code, 0, "{}", format.ending);
        for (what, edited) in
            [("a leaf deleted", without_leaf(&text, "port")), ("a clear value changed", with_another_name(&text))]
        {
            lab.stage(&format.path(), edited);
            assert_eq!(lab.guard().code, 0, "{what}: a first version, without a key");
            let said = lab.ask(&with_key);
            assert_eq!((said.code, said.checks()), (1, vec!["damaged".to_owned()]), "{what}: {}", said.stderr);
        }
        lab.scenario.unset_env("SOPS_AGE_KEY_FILE");
        let said = lab.ask(&with_key);
        assert!(said.code == 0 && said.stderr.contains("no key at hand opens it"), "{}", said.stderr);
    }
}

#[test]
fn a_recipient_that_the_key_is_not_wrapped_for() {
    let Some(mut lab) = Lab::new() else { return };
    let yaml = FORMATS[0];
    let text = encrypted(yaml);
    let (start, end) = (text.find("enc: |").unwrap(), text.find("-----END AGE ENCRYPTED FILE-----").unwrap());
    let rest = &text[end + "-----END AGE ENCRYPTED FILE-----".len()..];
    lab.stage(&yaml.path(), format!("{}enc: \"\"{rest}", &text[..start])).blocked("recipients", "an empty key");
}

/// Nobody reads it, so that anything could stand there.
#[test]
fn a_wrapped_key_that_is_none() {
    let Some(mut lab) = Lab::new() else { return };
    let yaml = FORMATS[0];
    let text = encrypted(yaml);
    let kms = |enc: &str| {
        let key = "arn: arn:aws:kms:eu-west-1:111122223333:key/0f\n          created_at: \"2026-01-01T00:00:00Z\"";
        let list = format!("sops:\n    kms:\n        - {key}\n          enc: {enc}\n          aws_profile: \"\"\n");
        text.replacen("sops:\n", &list, 1)
    };
    lab.stage(&yaml.path(), kms("AQICAHg=")).blocked_only("recipients", "another key");
    lab.stage(&yaml.path(), kms("blue house 42!")).blocked("metadata", "words in place of a key");

    // A payload that is longer than a data key.
    let body = text.split("-----BEGIN AGE ENCRYPTED FILE-----").nth(1).unwrap();
    let body = body.split("-----END AGE").next().unwrap();
    let lines: Vec<&str> = body.split_whitespace().collect();
    let engine = base64::engine::general_purpose::STANDARD;
    let mut file = base64::Engine::decode(&engine, lines.concat()).unwrap();
    file.extend_from_slice(b"blue-house-42");
    let longer = base64::Engine::encode(&engine, file);
    let indent = &body[1..body.len() - body.trim_start().len()];
    let longer: Vec<String> =
        longer.as_bytes().chunks(64).map(|line| format!("{indent}{}", String::from_utf8_lossy(line))).collect();
    let longer = text.replacen(body.trim_end(), &format!("\n{}", longer.join("\n")), 1);
    assert_ne!(longer, text);
    lab.stage(&yaml.path(), longer).blocked_only("metadata", "a longer payload");
}

/// SOPS reads such a position as 0.
#[test]
fn a_position_that_is_no_number() {
    let Some(mut lab) = Lab::new() else { return };
    let env = FORMATS[2];
    let text = encrypted(env).replace("__list_0__", "__list_x__");
    assert_ne!(text, encrypted(env));
    lab.stage(&env.path(), text).blocked_only("metadata", "a word for a position");
}
