//! Points in time as Go's strict RFC 3339 reads and writes them.

use std::borrow::Cow;

/// `YYYY-MM-DDTHH:MM:SS`
const SECONDS: usize = 19;
/// Go keeps nanoseconds; more digits are cut off.
const MOST_FRACTION: usize = 9;

/// The canonical text: the fraction without trailing zeros, the own offset, `Z` for a zero offset.
pub(super) fn canonical(bytes: &[u8]) -> Option<Cow<'_, [u8]>> {
    let (date, rest) = bytes.split_at_checked(SECONDS)?;
    if !is_date(date) {
        return None;
    }
    let (fraction, offset) = split_fraction(rest)?;
    let offset = match offset {
        b"Z" => offset,
        [b'+' | b'-', h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (number(&[*h1, *h2])?, number(&[*m1, *m2])?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            if hours == 0 && minutes == 0 { b"Z" } else { offset }
        }
        _ => return None,
    };
    let digits = &fraction[..fraction.len().min(MOST_FRACTION)];
    let digits = &digits[..digits.iter().rposition(|digit| *digit != b'0').map_or(0, |at| at + 1)];
    let mut text = date.to_vec();
    if !digits.is_empty() {
        text.push(b'.');
        text.extend_from_slice(digits);
    }
    text.extend_from_slice(offset);
    Some(if text == bytes { Cow::Borrowed(bytes) } else { Cow::Owned(text) })
}

/// The digits of the fraction, if there is one, and what follows. Go takes a comma for the point.
fn split_fraction(rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let [b'.' | b',', digits @ ..] = rest else { return Some((b"", rest)) };
    let length = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (length > 0).then(|| digits.split_at(length))
}

fn is_date(text: &[u8]) -> bool {
    let punctuation = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if punctuation.iter().any(|(at, byte)| text[*at] != *byte) {
        return false;
    }
    let parts = [0..4, 5..7, 8..10, 11..13, 14..16, 17..19].map(|range| number(&text[range]));
    let [Some(year), Some(month), Some(day), Some(hour), Some(minute), Some(second)] = parts else { return false };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 31,
    };
    (1..=12).contains(&month) && (1..=days).contains(&day) && hour < 24 && minute < 60 && second < 60
}

fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + u32::from(byte - b'0')))
}
