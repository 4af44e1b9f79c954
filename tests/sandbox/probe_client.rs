//! The whole way of a host name: domain, record on both name servers, certificate, page.

use std::collections::BTreeMap;
use std::time::Duration;

use lockage::platforms::{Probe, ProbeSettings, RFC2136};
use lockage::promote::{
    Act, Change, Check, Connection, Reader, RecordSet, Resource, Settled, State, Target, Value, Verdict,
};
use lockage::sandbox::Stack as StartStack;
use lockage::secret::SecretString;

use crate::dns_client::NoSource;
use crate::heroku_world::{APP, HerokuWorld, apply, change, done, fields, settle, text};

fn zone(world: &HerokuWorld) -> Connection {
    let endpoint = world.world.endpoint();
    let key = SecretString::new(format!("hmac-sha256:{}:{}", endpoint.tsig_name, endpoint.tsig_secret.expose_secret()));
    Connection {
        target: Target {
            name: "dns".into(),
            backend: "rfc2136".into(),
            address: "example.org".into(),
            options: BTreeMap::new(),
            declared: "pipelines/x.yaml:1:1".into(),
            credentials: BTreeMap::new(),
        },
        credentials: BTreeMap::from([("tsig-key", key)]),
        endpoints: endpoint.dns.iter().map(ToString::to_string).collect(),
        authority: None,
        interval: Duration::from_millis(20),
        clock: jiff::Timestamp::now,
    }
}

fn probe(world: &HerokuWorld, allowed: fn(&std::net::IpAddr) -> bool) -> Probe {
    let endpoint = world.world.endpoint();
    Probe::new(ProbeSettings {
        servers: endpoint.dns.iter().map(ToString::to_string).collect(),
        authority: Some(std::fs::read_to_string(&endpoint.authority).unwrap()),
        port: Some(endpoint.https.port()),
        allowed,
        interval: Duration::from_millis(20),
    })
}

fn check(status: u16, host: &str) -> Check {
    let words = BTreeMap::from([
        ("status".to_owned(), serde_json::json!(status)),
        ("certificate".to_owned(), serde_json::json!("valid")),
    ]);
    Check { subject: format!("https://{host}/"), words, timeout: None }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_name_from_domain_to_page() {
    let world = HerokuWorld::start(StartStack::Container).await;
    let app = world.app(APP);
    let host = "api.example.org";
    done(&apply(&*app, &change("domains", fields([(host, text("present"))]))).await.unwrap());
    done(&apply(&*app, &change("certificates", fields([("", text("automatic"))]))).await.unwrap());
    let cname = app.reader().fact("domain.cname").await.unwrap().unwrap();

    let visit = probe(&world, std::net::IpAddr::is_loopback);
    let verdict = visit.check(&check(200, host)).await.unwrap();
    let [first, second] = world.world.endpoint().dns;
    assert_eq!(verdict, Verdict::Waiting(format!("`api.example.org` has no address at `{first}`")));

    let dns = (RFC2136.client.unwrap().writer)(&zone(&world)).unwrap();
    let resource = Resource { target: "dns".into(), kind: "records".into(), name: "api/CNAME".into() };
    let after = State::Records(RecordSet { ttl: 1800, data: vec![Value::Text(cname)] });
    let act = Act::Change(Change { resource, before: State::Absent, after });
    let receipt = dns.send(&act, &NoSource).await.unwrap();
    assert!(
        matches!(dns.reader().settled(&act, &receipt, &NoSource).await.unwrap(), Settled::Waiting(_)),
        "the second one lags"
    );
    // Every authoritative server is asked, not only the one that took the update.
    let verdict = visit.check(&check(200, host)).await.unwrap();
    assert_eq!(verdict, Verdict::Waiting(format!("`api.example.org` has no address at `{second}`")));
    done(&settle(&*dns, &act, &receipt).await);

    let issued = Check { words: BTreeMap::from([("certificates".into(), "issued".into())]), ..check(200, host) };
    loop {
        match app.reader().check(&issued).await.unwrap() {
            Verdict::Waiting(_) => tokio::time::sleep(app.reader().interval()).await,
            verdict => break assert_eq!(verdict, Verdict::Good(format!("certificates issued for {host}"))),
        }
    }
    let verdict = visit.check(&check(200, host)).await.unwrap();
    assert_eq!(verdict, Verdict::Good("status 200, certificate valid".into()));
    let verdict = visit.check(&check(404, host)).await.unwrap();
    assert_eq!(verdict, Verdict::Waiting("status 200 in place of 404".into()));

    let nowhere = probe(&world, |_| false).check(&check(200, host)).await.unwrap();
    assert!(matches!(&nowhere, Verdict::Bad(why) if why.contains("may not be visited")), "{nowhere:?}");
    let own = ProbeSettings { authority: None, servers: Vec::new(), ..ProbeSettings::default() };
    let own = ProbeSettings {
        servers: vec![world.world.endpoint().dns[0].to_string()],
        port: Some(world.world.endpoint().https.port()),
        ..own
    };
    let untrusted = Probe::new(own).check(&check(200, host)).await.unwrap();
    assert!(
        matches!(&untrusted, Verdict::Waiting(why) if why.contains("not trusted") || why.contains("no root")),
        "{untrusted:?}"
    );
}
