//! A complete file that the real `sops` wrote.

use lockage::document::Format;
use lockage::keys::Keyring;
use lockage::secret::SecretString;
use lockage::sops::EncryptedFile;

/// *Source*: the SOPS format, section 15; a throw-away identity.
const IDENTITY: &str = "AGE-SECRET-KEY-1EU5N4USKG3PPC0KZYGWS59EF9F0PUD9DMNZLQX2NED6NGS4476VSTMM3Y0";
const FILE: &str = include_str!("../vectors/golden.enc.yaml");

const PLAIN: &str = r#"# top
str: héllo
int: 42
float: 1.5
bool: true
"null": null
empty: ""
time: 2024-02-03T00:00:00Z
list:
    - a
    - 2
    - k: v
plain_unencrypted: 7 # inline
"#;

#[test]
fn the_golden_file_opens() {
    let mut keyring = Keyring::new();
    keyring.add_age_text(&SecretString::new(IDENTITY.into()), "golden").unwrap();
    let file = EncryptedFile::parse(Format::Yaml, FILE.as_bytes().to_vec()).unwrap();
    assert_eq!(file.metadata().version, "3.13.2");
    let file = file.decrypt(&keyring.into()).unwrap();
    assert_eq!(String::from_utf8_lossy(file.text()), PLAIN);
    assert!(file.stale_comments().is_empty());
}
