//! Any name server that takes updates as RFC 2136 describes, signed with TSIG (RFC 8945): BIND, Knot, PowerDNS.
//!
//! The answer NOERROR proves nothing: servers give it, and change nothing, for a CNAME beside other records, a CNAME at
//! the zone's apex, or anything beside a CNAME. So every authoritative server is asked again after each update.

mod servers;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use hickory_proto::op::ResponseCode;
use hickory_proto::rr::rdata::tsig::TsigError;
use hickory_proto::rr::{Name, RecordType};

use self::servers::Servers;
use super::RECORDS;
use super::exchange::{self, ExchangeError, Server, answers, authoritative};
use super::record::{Records, absolute, parse, record_type, show_name};
use super::tsig::{Distrust, Key, tsig_error};
use super::update::{meaning, replace};
use crate::promote::{
    Act, Change, Check, Client, Connection, Credential, Descriptor, Observed, PlatformError, PlatformFault, Query,
    Reader, Receipt, RecordSet, Resource, Settled, Shape, Source, State, Value, Verdict, Watermark, Word, Writer,
};

const KEY: &str = "tsig-key";
const VARIABLE: &str = "LOCKAGE_TSIG_KEY";

/// Types looked for when a server takes an update and does nothing.
const NEIGHBOURS: [RecordType; 6] =
    [RecordType::CNAME, RecordType::A, RecordType::AAAA, RecordType::TXT, RecordType::MX, RecordType::NS];

/// RFC 2136.
pub static RFC2136: Descriptor = Descriptor {
    name: "rfc2136",
    about: "a zone on a name server that takes signed updates (BIND, Knot, PowerDNS)",
    docs: "https://www.rfc-editor.org/rfc/rfc2136",
    address: Shape::Record(&[
        ("zone", Shape::Text, true),
        ("servers", Shape::List(&Shape::Text), false),
        ("key", Shape::Text, false),
        ("algorithm", Shape::OneOf(&["hmac-sha256", "hmac-sha512"]), false),
    ]),
    options: &[Word::plain("login", "how to log in", Shape::OneOf(&["key"]))],
    credentials: &[Credential {
        key: KEY,
        label: "TSIG key, `algorithm:name:base64` as `nsupdate -y` takes it, or the base64 alone",
        secret: true,
        variable: VARIABLE,
        optional: false,
    }],
    applies: &[RECORDS],
    delivers: &[],
    checks: &[],
    facts: &[],
    verbs: &[],
    interval: Duration::from_secs(2),
    timeout: Duration::from_secs(600),
    host: None,
    client: Some(Client {
        reader: |connection| Ok(Arc::new(Zone::connect(connection)?)),
        writer: |connection| Ok(Arc::new(WritableZone::connect(connection)?)),
    }),
};

/// One zone, as a client that can only ask sees it.
struct Zone {
    target: String,
    name: Name,
    servers: Servers,
    interval: Duration,
}

/// The same with a key.
struct WritableZone {
    zone: Zone,
    key: Key,
    /// Where the key was found, in words.
    origin: String,
    clock: fn() -> jiff::Timestamp,
}

/// One record set's place.
struct Place {
    name: Name,
    kind: RecordType,
}

impl Zone {
    fn connect(connection: &Connection) -> Result<Self, PlatformError> {
        let target = &connection.target;
        let bad = |what: String| PlatformError::new(&target.name, "connect", PlatformFault::Misconfigured { what });
        let zone = target.address.get("zone").and_then(|zone| zone.as_str()).unwrap_or(target.address_text());
        let name = absolute(zone).ok_or_else(|| bad(format!("`{zone}` is no zone ({})", target.declared)))?;
        let listed = target.address.get("servers").and_then(|list| list.as_array()).cloned().unwrap_or_default();
        let mut servers: Vec<String> = listed.iter().filter_map(|server| server.as_str()).map(str::to_owned).collect();
        if !connection.endpoints.is_empty() {
            servers.clone_from(&connection.endpoints);
        }
        let servers = Servers::new(servers);
        Ok(Self { target: target.name.clone(), name, servers, interval: connection.interval })
    }

