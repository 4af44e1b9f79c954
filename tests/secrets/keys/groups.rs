//! Key groups: the data key split between them.

use lockage::document::{Document, Format};
use lockage::keys::{DecryptionOrder, KeyServices, Keyring, Recipient};
use lockage::sops::{EncryptedFile, Encryption, RuleGroup, SopsError, encrypt};

use super::{Person, key_file, services};
use crate::support::{Sops, now};

const FORMATS: [(Format, &str); 5] = [
    (Format::Yaml, "a: CANARY-heron\nb: 2\n"),
    (Format::Json, "{\n\t\"a\": \"CANARY-heron\"\n}\n"),
    (Format::Dotenv, "A=CANARY-heron\n"),
    (Format::Ini, "[s]\na = CANARY-heron\n"),
    (Format::Binary, "CANARY-heron\0\n"),
];

fn group(people: &[&Person]) -> RuleGroup {
    RuleGroup { keys: people.iter().map(|person| person.recipient.clone()).collect() }
}

fn encryption(groups: Vec<RuleGroup>, shamir_threshold: Option<usize>) -> Encryption {
    Encryption { groups, shamir_threshold, ..Encryption::default() }
}

fn sealed(format: Format, text: &str, encryption: &Encryption) -> Vec<u8> {
    let document = Document::parse(format, text.as_bytes().to_vec()).unwrap();
    encrypt(&document, encryption, &KeyServices::from(Keyring::new()), now()).unwrap()
}

fn opened(format: Format, file: &[u8], keys: &KeyServices) -> Result<Vec<u8>, SopsError> {
    Ok(EncryptedFile::parse(format, file.to_vec())?.decrypt(keys)?.text().to_vec())
}

#[test]
fn two_of_three_groups_open_a_file_of_either_program() {
    let [ana, ben, cem] = [Person::new(), Person::new(), Person::new()];
    let ours = encryption(vec![group(&[&ana]), group(&[&ben, &ana]), group(&[&cem])], Some(2));
    let sops = Sops::find();
    let rule = |person: &Person| person.recipient.id();
    for (format, text) in FORMATS {
        let mut files = vec![sealed(format, text, &ours)];
        if let Some(sops) = &sops {
            let config = format!(
                "creation_rules:\n  - shamir_threshold: 2\n    key_groups:\n      - age: [{}]\n      - age: [{}, {}]\n      - age: [{}]\n",
                rule(&ana),
                rule(&ben),
                rule(&ana),
                rule(&cem)
            );
            sops.file(".sops.yaml", config);
            let word = format.word();
            let arguments = ["encrypt", "--input-type", word, "--output-type", word, "--filename-override", "x"];
            files.push(sops.run(&arguments, text.as_bytes()).unwrap());
        }
        for file in files {
            assert_eq!(opened(format, &file, &services(&[&ana])).unwrap(), text.as_bytes(), "two groups are ana's");
            assert_eq!(opened(format, &file, &services(&[&cem, &ben])).unwrap(), text.as_bytes());
            assert_eq!(opened(format, &file, &services(&[&cem, &ben, &ana])).unwrap(), text.as_bytes());
            let Err(SopsError::NotOpened(report)) = opened(format, &file, &services(&[&cem])) else {
                panic!("one group is too few");
            };
            assert_eq!((report.opened(), report.threshold), (1, Some(2)));
            if let Some(sops) = Sops::find() {
                let keys = sops.file("keys.txt", key_file(&[&cem, &ben]));
                let sops = sops.with_key_file(keys);
                let plain = sops.decrypt(format, &file).unwrap();
                assert_eq!(String::from_utf8_lossy(&plain).replace("    ", "\t"), text.replace("    ", "\t"));
            }
        }
    }
}

#[test]
fn without_a_threshold_every_group_is_needed_and_that_is_written() {
    let [ana, ben] = [Person::new(), Person::new()];
    let file = sealed(Format::Yaml, "a: 1\n", &encryption(vec![group(&[&ana]), group(&[&ben])], None));
    let text = String::from_utf8(file.clone()).unwrap();
    assert!(text.contains("\n    shamir_threshold: 2\n"), "{text}");
    assert!(text.contains("\n          hc_vault: []\n"), "SOPS writes the empty list: {text}");
    assert!(opened(Format::Yaml, &file, &services(&[&ana])).is_err());
    assert!(opened(Format::Yaml, &file, &services(&[&ana, &ben])).is_ok());
    // The threshold is not authenticated: a lower one gives another key, which no value opens with.
    let lower = text.replace("shamir_threshold: 2", "shamir_threshold: 1");
    assert!(matches!(opened(Format::Yaml, lower.as_bytes(), &services(&[&ana])), Err(SopsError::NotOpened(_))));
}

