//! What real servers refuse, and what they take without doing it.

use lockage::error::{Class, Failure as _};
use lockage::promote::{Fate, PlatformError, PlatformFault, Settled, State};

use crate::dns_client::{NoSource, apply, change, connection, key, observe, records, writer};
use crate::dns_servers::{KINDS, Kind, NameServer, SECRET};

fn code(error: &PlatformError) -> &str {
    match &error.fault {
        PlatformFault::Refused { code: Some(code), .. } => code,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_set_that_changed_in_between_is_not_overwritten() {
    for kind in KINDS {
        let Some(server) = NameServer::primary(kind, None).await else { return };
        let zone = writer(&connection("example.org", &key(), &[&server.address]));
        let ours = records(60, &["192.0.2.9"]);
        let appeared = zone.send(&change("old/A", State::Absent, ours.clone()), &NoSource).await.unwrap_err();
        assert_eq!((code(&appeared), appeared.fate), ("YXRRSET", Fate::NotProcessed), "{kind:?}");
        let other = records(300, &["192.0.2.2"]);
        let changed = zone.send(&change("old/A", other, ours.clone()), &NoSource).await.unwrap_err();
        assert_eq!(code(&changed), "NXRRSET", "{kind:?}");
        assert!(changed.hints()[0].contains("plan again"), "{:?}", changed.hints());
        assert_eq!(observe(&*zone, "old/A", &ours).await, records(300, &["192.0.2.1"]), "nothing changed");
    }
}

#[tokio::test]
async fn wrong_keys_are_told_apart() {
    let wrong = "V1JPTkctaGVyb24tQ0FOQVJZLWhlcm9uLTMyYnl0ZXM=";
    for kind in KINDS {
        let Some(server) = NameServer::primary(kind, None).await else { return };
        let act = change("new/A", State::Absent, records(60, &["192.0.2.9"]));
        for (key, expected) in [(format!("deploy:{wrong}"), "BADSIG"), (format!("nobody:{SECRET}"), "BADKEY")] {
            let zone = writer(&connection("example.org", &key, &[&server.address]));
            let error = zone.send(&act, &NoSource).await.unwrap_err();
            assert_eq!((code(&error), error.class()), (expected, Class::World), "{kind:?}");
            assert!(error.hints()[0].contains("the key in `LOCKAGE_TSIG_KEY`"), "{:?}", error.hints());
            assert!(!format!("{error:?}").contains(wrong) && !format!("{error:?}").contains(SECRET));
        }
        let mut late = connection("example.org", &key(), &[&server.address]);
        late.clock = || jiff::Timestamp::from_second(1_000_000_000).unwrap();
        let error = writer(&late).send(&act, &NoSource).await.unwrap_err();
        assert_eq!(code(&error), "BADTIME", "{kind:?}");
    }
}

#[tokio::test]
async fn noerror_that_changed_nothing_is_a_failure() {
    for kind in KINDS {
        let Some(server) = NameServer::primary(kind, None).await else { return };
        let zone = writer(&connection("example.org", &key(), &[&server.address]));
        let cname = change("old/CNAME", State::Absent, records(60, &["x.herokudns.com"]));
        let Settled::Failed(why) = apply(&*zone, &cname).await.unwrap() else { panic!("{kind:?}") };
        assert!(why.contains("changed nothing: a CNAME stands alone, and there are A records"), "{kind:?}: {why}");
        let beside = change("www/A", State::Absent, records(60, &["192.0.2.9"]));
        let Settled::Failed(why) = apply(&*zone, &beside).await.unwrap() else { panic!("{kind:?}") };
        assert!(why.contains("there are CNAME records"), "{kind:?}: {why}");
    }
}

#[tokio::test]
async fn what_the_key_may_not_change_and_zones_of_others_are_refused() {
    let Some(server) = NameServer::primary(Kind::Bind, None).await else { return };
    let zone = writer(&connection("example.org", &key(), &[&server.address]));
    let error = zone.send(&change("new/MX", State::Absent, records(60, &["10 mail.example.org"])), &NoSource).await;
    assert_eq!(code(&error.unwrap_err()), "REFUSED");

    for kind in KINDS {
        let Some(server) = NameServer::primary(kind, None).await else { return };
        let zone = writer(&connection("example.net", &key(), &[&server.address]));
        let act = change("new/A", State::Absent, records(60, &["192.0.2.9"]));
        assert_eq!(code(&zone.send(&act, &NoSource).await.unwrap_err()), "NOTAUTH", "{kind:?}");
        assert!(zone.reader().watermark(&act).await.is_err(), "{kind:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_is_refused_before_anything_is_sent() {
    let zone = writer(&connection("example.org", &key(), &["127.0.0.1:1"]));
    for (name, data) in [("@/CNAME", "x.org"), ("@/NS", "ns.x.org"), ("x/SOA", "x"), ("x/A", "192.0.2"), ("x", "1")] {
        let error = zone.send(&change(name, State::Absent, records(60, &[data])), &NoSource).await.unwrap_err();
        assert_eq!(error.class(), Class::Usage, "{name}: {error}");
    }
}

#[tokio::test]
async fn a_closed_port_and_a_silent_server_are_told_apart() {
    let act = change("new/A", State::Absent, records(60, &["192.0.2.9"]));
    let closed = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let error = writer(&connection("example.org", &key(), &[&closed])).send(&act, &NoSource).await.unwrap_err();
    assert_eq!(error.fate, Fate::NotProcessed, "{error}");

    let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let error = writer(&connection("example.org", &key(), &[&address])).send(&act, &NoSource).await.unwrap_err();
    assert_eq!(error.fate, Fate::Unknown, "it may have arrived: {error}");
}