    fn failed(&self, action: &str, error: &ExchangeError) -> PlatformError {
        let fault = match error {
            ExchangeError::Code { code, .. } => {
                let (word, _) = meaning(ResponseCode::from(0, u8::try_from(*code).unwrap_or(u8::MAX)));
                PlatformFault::Refused { status: *code, code: Some(word.to_owned()), request_id: None }
            }
            ExchangeError::NotAuthoritative { .. } => PlatformFault::Misconfigured { what: error.to_string() },
            _ => PlatformFault::Unreachable { why: error.to_string() },
        };
        PlatformError::new(&self.target, format!("{action} of {}", show_name(&self.name)), fault)
    }

    fn misconfigured(&self, what: impl Into<String>) -> PlatformError {
        PlatformError::new(&self.target, "understand the change", PlatformFault::Misconfigured { what: what.into() })
    }

    async fn all_servers(&self) -> Result<&[Server], PlatformError> {
        let found = self.servers.all(&self.name).await;
        found.map_err(|error| self.failed("find the name servers", &error))
    }

    /// The server that takes updates.
    async fn primary(&self) -> Result<&Server, PlatformError> {
        let all = self.all_servers().await?;
        all.first().ok_or_else(|| self.misconfigured("no name server is known: list them as `servers:`"))
    }

    fn place(&self, resource: &Resource) -> Result<Place, PlatformError> {
        let (name, kind) = resource
            .name
            .rsplit_once('/')
            .ok_or_else(|| self.misconfigured(format!("`{}` is not `name/TYPE`", resource.name)))?;
        let kind =
            record_type(kind).ok_or_else(|| self.misconfigured(format!("`{kind}` records cannot be written")))?;
        let zone = &self.name;
        let name = match name {
            "@" | "" => Some(zone.clone()),
            whole if absolute(whole).is_some_and(|name| zone.zone_of(&name)) => absolute(whole),
            part => absolute(&format!("{part}.{}", zone.to_ascii())),
        };
        let name = name.ok_or_else(|| self.misconfigured(format!("`{}` is no domain name", resource.name)))?;
        if name == *zone && kind == RecordType::CNAME {
            return Err(self.misconfigured("a CNAME cannot stand at the zone's own name (RFC 1034, 3.6.2)"));
        }
        if name == *zone && kind == RecordType::NS {
            return Err(self.misconfigured("the zone's own name servers are not changed by a promotion"));
        }
        Ok(Place { name, kind })
    }

    fn records(&self, place: &Place, state: &State) -> Result<Option<Records>, PlatformError> {
        let set = match state {
            State::Absent => return Ok(None),
            State::Records(set) => set,
            _ => return Err(self.misconfigured("a record set is a lifetime and data")),
        };
        let one = |value: &Value| match value {
            Value::Text(text) => parse(place.kind, text).map_err(|error| self.misconfigured(error.to_string())),
            _ => Err(self.misconfigured(format!("the data of `{}` is not at hand", show_name(&place.name)))),
        };
        let data = set.data.iter().map(one).collect::<Result<Vec<_>, _>>()?;
        if data.is_empty() {
            return Ok(None);
        }
        Ok(Some(Records::new(set.ttl, data)))
    }

    /// The set as one server has it.
    async fn ask(&self, server: &Server, place: &Place) -> Result<Option<Records>, ExchangeError> {
        let message = authoritative(server, &place.name, place.kind).await?;
        let found: Vec<_> = answers(&message, &place.name, place.kind).collect();
        let Some(ttl) = found.iter().map(|(ttl, _)| *ttl).min() else { return Ok(None) };
        Ok(Some(Records::new(ttl, found.into_iter().map(|(_, data)| data.clone()).collect())))
    }

    async fn serial(&self) -> Result<u32, PlatformError> {
        let primary = self.primary().await?;
        let message = authoritative(primary, &self.name, RecordType::SOA).await;
        let message = message.map_err(|error| self.failed("read the serial", &error))?;
        let serial = answers(&message, &self.name, RecordType::SOA).find_map(|(_, data)| match data {
            hickory_proto::rr::RData::SOA(soa) => Some(soa.serial),
            _ => None,
        });
        serial.ok_or_else(|| self.misconfigured(format!("`{}` is no zone of {}", show_name(&self.name), primary.name)))
    }

    /// What a change came to: the zone's serial and the record set's data, facts filled in.
    async fn receipt(&self, change: &Change) -> Result<Receipt, PlatformError> {
        let serial = self.serial().await?.to_string();
        let mut notes = BTreeMap::from([("serial".to_owned(), serial)]);
        if let State::Records(set) = &change.after {
            let texts = set
                .data
                .iter()
                .filter_map(|value| if let Value::Text(text) = value { Some(text.as_str()) } else { None });
            notes.insert("data".to_owned(), texts.collect::<Vec<_>>().join(", "));
        }
        Ok(Receipt { id: String::new(), notes })
    }

