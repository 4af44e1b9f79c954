//! Record data in presentation form, and record sets as the wire has them.
//!
//! One spelling for each value: names absolute, lower case, without the last dot; texts in quotes.

use std::net::{Ipv4Addr, Ipv6Addr};

use hickory_proto::rr::rdata::{CNAME, MX, NS, PTR, SRV, TXT};
use hickory_proto::rr::{Name, RData, RecordType};

/// The types that can be written.
pub(super) const TYPES: &[&str] = &["A", "AAAA", "CAA", "CNAME", "MX", "NS", "PTR", "SRV", "TXT"];

/// A record set of the wire: equal sets are equal values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Records {
    pub(super) ttl: u32,
    /// Sorted by presentation form, no two equal.
    pub(super) data: Vec<RData>,
}

/// Why a text is no record data.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no data of a `{kind}` record")]
pub(super) struct RecordError {
    text: String,
    kind: String,
}

impl Records {
    /// Brings the data into order.
    pub(super) fn new(ttl: u32, mut data: Vec<RData>) -> Self {
        data.sort_by_key(show);
        data.dedup_by_key(|one| show(one));
        Self { ttl, data }
    }

    /// Every record's presentation form.
    pub(super) fn texts(&self) -> Vec<String> {
        self.data.iter().map(show).collect()
    }

    /// Whether both hold the same values, each in its one spelling, and live as long.
    pub(super) fn same(&self, other: &Self) -> bool {
        self.ttl == other.ttl && self.texts() == other.texts()
    }
}

/// The type of that name, if it is one that can be written.
pub(super) fn record_type(name: &str) -> Option<RecordType> {
    TYPES.contains(&name).then(|| name.parse().ok()).flatten()
}

/// An absolute name.
pub(in crate::platforms) fn absolute(text: &str) -> Option<Name> {
    let mut name = Name::from_ascii(text.trim_end_matches('.')).ok()?;
    name.set_fqdn(true);
    (!name.is_root()).then(|| name.to_lowercase())
}

/// A name without its last dot.
pub(super) fn show_name(name: &Name) -> String {
    name.to_lowercase().to_ascii().trim_end_matches('.').to_owned()
}

/// Reads data in presentation form.
///
/// *Source*: RFC 1035 section 5.1, RFC 2782, RFC 8659.
pub(super) fn parse(kind: RecordType, text: &str) -> Result<RData, RecordError> {
    let data = match kind {
        RecordType::A => text.parse::<Ipv4Addr>().ok().map(|address| RData::A(address.into())),
        RecordType::AAAA => text.parse::<Ipv6Addr>().ok().map(|address| RData::AAAA(address.into())),
        RecordType::CNAME => absolute(text).map(|name| RData::CNAME(CNAME(name))),
        RecordType::NS => absolute(text).map(|name| RData::NS(NS(name))),
        RecordType::PTR => absolute(text).map(|name| RData::PTR(PTR(name))),
        RecordType::MX => mail(text),
        RecordType::SRV => service(text),
        RecordType::TXT => {
            strings(text).map(|parts| RData::TXT(TXT::from_bytes(parts.iter().map(Vec::as_slice).collect())))
        }
        RecordType::CAA => RData::try_from_str(kind, text).ok(),
        _ => None,
    };
    data.ok_or_else(|| RecordError { text: text.to_owned(), kind: kind.to_string() })
}

/// Writes data in its one spelling.
pub(super) fn show(data: &RData) -> String {
    match data {
        RData::CNAME(CNAME(name)) | RData::NS(NS(name)) | RData::PTR(PTR(name)) => show_name(name),
        RData::MX(mx) => format!("{} {}", mx.preference, show_name(&mx.exchange)),
        RData::SRV(srv) => format!("{} {} {} {}", srv.priority, srv.weight, srv.port, show_name(&srv.target)),
        RData::TXT(txt) => {
            let parts: Vec<_> = txt.txt_data.iter().map(|part| quote(part)).collect();
            parts.join(" ")
        }
        RData::CAA(caa) => {
            let flags = u8::from(caa.issuer_critical) << 7 | caa.reserved_flags;
            format!("{flags} {} {}", caa.tag.to_ascii_lowercase(), quote(&caa.value))
        }
        other => other.to_string(),
    }
}

fn mail(text: &str) -> Option<RData> {
    let (preference, name) = text.split_once(' ')?;
    Some(RData::MX(MX::new(preference.parse().ok()?, absolute(name.trim())?)))
}

