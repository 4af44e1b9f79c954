//! Numbers as Go's `FormatFloat` writes them, with the shortest digits that read back as the same number.

use crate::document::scalar::fixed_notation;

/// The significant digits with their point, and the decimal exponent of the first.
fn scientific(value: f64) -> (String, i32) {
    // Rust's `{:e}` has the same shortest digits: `d.ddde-7`.
    let text = format!("{value:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    (digits.to_owned(), exponent.parse().unwrap_or(0))
}

fn with_exponent(digits: &str, mark: char, exponent: i32, least_digits: usize) -> String {
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}{mark}{sign}{:0least_digits$}", exponent.unsigned_abs())
}

/// `%g` with `e` for `mark`, `%G` with `E`. Go decides shortest digits as if six had been asked for.
pub(in crate::document) fn general(value: f64, mark: char) -> String {
    if !value.is_finite() {
        return fixed_notation(value);
    }
    let (digits, exponent) = scientific(value);
    if (-4..6).contains(&exponent) { fixed_notation(value) } else { with_exponent(&digits, mark, exponent, 2) }
}

/// As Go's `encoding/json`: fixed within 1e-6 and 1e21, else with an exponent without padding.
pub(super) fn json(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 || (1e-6..1e21).contains(&size) {
        return fixed_notation(value);
    }
    let (digits, exponent) = scientific(value);
    with_exponent(&digits, 'e', exponent, 1)
}
