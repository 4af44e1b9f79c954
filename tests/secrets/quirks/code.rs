//! Quirks of the authentication code.

use lockage::document::Format;
use lockage::sops::SopsError;

use super::yaml;
use crate::support::{Sops, decrypt};

#[track_caller]
fn both_open(file: &str) {
    decrypt(Format::Yaml, file.as_bytes()).unwrap();
    if let Some(sops) = Sops::find() {
        sops.decrypt(Format::Yaml, file.as_bytes()).unwrap();
    }
}

#[track_caller]
fn both_distrust(file: &str) -> SopsError {
    let error = decrypt(Format::Yaml, file.as_bytes()).unwrap_err();
    assert_eq!(error.sops_exit_code(false), 51, "{error:?}");
    if let Some(sops) = Sops::find() {
        assert_eq!(sops.decrypt(Format::Yaml, file.as_bytes()).unwrap_err().0, 51);
    }
    error
}

/// 10. The time is the code's associated data, in canonical spelling.
#[test]
fn the_time_is_bound_to_the_code() {
    let file = yaml("a: one\n");
    let stamp = "2026-11-21T12:00:00Z";
    assert!(file.contains(stamp));
    assert!(matches!(both_distrust(&file.replace(stamp, "2026-11-21T12:00:01Z")), SopsError::MacUnreadable { .. }));
    both_open(&file.replace(stamp, "2026-11-21T12:00:00+00:00"));
    // The same moment in another place is another text.
    both_distrust(&file.replace(stamp, "2026-11-21T13:00:00+01:00"));
}

/// 11. Without separators neighbours in clear can trade letters. We follow: the code is the format's.
#[test]
fn neighbours_in_clear_can_trade_letters() {
    let file = yaml("a_unencrypted: xy\nb_unencrypted: z\nc: one\n");
    let traded = file.replace("a_unencrypted: xy", "a_unencrypted: x").replace("b_unencrypted: z", "b_unencrypted: yz");
    assert_ne!(file, traded);
    both_open(&traded);
    both_distrust(&file.replace("a_unencrypted: xy", "a_unencrypted: yx"));
}

/// 12. The two kinds of codes never agree, even where they cover the same values.
#[test]
fn the_two_kinds_of_codes_differ() {
    let file = yaml("a: one\n");
    let flipped = file.replace("    unencrypted_suffix", "    mac_only_encrypted: true\n    unencrypted_suffix");
    assert_ne!(file, flipped);
    assert!(matches!(both_distrust(&flipped), SopsError::MacMismatch));
}
