//! The RFC 2136 client changes zones of real BIND and Knot servers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use lockage::platforms::RFC2136;
use lockage::promote::{
    Act, Change, Connection, PlatformError, Query, RecordSet, Resource, Settled, Source, SourceError, State, Target,
    Value, Writer,
};
use lockage::secret::{SecretRef, SecretString};

use crate::dns_servers::{KINDS, Kind, NameServer, SECRET, free_port};

/// A zone needs no secrets but its key.
pub(crate) struct NoSource;

impl Source for NoSource {
    fn secret(&self, reference: &SecretRef) -> Result<SecretString, SourceError> {
        Err(SourceError::Missing { reference: reference.clone() })
    }

    fn archive(&self, commit: &str) -> Result<Vec<u8>, SourceError> {
        Err(SourceError::Archive { commit: commit.to_owned(), why: "there is none".to_owned() })
    }
}

pub(crate) fn connection(zone: &str, key: &str, servers: &[&str]) -> Connection {
    Connection {
        target: Target {
            name: "dns".into(),
            backend: "rfc2136".into(),
            address: serde_json::json!({ "zone": zone, "servers": servers }),
            options: BTreeMap::new(),
            declared: "pipelines/x.yaml:1:1".into(),
            credentials: BTreeMap::new(),
        },
        credentials: BTreeMap::from([("tsig-key", SecretString::new(key.to_owned()))]),
        endpoints: Vec::new(),
        authority: None,
        interval: Duration::from_millis(20),
        clock: jiff::Timestamp::now,
    }
}

pub(crate) fn writer(connection: &Connection) -> Arc<dyn Writer> {
    (RFC2136.client.unwrap().writer)(connection).unwrap()
}

pub(crate) fn key() -> String {
    format!("hmac-sha256:deploy:{SECRET}")
}

pub(crate) fn records(ttl: u32, data: &[&str]) -> State {
    State::Records(RecordSet { ttl, data: data.iter().map(|text| Value::Text((*text).to_owned())).collect() })
}

pub(crate) fn change(name: &str, before: State, after: State) -> Act {
    let resource = Resource { target: "dns".into(), kind: "records".into(), name: name.into() };
    Act::Change(Change { resource, before, after })
}

pub(crate) async fn observe(zone: &dyn Writer, name: &str, wanted: &State) -> State {
    let resource = Resource { target: "dns".into(), kind: "records".into(), name: name.into() };
    let query = Query { resource: &resource, wanted, known: &BTreeMap::new(), source: &NoSource };
    zone.reader().observe(query).await.unwrap().state
}

/// Sends it, and waits until it has settled or failed.
pub(crate) async fn apply(zone: &dyn Writer, act: &Act) -> Result<Settled, PlatformError> {
    let receipt = zone.send(act, &NoSource).await?;
    loop {
        match zone.reader().settled(act, &receipt, &NoSource).await? {
            Settled::Waiting(_) => tokio::time::sleep(zone.reader().interval()).await,
            ended => return Ok(ended),
        }
    }
}

fn done(settled: &Settled) -> bool {
    matches!(settled, Settled::Done(receipt) if receipt.notes.contains_key("serial"))
}

#[tokio::test]
async fn creates_replaces_and_deletes() {
    for kind in KINDS {
        let Some(server) = NameServer::primary(kind, None).await else { return };
        let zone = writer(&connection("example.org", &key(), &[&server.address]));
        let first = records(1800, &["one.herokudns.com"]);
        let second = records(300, &["two.herokudns.com"]);
        let name = "api-staging/CNAME";
        assert_eq!(observe(&*zone, name, &first).await, State::Absent);

        let create = change(name, State::Absent, first.clone());
        let before = zone.reader().watermark(&create).await.unwrap();
        assert_eq!(zone.reader().adopt(&create, &before, &NoSource).await.unwrap(), None, "not sent yet");
        assert!(done(&apply(&*zone, &create).await.unwrap()), "{kind:?}");
        assert_eq!(observe(&*zone, name, &second).await, first);
        assert_ne!(zone.reader().watermark(&create).await.unwrap(), before, "the serial has risen");
        assert!(zone.reader().adopt(&create, &before, &NoSource).await.unwrap().is_some());

        assert!(done(&apply(&*zone, &change(name, first.clone(), second.clone())).await.unwrap()), "{kind:?}");
        assert_eq!(observe(&*zone, name, &first).await, second);
        assert!(done(&apply(&*zone, &change(name, second.clone(), State::Absent)).await.unwrap()), "{kind:?}");
        assert_eq!(observe(&*zone, name, &first).await, State::Absent);
    }
}