    /// Why a server may have said NOERROR and done nothing.
    async fn conflict(&self, server: &Server, place: &Place) -> String {
        for kind in NEIGHBOURS.into_iter().filter(|kind| *kind != place.kind) {
            let beside = kind == RecordType::CNAME || place.kind == RecordType::CNAME;
            let there = Place { name: place.name.clone(), kind };
            if beside && matches!(self.ask(server, &there).await, Ok(Some(_))) {
                return format!("a CNAME stands alone, and there are {kind} records at this name (RFC 1034, 3.6.2)");
            }
        }
        "the server's log says why".to_owned()
    }

    /// Whether every authoritative server has it.
    async fn everywhere(&self, change: &Change) -> Result<Settled, PlatformError> {
        let place = self.place(&change.resource)?;
        let wanted = self.records(&place, &change.after)?;
        let what = format!("{} {}", show_name(&place.name), place.kind);
        for (at, server) in self.all_servers().await?.iter().enumerate() {
            let live = match self.ask(server, &place).await {
                Ok(live) => live,
                Err(error) if at == 0 => return Err(self.failed("read the record set", &error)),
                Err(error) => return Ok(Settled::Waiting(error.to_string())),
            };
            if same(live.as_ref(), wanted.as_ref()) {
                continue;
            }
            // The first one took the update; what it has now it will still have later.
            if at == 0 {
                let why = self.conflict(server, &place).await;
                return Ok(Settled::Failed(format!(
                    "`{}` took the update of `{what}` and changed nothing: {why}",
                    server.name
                )));
            }
            return Ok(Settled::Waiting(format!("`{}` to have the new `{what}`", server.name)));
        }
        self.receipt(change).await.map(Settled::Done)
    }
}

#[async_trait]
impl Reader for Zone {
    async fn observe(&self, query: Query<'_>) -> Result<Observed, PlatformError> {
        let place = self.place(query.resource)?;
        let primary = self.primary().await?;
        let live = self.ask(primary, &place).await.map_err(|error| self.failed("read the record set", &error))?;
        let wanted = self.records(&place, query.wanted).ok().flatten();
        let state = match live {
            None => State::Absent,
            // Equal data in the wanted one's spelling, so that equal states are equal texts.
            Some(live) => match (query.wanted, wanted) {
                (State::Records(set), Some(wanted)) if wanted.texts() == live.texts() => {
                    State::Records(RecordSet { ttl: live.ttl, data: set.data.clone() })
                }
                _ => {
                    let data = live.texts().into_iter().map(Value::Text).collect();
                    State::Records(RecordSet { ttl: live.ttl, data })
                }
            },
        };
        Ok(Observed { state, version: None, restores: Vec::new() })
    }

    async fn watermark(&self, _act: &Act) -> Result<Watermark, PlatformError> {
        Ok(Watermark(self.serial().await?.to_string()))
    }

    async fn adopt(
        &self,
        act: &Act,
        _since: &Watermark,
        _source: &dyn Source,
    ) -> Result<Option<Receipt>, PlatformError> {
        let change = self.change(act)?;
        let place = self.place(&change.resource)?;
        let wanted = self.records(&place, &change.after)?;
        let primary = self.primary().await?;
        let live = self.ask(primary, &place).await.map_err(|error| self.failed("read the record set", &error))?;
        if same(live.as_ref(), wanted.as_ref()) { self.receipt(change).await.map(Some) } else { Ok(None) }
    }

    async fn settled(&self, act: &Act, _receipt: &Receipt, _source: &dyn Source) -> Result<Settled, PlatformError> {
        self.everywhere(self.change(act)?).await
    }

    async fn fact(&self, fact: &str) -> Result<Option<String>, PlatformError> {
        Err(self.misconfigured(format!("a zone has no fact `{fact}`")))
    }

    async fn check(&self, check: &Check) -> Result<Verdict, PlatformError> {
        match check.words.keys().next() {
            Some(word) => Err(self.misconfigured(format!("a zone cannot check `{word}`"))),
            None => self.healthy().await,
        }
    }

    async fn healthy(&self) -> Result<Verdict, PlatformError> {
        Ok(Verdict::Good(format!("{} at serial {}", show_name(&self.name), self.serial().await?)))
    }