fn service(text: &str) -> Option<RData> {
    let parts: Vec<_> = text.split_whitespace().collect();
    let [priority, weight, port, target] = parts.as_slice() else { return None };
    let (priority, weight, port) = (priority.parse().ok()?, weight.parse().ok()?, port.parse().ok()?);
    Some(RData::SRV(SRV::new(priority, weight, port, absolute(target)?)))
}

/// Character strings, in quotes or one without; none longer than the 255 bytes the wire has room for.
fn strings(text: &str) -> Option<Vec<Vec<u8>>> {
    let text = text.trim();
    if !text.starts_with('"') {
        return (!text.is_empty() && !text.contains('"') && text.len() <= 255).then(|| vec![text.as_bytes().to_vec()]);
    }
    let mut parts = Vec::new();
    let mut bytes = text.bytes().peekable();
    loop {
        while bytes.next_if_eq(&b' ').is_some() {}
        match bytes.next() {
            None => return Some(parts),
            Some(b'"') => {}
            Some(_) => return None,
        }
        let mut part = Vec::new();
        loop {
            match bytes.next()? {
                b'"' => break,
                b'\\' => part.push(escaped(&mut bytes)?),
                byte => part.push(byte),
            }
        }
        if part.len() > 255 {
            return None;
        }
        parts.push(part);
    }
}

/// What follows a backslash: three decimal digits, or any byte as itself.
fn escaped(bytes: &mut impl Iterator<Item = u8>) -> Option<u8> {
    let first = bytes.next()?;
    if !first.is_ascii_digit() {
        return Some(first);
    }
    let mut code = u32::from(first - b'0');
    for _ in 0..2 {
        let digit = bytes.next().filter(u8::is_ascii_digit)?;
        code = code * 10 + u32::from(digit - b'0');
    }
    u8::try_from(code).ok()
}

fn quote(part: &[u8]) -> String {
    let mut text = String::from("\"");
    for &byte in part {
        match byte {
            b'"' | b'\\' => text.extend(['\\', char::from(byte)]),
            b' '..=b'~' => text.push(char::from(byte)),
            _ => text.push_str(&format!("\\{byte:03}")),
        }
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling_for_each_value() {
        for (kind, given, shown) in [
            ("A", "192.0.2.1", "192.0.2.1"),
            ("AAAA", "2001:DB8:0::1", "2001:db8::1"),
            ("CNAME", "Api.Example.ORG.", "api.example.org"),
            ("MX", "10  Mail.example.org", "10 mail.example.org"),
            ("SRV", "1 2 443 a.b.", "1 2 443 a.b"),
            ("TXT", "v=spf1 -all", "\"v=spf1 -all\""),
            ("TXT", "\"a\\\"b\" \"\\007\"", "\"a\\\"b\" \"\\007\""),
            ("CAA", "0 issue \"letsencrypt.org\"", "0 issue \"letsencrypt.org\""),
            ("CAA", "128 iodef \"mailto:x@example.org\"", "128 iodef \"mailto:x@example.org\""),
        ] {
            let kind = record_type(kind).unwrap();
            let data = parse(kind, given).unwrap();
            assert_eq!(show(&data), shown);
            assert_eq!(show(&parse(kind, shown).unwrap()), shown, "its own spelling reads back");
        }
    }

    #[test]
    fn what_is_no_data_is_refused() {
        for (kind, given) in [
            ("A", "192.0.2"),
            ("CNAME", "."),
            ("CNAME", ""),
            ("MX", "mail.example.org"),
            ("SRV", "1 2 3"),
            ("TXT", "\"open"),
            ("TXT", "\"a\"b"),
            ("CAA", "nonsense"),
        ] {
            assert!(parse(record_type(kind).unwrap(), given).is_err(), "{kind} {given}");
        }
        assert_eq!((record_type("SOA"), record_type("cname")), (None, None));
    }

    proptest::proptest! {
        #[test]
        fn texts_read_back(parts in proptest::collection::vec(proptest::collection::vec(proptest::prelude::any::<u8>(), 0..256), 1..4)) {
            let data = RData::TXT(TXT::from_bytes(parts.iter().map(Vec::as_slice).collect()));
            proptest::prop_assert_eq!(parse(RecordType::TXT, &show(&data)), Ok(data));
        }
    }
}
