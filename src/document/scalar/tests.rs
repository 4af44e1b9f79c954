use super::{Kind, canonical};

fn text(kind: Kind, source: &str) -> Option<String> {
    canonical(kind, source.as_bytes()).map(|bytes| String::from_utf8(bytes.into_owned()).unwrap())
}

#[test]
fn floats_are_go_s() {
    // Observed with Go's ParseFloat and FormatFloat 'f', -1.
    let tiny = format!("0.{}5", "0".repeat(323));
    let cases = [
        ("1.0", Some("1")),
        ("1e3", Some("1000")),
        ("1e21", Some("1000000000000000000000")),
        ("1.5e-10", Some("0.00000000015")),
        ("-0.0", Some("-0")),
        ("1.50", Some("1.5")),
        (".5", Some("0.5")),
        ("1.", Some("1")),
        ("+.5e3", Some("500")),
        ("12345678901234567890", Some("12345678901234567000")),
        ("inf", Some("+Inf")),
        ("-Infinity", Some("-Inf")),
        ("nan", Some("NaN")),
        ("+nan", None),
        ("-NaN", None),
        ("infin", None),
        ("1e400", None),
        ("1e-400", Some("0")),
        (".", None),
        (" 1", None),
        ("1e", None),
        ("1e+", None),
        ("", None),
        ("-", None),
        ("--1", None),
        ("+-1", None),
        ("00012", Some("12")),
        ("1_23.5", Some("123.5")),
        ("1__0", None),
        ("_1", None),
        ("1_", None),
        ("1_.5", None),
        ("0x10", None),
        ("0x1.8", None),
        ("0x1p-2", Some("0.25")),
        ("0x1_0p4", Some("256")),
        ("0x_1p1", Some("2")),
        ("0X.8P1", Some("1")),
        ("-0x.8p1", Some("-1")),
        ("0x1.00000000000008p0", Some("1")),
        ("0x1.000000000000081p0", Some("1.0000000000000002")),
        ("0x1p1024", None),
        ("0x1p1023", Some(&format!("{}", 2_f64.powi(1023)))),
        ("0x1p-1074", Some(&tiny)),
        ("0x1p-1075", Some("0")),
        ("0x1.8p-1075", Some(&tiny)),
        ("0x1p-99999999999999999999", Some("0")),
        ("0x1p99999999999999999999", None),
        ("0xp1", None),
        ("0x1p", None),
        ("0b1", None),
    ];
    for (source, wanted) in cases {
        assert_eq!(text(Kind::Float, source).as_deref(), wanted, "{source}");
    }
}

#[test]
fn integers_are_decimal_within_64_bits() {
    let cases = [
        ("5", Some("5")),
        ("+5", Some("5")),
        ("-0", Some("0")),
        ("010", Some("10")),
        ("9223372036854775807", Some("9223372036854775807")),
        ("9223372036854775808", None),
        ("-9223372036854775808", Some("-9223372036854775808")),
        ("1_0", None),
        ("--1", None),
        ("+", None),
        ("", None),
        (" 1", None),
        ("0x1", None),
    ];
    for (source, wanted) in cases {
        assert_eq!(text(Kind::Int, source).as_deref(), wanted, "{source}");
    }
}

#[test]
fn booleans_have_twelve_spellings() {
    for word in ["1", "t", "T", "TRUE", "true", "True"] {
        assert_eq!(text(Kind::Bool, word).as_deref(), Some("True"));
    }
    for word in ["0", "f", "F", "FALSE", "false", "False"] {
        assert_eq!(text(Kind::Bool, word).as_deref(), Some("False"));
    }
    for word in ["", "yes", "tRUE", "on"] {
        assert_eq!(text(Kind::Bool, word), None);
    }
}

#[test]
fn times_are_strict_rfc_3339() {
    let cases = [
        ("2024-01-01T00:00:00Z", Some("2024-01-01T00:00:00Z")),
        ("2006-01-02T15:04:05+07:06", Some("2006-01-02T15:04:05+07:06")),
        ("2024-01-01T00:00:00.1200+00:00", Some("2024-01-01T00:00:00.12Z")),
        ("2024-01-01T00:00:00.123456789123-07:06", Some("2024-01-01T00:00:00.123456789-07:06")),
        ("2024-01-01T00:00:00-00:00", Some("2024-01-01T00:00:00Z")),
        ("2024-01-01T00:00:00.000Z", Some("2024-01-01T00:00:00Z")),
        ("2024-01-01T00:00:00,5Z", Some("2024-01-01T00:00:00.5Z")),
        ("2000-02-29T00:00:00Z", Some("2000-02-29T00:00:00Z")),
        ("1900-02-29T00:00:00Z", None),
        ("2024-02-30T00:00:00Z", None),
        ("2024-01-01T24:00:00Z", None),
        ("2024-01-01T00:00:60Z", None),
        ("2024-01-01t00:00:00Z", None),
        ("2024-01-01T00:00:00z", None),
        ("2024-01-01T00:00:00.Z", None),
        ("2024-01-01T00:00:00+24:00", None),
        ("2024-01-01T00:00:00+23:60", None),
        ("2024-01-01T00:00:00+0100", None),
        ("2024-01-01T00:00:00", None),
        ("2024-01-01", None),
        ("", None),
    ];
    for (source, wanted) in cases {
        assert_eq!(text(Kind::Time, source).as_deref(), wanted, "{source}");
    }
}

#[test]
fn text_is_itself_and_null_is_nothing() {
    assert_eq!(canonical(Kind::Str, b"\xff 1.0").as_deref(), Some(&b"\xff 1.0"[..]));
    assert_eq!(canonical(Kind::Null, b"~").as_deref(), Some(&b""[..]));
}