    fn interval(&self) -> Duration {
        self.interval
    }
}

impl Zone {
    fn change<'a>(&self, act: &'a Act) -> Result<&'a Change, PlatformError> {
        match act {
            Act::Change(change) => Ok(change),
            Act::Restore { .. } => Err(self.misconfigured("a zone keeps no older versions")),
        }
    }
}

impl WritableZone {
    fn connect(connection: &Connection) -> Result<Self, PlatformError> {
        let target = &connection.target;
        let bad = |fault| PlatformError::new(&target.name, "connect", fault);
        let zone = Zone::connect(connection)?;
        let text = connection
            .credentials
            .get(KEY)
            .ok_or_else(|| bad(PlatformFault::NoCredential { key: KEY, variable: VARIABLE }))?;
        let origin = match target.credentials.get(KEY) {
            Some(reference) => format!("the key in `{reference}`"),
            None => format!("the key in `{VARIABLE}`"),
        };
        let word = |name: &str| target.address.get(name).and_then(|value| value.as_str());
        let key = Key::parse(text, word("key"), word("algorithm"))
            .map_err(|why| bad(PlatformFault::Misconfigured { what: format!("{origin} cannot be used: {why}") }))?;
        Ok(Self { zone, key, origin, clock: connection.clock })
    }

    async fn update(&self, change: &Change) -> Result<Receipt, PlatformError> {
        let zone = &self.zone;
        let action = "update a record set";
        let place = zone.place(&change.resource)?;
        let before = zone.records(&place, &change.before)?;
        let after = zone.records(&place, &change.after)?;
        let primary = zone.primary().await?;
        let id = exchange::new_id();
        let mut message = replace(id, &zone.name, &place.name, place.kind, before.as_ref(), after.as_ref());
        let signature = self.key.sign(&mut message, self.now()).map_err(|why| zone.misconfigured(why))?;
        let (answer, bytes) = exchange::send_once(primary, &message).await.map_err(|error| {
            let failed = zone.failed(action, &error);
            if matches!(error, ExchangeError::Silent { .. }) { failed.fate_unknown() } else { failed }
        })?;
        let code = answer.metadata.response_code;
        if code != ResponseCode::NoError {
            return Err(self.refused(action, primary, code, tsig_error(&answer)));
        }
        self.key.verify(&bytes, &signature, self.now()).map_err(|distrust| {
            let what = match distrust {
                Distrust::Unsigned => "is not signed",
                Distrust::Forged => "is signed with another key",
                Distrust::Stale => "was signed at another time",
            };
            let what = format!("the answer of `{}` {what}", primary.name);
            PlatformError::new(&zone.target, action, PlatformFault::Untrusted { what }).fate_unknown()
        })?;
        Ok(Receipt::default())
    }

    fn refused(&self, action: &str, server: &Server, code: ResponseCode, tsig: Option<TsigError>) -> PlatformError {
        let (key, origin) = (self.key.name(), &self.origin);
        let (word, advice) = match tsig {
            Some(TsigError::BadSig) => {
                ("BADSIG", format!("{origin} has another secret than the key `{key}` on `{}`", server.name))
            }
            Some(TsigError::BadKey) => ("BADKEY", format!("`{}` knows no key `{key}`: {origin}", server.name)),
            Some(TsigError::BadTime) => (
                "BADTIME",
                format!("the clocks of this machine and of `{}` are more than five minutes apart", server.name),
            ),
            Some(_) => ("BADTSIG", format!("`{}` does not accept the signature with {origin}", server.name)),
            None => {
                let (word, advice) = meaning(code);
                (word, format!("{advice} (`{}`, key `{key}`)", server.name))
            }
        };
        let fault = PlatformFault::Refused { status: u16::from(code), code: Some(word.to_owned()), request_id: None };
        PlatformError::new(&self.zone.target, format!("{action} of {}", show_name(&self.zone.name)), fault)
            .advise(advice)
    }

    fn now(&self) -> u64 {
        u64::try_from((self.clock)().as_second()).unwrap_or_default()
    }
}

#[async_trait]
impl Writer for WritableZone {
    fn reader(&self) -> &dyn Reader {
        &self.zone
    }

    async fn send(&self, act: &Act, _source: &dyn Source) -> Result<Receipt, PlatformError> {
        self.update(self.zone.change(act)?).await
    }
}

fn same(one: Option<&Records>, other: Option<&Records>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one.same(other),
        (None, None) => true,
        _ => false,
    }
}
