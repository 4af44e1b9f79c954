//! Numbers as Go reads and writes them.

/// The integer that Go's `Atoi` reads: an optional sign and decimal digits, within 64 bits.
#[must_use]
pub fn parse_int(bytes: &[u8]) -> Option<i64> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

/// The number that Go's `ParseFloat` reads; `None` also for what is too large to be finite.
///
/// Beyond the decimal forms these are `inf`, `infinity` and an unsigned `nan` in any case, underscores between digits,
/// and hexadecimal mantissas with a `p` exponent.
#[must_use]
pub fn parse_float(bytes: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (negative, unsigned) = match bytes.first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if unsigned.eq_ignore_ascii_case("inf") || unsigned.eq_ignore_ascii_case("infinity") {
        return Some(if negative { f64::NEG_INFINITY } else { f64::INFINITY });
    }
    if text.eq_ignore_ascii_case("nan") {
        return Some(f64::NAN);
    }
    let spelled;
    let mut plain = unsigned;
    if unsigned.contains('_') {
        if !underscores_between_digits(unsigned.as_bytes()) {
            return None;
        }
        spelled = unsigned.replace('_', "");
        plain = &spelled;
    }
    let value = match plain.as_bytes() {
        [b'0', b'x' | b'X', rest @ ..] => hexadecimal(rest)?,
        [b'0'..=b'9' | b'.', ..] => plain.parse().ok()?,
        _ => return None,
    };
    value.is_finite().then_some(if negative { -value } else { value })
}

/// Shortest digits that read back as the same number, never with an exponent, never with a forced `.0`.
///
/// *Source*: Go's `FormatFloat(value, 'f', -1, 64)`.
#[must_use]
pub fn fixed_notation(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned()
    } else {
        value.to_string()
    }
}

/// Go's rule: each underscore stands between two digits, or between the base prefix and a digit.
fn underscores_between_digits(text: &[u8]) -> bool {
    let (hex, rest) = match text {
        [b'0', b'x' | b'X', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    let mut before = if hex { b'0' } else { b'^' };
    for &byte in rest {
        let digit = byte.is_ascii_digit() || hex && byte.is_ascii_hexdigit();
        match (byte, before) {
            _ if digit => before = b'0',
            (b'_', b'0') => before = b'_',
            (b'_', _) | (_, b'_') => return false,
            _ => before = b'!',
        }
    }
    before != b'_'
}

/// Reads what follows `0x`: hexadecimal digits with at most one point, then a decimal `p` exponent.
fn hexadecimal(text: &[u8]) -> Option<f64> {
    let at = text.iter().position(|byte| matches!(byte, b'p' | b'P'))?;
    let exponent: i64 = match std::str::from_utf8(&text[at + 1..]).ok()? {
        "" | "+" | "-" => return None,
        digits => clamped(digits)?,
    };
    let (mut mantissa, mut sticky, mut scale, mut point, mut digits) = (0_u64, false, 0_i64, false, 0_usize);
    for &byte in &text[..at] {
        if byte == b'.' && !point {
            point = true;
            continue;
        }
        let digit = char::from(byte).to_digit(16)?;
        digits += 1;
        if mantissa >> 60 == 0 {
            mantissa = mantissa << 4 | u64::from(digit);
            scale -= if point { 4 } else { 0 };
        } else {
            sticky |= digit != 0;
            scale += if point { 0 } else { 4 };
        }
    }
    if digits == 0 {
        return None;
    }
    Some(rounded(mantissa, sticky, exponent.saturating_add(scale)))
}

/// A decimal exponent; one too long for 64 bits saturates, because it is far out of range anyway.
fn clamped(digits: &str) -> Option<i64> {
    let unsigned = digits.strip_prefix(['+', '-']).unwrap_or(digits);
    if unsigned.is_empty() || !unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let value = unsigned.parse().unwrap_or(i64::MAX).min(1 << 40);
    Some(if digits.starts_with('-') { -value } else { value })
}

/// `mantissa * 2^exponent`, rounded once to the nearest, ties to even, as IEEE 754 demands also below the normal range.
fn rounded(mantissa: u64, sticky: bool, exponent: i64) -> f64 {
    if mantissa == 0 {
        return 0.0;
    }
    let shift = i64::from(mantissa.leading_zeros());
    let (mantissa, exponent) = (mantissa << shift, exponent - shift);
    if exponent > 960 {
        return f64::INFINITY;
    }
    // 53 bits of 64 stay; below 2^-1074 nothing stays.
    let drop = 11.max(-1074 - exponent);
    if drop > 64 {
        return 0.0;
    }
    let (kept, rest, half) = if drop == 64 {
        (0, mantissa, 1 << 63)
    } else {
        (mantissa >> drop, mantissa & ((1 << drop) - 1), 1_u64 << (drop - 1))
    };
    let up = rest > half || rest == half && (sticky || kept & 1 == 1);
    let kept = kept + u64::from(up);
    // `kept` has at most 54 bits, the last one zero, so it is exact; so is each power, and so is their product.
    #[expect(clippy::cast_precision_loss, reason = "at most 53 significant bits")]
    let value = kept as f64;
    let mut power = exponent + drop;
    let mut value = value;
    while power > 0 {
        let step = power.min(1000);
        value *= exact_power(step);
        power -= step;
    }
    while power < 0 {
        let step = power.max(-1000);
        value *= exact_power(step);
        power -= step;
    }
    value
}

/// `2^exponent` for exponents within the normal range.
fn exact_power(exponent: i64) -> f64 {
    f64::from_bits(u64::try_from(exponent + 1023).unwrap_or(0) << 52)
}
