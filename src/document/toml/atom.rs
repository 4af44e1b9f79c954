//! Scalars of TOML without quotes: numbers, truth values, dates and times.

use std::borrow::Cow;

use crate::document::scalar::{Kind, canonical, fixed_notation};

/// What a run of characters is: a number, a truth value, or a point in time, which is a text here as in `rops`.
pub(super) fn kind(atom: &[u8]) -> Option<Kind> {
    match atom {
        b"true" | b"false" => Some(Kind::Bool),
        _ if is_time(atom) => Some(Kind::Str),
        _ if integer(atom).is_some() => Some(Kind::Int),
        _ if float(atom).is_some() => Some(Kind::Float),
        _ => None,
    }
}

/// The integer, within 64 bits.
pub(super) fn integer(atom: &[u8]) -> Option<i64> {
    let based = |digits: &[u8], base| {
        let digits = without_underscores(digits, |byte| char::from(byte).is_digit(base))?;
        i64::from_str_radix(&digits, base).ok()
    };
    match atom {
        [b'0', b'x', digits @ ..] => based(digits, 16),
        [b'0', b'o', digits @ ..] => based(digits, 8),
        [b'0', b'b', digits @ ..] => based(digits, 2),
        _ => {
            let (sign, digits) = signed(atom);
            let digits = decimal(digits)?;
            format!("{}{digits}", if sign == b"-" { "-" } else { "" }).parse().ok()
        }
    }
}

/// The number; of one too large to be finite the infinity, as every reader of TOML has it.
pub(super) fn float(atom: &[u8]) -> Option<f64> {
    let (sign, rest) = signed(atom);
    let value = match rest {
        b"inf" => f64::INFINITY,
        b"nan" => f64::NAN,
        _ => {
            let exponent = rest.iter().position(|byte| matches!(byte, b'e' | b'E'));
            let (mantissa, exponent) = rest.split_at(exponent.unwrap_or(rest.len()));
            let point = mantissa.iter().position(|byte| *byte == b'.');
            let (whole, fraction) = mantissa.split_at(point.unwrap_or(mantissa.len()));
            let mut text = decimal(whole)?;
            if let Some(fraction) = fraction.strip_prefix(b".") {
                text.push('.');
                text.push_str(&without_underscores(fraction, |byte| byte.is_ascii_digit())?);
            }
            if !exponent.is_empty() {
                let (sign, digits) = signed(&exponent[1..]);
                text.push('e');
                text.push_str(if sign == b"-" { "-" } else { "" });
                text.push_str(&without_underscores(digits, |byte| byte.is_ascii_digit())?);
            } else if fraction.is_empty() {
                return None;
            }
            text.parse().ok()?
        }
    };
    Some(if sign == b"-" { -value } else { value })
}

fn signed(atom: &[u8]) -> (&[u8], &[u8]) {
    atom.split_at(usize::from(matches!(atom.first(), Some(b'+' | b'-'))))
}

/// Digits without a leading zero.
fn decimal(digits: &[u8]) -> Option<String> {
    let digits = without_underscores(digits, |byte| byte.is_ascii_digit())?;
    (digits.len() == 1 || !digits.starts_with('0')).then_some(digits)
}

/// The digits, with each underscore between two of them taken out.
fn without_underscores(text: &[u8], is_digit: impl Fn(u8) -> bool) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut digit_before = false;
    for &byte in text {
        match byte {
            b'_' if digit_before => digit_before = false,
            byte if is_digit(byte) => {
                digit_before = true;
                out.push(char::from(byte));
            }
            _ => return None,
        }
    }
    digit_before.then_some(out)
}

/// Whether this is a date, a time, or both with or without an offset.
pub(super) fn is_time(atom: &[u8]) -> bool {
    let (date, rest) = match atom.get(..10).filter(|date| is_date(date)) {
        None => return is_clock(atom),
        Some(date) => (date, &atom[10..]),
    };
    debug_assert_eq!(date.len(), 10);
    match rest {
        [] => true,
        [b'T' | b't' | b' ', clock @ ..] => {
            let offset = clock.iter().position(|byte| matches!(byte, b'Z' | b'z' | b'+' | b'-'));
            let (clock, offset) = clock.split_at(offset.unwrap_or(clock.len()));
            let offset = match offset {
                [] | [b'Z' | b'z'] => true,
                [_, hours @ ..] => hours.len() == 5 && is_clock(hours),
            };
            is_clock(clock) && offset
        }
        _ => false,
    }
}

fn number(text: &[u8], digits: usize) -> Option<u32> {
    let plain = text.len() == digits && text.iter().all(u8::is_ascii_digit);
    plain.then(|| text.iter().fold(0, |sum, byte| sum * 10 + u32::from(byte - b'0')))
}

fn is_date(text: &[u8]) -> bool {
    let [y @ .., b'-', m0, m1, b'-', d0, d1] = text else { return false };
    let (Some(year), Some(month), Some(day)) = (number(y, 4), number(&[*m0, *m1], 2), number(&[*d0, *d1], 2)) else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    (1..=days).contains(&day)
}

/// `07:32`, `07:32:00`, `07:32:00.5`.
fn is_clock(text: &[u8]) -> bool {
    let (clock, fraction) = text.split_at(text.len().min(8));
    let within = |digits: &[u8], most| number(digits, 2).is_some_and(|number| number <= most);
    let whole = match clock {
        [h0, h1, b':', m0, m1] => within(&[*h0, *h1], 23) && within(&[*m0, *m1], 59),
        [h0, h1, b':', m0, m1, b':', s0, s1] => {
            within(&[*h0, *h1], 23) && within(&[*m0, *m1], 59) && within(&[*s0, *s1], 60)
        }
        _ => false,
    };
    let fraction = match fraction {
        [] => true,
        [b'.', digits @ ..] => !digits.is_empty() && digits.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    whole && fraction
}

/// The canonical bytes of an atom, and those that a token shall hold so that its spelling comes back.
pub(super) fn bytes(atom: &[u8], kind: Kind) -> Option<(Cow<'_, [u8]>, Cow<'_, [u8]>)> {
    let spelled =
        |text: String| if text.as_bytes() == atom { Cow::Borrowed(atom) } else { Cow::Owned(text.into_bytes()) };
    Some(match kind {
        Kind::Int => {
            let value = integer(atom)?;
            let same = signed(atom).1.iter().all(u8::is_ascii_digit);
            let canonical = spelled(value.to_string());
            let token = if same { Cow::Borrowed(atom) } else { canonical.clone() };
            (canonical, token)
        }
        Kind::Float => {
            let value = float(atom)?;
            let plain = !atom.contains(&b'_') && value.is_finite();
            let canonical = spelled(number_text(value));
            let token = if plain { Cow::Borrowed(atom) } else { canonical.clone() };
            (canonical, token)
        }
        _ => {
            let canonical = canonical(kind, atom)?;
            (canonical.clone(), canonical)
        }
    })
}

/// How a number is hashed: as in `rops`, which takes Rust's word for what is not finite.
pub(super) fn number_text(value: f64) -> String {
    if value.is_infinite() { value.to_string() } else { fixed_notation(value) }
}
