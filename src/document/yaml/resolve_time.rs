//! Points in time as go-yaml v3 spells them.

/// The time that `text` spells, in strict RFC 3339: `2024-1-2`, `2024-01-02 03:04:05.5`, `2024-1-2t3:4:5+01:60`.
pub(super) fn rfc3339(text: &[u8]) -> Option<String> {
    if text.len() < 8 || text.get(4) != Some(&b'-') {
        return None;
    }
    let mut reader = Reader { rest: text };
    let year = reader.digits(4)?;
    reader.literal(b'-')?;
    let month = reader.one_or_two()?;
    reader.literal(b'-')?;
    let day = reader.one_or_two()?;
    let mut time = format!("{year:04}-{month:02}-{day:02}T");
    let zone = match reader.rest {
        b"" => {
            time.push_str("00:00:00Z");
            return valid(time);
        }
        [b'T' | b't', rest @ ..] => {
            reader.rest = rest;
            true
        }
        [b' ', rest @ ..] => {
            let blanks = rest.iter().take_while(|byte| **byte == b' ').count();
            reader.rest = &rest[blanks..];
            false
        }
        _ => return None,
    };
    let hour = reader.one_or_two()?;
    reader.literal(b':')?;
    let minute = reader.one_or_two()?;
    reader.literal(b':')?;
    let second = reader.one_or_two()?;
    time.push_str(&format!("{hour:02}:{minute:02}:{second:02}"));
    reader.fraction(&mut time);
    time.push_str(&if zone { reader.offset()? } else { "Z".to_owned() });
    if reader.rest.is_empty() { valid(time) } else { None }
}

/// Whether date and time of day exist; the offset may still be one that cannot be written.
fn valid(time: String) -> Option<String> {
    let local = format!("{}Z", time.get(..19)?);
    crate::document::scalar::canonical(crate::document::Kind::Time, local.as_bytes()).is_some().then_some(time)
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    fn literal(&mut self, byte: u8) -> Option<()> {
        self.rest = self.rest.strip_prefix(&[byte])?;
        Some(())
    }

    fn digits(&mut self, count: usize) -> Option<u32> {
        let (digits, rest) = self.rest.split_at_checked(count)?;
        let value = digits.iter().try_fold(0, |sum, byte| Some(sum * 10 + (*byte as char).to_digit(10)?))?;
        self.rest = rest;
        Some(value)
    }

    fn one_or_two(&mut self) -> Option<u32> {
        self.digits(2).or_else(|| self.digits(1))
    }

    /// Appends the fraction of a second, if there is one; Go takes a comma for the point.
    fn fraction(&mut self, time: &mut String) {
        let [b'.' | b',', digits @ ..] = self.rest else { return };
        let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if count == 0 {
            return;
        }
        time.push('.');
        time.extend(digits[..count].iter().map(|byte| *byte as char));
        self.rest = &digits[count..];
    }

    /// `Z`, or hours up to 24 and minutes up to 60.
    fn offset(&mut self) -> Option<String> {
        if self.literal(b'Z').is_some() {
            return Some("Z".to_owned());
        }
        let sign = match self.rest.first()? {
            b'+' => '+',
            b'-' => '-',
            _ => return None,
        };
        self.rest = &self.rest[1..];
        let hours = self.digits(2)?;
        self.literal(b':')?;
        let minutes = self.digits(2)?;
        if hours > 24 || minutes > 60 {
            return None;
        }
        let minutes = hours * 60 + minutes;
        Some(format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60))
    }
}