#[test]
fn the_report_is_that_of_sops() {
    let Some(sops) = Sops::find() else { return };
    let [ana, ben, cem] = [Person::new(), Person::new(), Person::new()];
    let groups = vec![group(&[&ana, &cem]), group(&[&ben]), group(&[&ana])];
    let key_path = sops.file("keys.txt", key_file(&[&ben]));
    let sops = sops.with_key_file(key_path);
    for (groups, threshold) in [(groups.clone(), Some(2)), (vec![group(&[&ana, &cem])], None)] {
        let file = sealed(Format::Yaml, "a: 1\n", &encryption(groups, threshold));
        let (code, theirs) = sops.decrypt(Format::Yaml, &file).unwrap_err();
        let Err(error) = opened(Format::Yaml, &file, &services(&[&ben])) else { panic!("it opens") };
        assert_eq!((code, error.sops_exit_code(false)), (128, 128));
        let SopsError::NotOpened(report) = error else { panic!("{error}") };
        // The places that SOPS looked in are known to the command only.
        let without_places = |text: &str| -> Vec<String> {
            let words = text.replace("- |", "").replace('|', "");
            let words: Vec<&str> = words.split_whitespace().collect();
            words
                .join(" ")
                .split(" Did not find keys in locations")
                .map(|part| part.split_once("'SOPS_AGE_KEY_CMD'.").map_or(part, |(_, rest)| rest).trim().to_owned())
                .collect()
        };
        assert_eq!(without_places(&theirs).join(" "), without_places(&report.sops_text()).join(" "));
    }
}

#[test]
fn a_decryption_order_decides_who_is_asked_first() {
    let ana = Person::new();
    let text = String::from_utf8(sealed(Format::Yaml, "a: 1\n", &encryption(vec![group(&[&ana])], None))).unwrap();
    let pgp = "    pgp:\n        - created_at: \"2026-01-01T00:00:00Z\"\n          enc: x\n          fp: ABC\n    unencrypted_suffix";
    let text = text.replace("    unencrypted_suffix", pgp);
    let stranger = Person::new();
    let tried = |order: &str| -> Vec<&'static str> {
        let keys = services(&[&stranger]).in_order(DecryptionOrder::parse(order).unwrap());
        match opened(Format::Yaml, text.as_bytes(), &keys) {
            Err(SopsError::NotOpened(report)) => report.tried().map(|tried| tried.kind.word()).collect(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(tried("age,pgp"), ["age", "pgp"]);
    assert_eq!(tried("pgp,age"), ["pgp", "age"]);
    assert_eq!(tried("kms"), ["pgp", "age"], "unlisted ones in the order of the file");
}

#[test]
fn a_file_with_every_kind_is_read_and_written_as_sops_does() {
    let ana = Person::new();
    let text =
        String::from_utf8(sealed(Format::Yaml, "a: CANARY-heron\n", &encryption(vec![group(&[&ana])], None))).unwrap();
    let time = "created_at: \"2026-01-01T00:00:00+02:00\"";
    let lists = format!(
        "    azure_kv:\n        - {time}\n          enc: x\n          name: key\n          vault_url: https://v\n          version: \"1\"\n    \
         gcp_kms:\n        - {time}\n          enc: x\n          resource_id: g\n    hc_vault:\n        - {time}\n          enc: vault:v1:x\n          \
         engine_path: e\n          key_name: k\n          vault_address: https://v\n    hckms:\n        - {time}\n          enc: x\n          \
         key_id: r:u\n    kms:\n        - arn: arn:aws:kms:x:1:key/a\n          aws_profile: \"\"\n          context:\n            env: prod\n          \
         {time}\n          enc: x\n          role: arn:aws:iam::1:role/r\n    lastmodified"
    );
    let pgp = format!("    pgp:\n        - {time}\n          enc: x\n          fp: ABC\n    unencrypted_suffix");
    let text = text.replace("    lastmodified", &lists).replace("    unencrypted_suffix", &pgp);
    let file = EncryptedFile::parse(Format::Yaml, text.clone().into_bytes()).unwrap();
    let ids: Vec<String> = file.metadata().recipients().map(Recipient::id).collect();
    let wanted = [
        "arn:aws:kms:x:1:key/a+arn:aws:iam::1:role/r|env:prod",
        "g",
        "r:u",
        "https://v/keys/key/1",
        "https://v/v1/e/keys/k",
        "ABC",
        &ana.recipient.id(),
    ];
    assert_eq!(ids, wanted);
    // What SOPS makes of the same file when it writes it anew.
    let Some(sops) = Sops::find() else { return };
    let sops = {
        let keys = sops.file("keys.txt", key_file(&[&ana]));
        sops.with_key_file(keys)
    };
    sops.file("f.yaml", &text);
    sops.run(&["set", "f.yaml", "[\"a\"]", "\"new\""], b"").unwrap();
    let theirs = String::from_utf8(sops.read("f.yaml")).unwrap();
    let from = |text: &str, word: &str| text[text.find("    age:").unwrap()..text.find(word).unwrap()].to_owned();
    assert_eq!(from(&theirs, "    lastmodified"), from(&text, "    lastmodified"));
    let mut metadata = file.metadata().clone();
    metadata.groups[0].keys.pop();
    let tree = metadata.to_tree();
    assert!(tree.get("age").is_none() && tree.get("kms").is_some());
}