#[tokio::test]
async fn equal_data_is_seen_in_the_wanted_spelling() {
    let Some(server) = NameServer::primary(Kind::Knot, None).await else { return };
    let zone = writer(&connection("example.org", &key(), &[&server.address]));
    let wanted = records(60, &["2001:DB8::0:1", "2001:db8::2"]);
    assert!(done(&apply(&*zone, &change("six.example.org./AAAA", State::Absent, wanted.clone())).await.unwrap()));
    assert_eq!(observe(&*zone, "six/AAAA", &wanted).await, wanted);
    assert_eq!(observe(&*zone, "six/AAAA", &State::Absent).await, records(60, &["2001:db8::1", "2001:db8::2"]));
    let longer = records(61, &["2001:db8::1", "2001:db8::2"]);
    assert!(done(&apply(&*zone, &change("six/AAAA", wanted, longer.clone())).await.unwrap()), "the lifetime alone");
    assert_eq!(observe(&*zone, "six/AAAA", &longer).await, longer);
}

#[tokio::test]
async fn long_sets_go_by_tcp_both_ways() {
    for kind in KINDS {
        let Some(server) = NameServer::primary(kind, None).await else { return };
        let zone = writer(&connection("example.org", &key(), &[&server.address]));
        let texts: Vec<String> = (0..20).map(|at| format!("\"{at:02}{}\"", "x".repeat(200))).collect();
        let wanted = records(60, &texts.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(done(&apply(&*zone, &change("@/TXT", State::Absent, wanted.clone())).await.unwrap()), "{kind:?}");
        assert_eq!(observe(&*zone, "@/TXT", &wanted).await, wanted);
    }
}

#[tokio::test]
async fn waits_for_every_server() {
    let port = free_port();
    let Some(primary) = NameServer::primary(Kind::Bind, Some(port)).await else { return };
    let master = primary.address.rsplit_once(':').unwrap().1;
    let clause = format!("type secondary; file \"copy\"; primaries {{ 127.0.0.1 port {master}; }};");
    let Some(secondary) = NameServer::bind(port, &clause).await else { return };
    let zone = writer(&connection("example.org", &key(), &[&primary.address, &secondary.address]));
    let wanted = records(60, &["192.0.2.7"]);
    assert!(done(&apply(&*zone, &change("new/A", State::Absent, wanted.clone())).await.unwrap()));
    let behind = writer(&connection("example.org", &key(), &[&secondary.address]));
    assert_eq!(observe(&*behind, "new/A", &wanted).await, wanted, "what is done is done on the second one too");
}

#[tokio::test]
async fn a_server_that_stays_behind_is_named() {
    let Some(primary) = NameServer::primary(Kind::Bind, None).await else { return };
    let Some(stale) = NameServer::bind(free_port(), "type primary; file \"zone\";").await else { return };
    let zone = writer(&connection("example.org", &key(), &[&primary.address, &stale.address]));
    let act = change("new/A", State::Absent, records(60, &["192.0.2.7"]));
    let receipt = zone.send(&act, &NoSource).await.unwrap();
    let settled = zone.reader().settled(&act, &receipt, &NoSource).await.unwrap();
    assert_eq!(settled, Settled::Waiting(format!("`{}` to have the new `new.example.org A`", stale.address)));
}
