//! A zone whose target lists no servers: they are found by its own records, and every one of them is asked.
//!
//! The machine's resolver is asked where they are, on port 53; so the test runs itself again in namespaces with a network
//! and a `resolv.conf` of its own.

use lockage::promote::{Settled, State};

use crate::common::peer;
use crate::dns_client::{NoSource, apply, change, connection, key, observe, records, writer};
use crate::dns_servers::NameServer;
use crate::vendor_cli::{INSIDE, run_inside};

const PRIMARY: &str = "type primary; file \"zone\"; notify yes; notify-delay 0; allow-transfer { any; };\n\
    update-policy { grant deploy zonesub A CNAME; };";
const SECONDARY: &str = "type secondary; file \"copy\"; primaries { 127.0.0.1; };";
const STALE: &str = "type primary; file \"zone\";";

#[tokio::test]
async fn the_zones_own_name_servers_are_found_and_every_one_is_asked() {
    let (Some(_), Some(unshare), Some(ip)) = (peer("named"), peer("unshare"), peer("ip")) else { return };
    if std::env::var_os(INSIDE).is_none() {
        let folder = tempfile::tempdir().unwrap();
        let resolver = folder.path().join("resolv.conf");
        std::fs::write(&resolver, "nameserver 127.0.0.1\n").unwrap();
        // A server listens on the addresses that the machine has by name only.
        let address = format!("{} addr add 127.0.0.2/8 dev lo", ip.display());
        let first = format!("{address} && mount --bind {} /etc/resolv.conf", resolver.display());
        let test = "found_servers::the_zones_own_name_servers_are_found_and_every_one_is_asked";
        return run_inside(&unshare, &ip, &first, test);
    }
    let primary = NameServer::bind_at("127.0.0.1", 53, PRIMARY).await.unwrap();
    let found = || writer(&connection("example.org", &key(), &[]));
    let act = change("new/CNAME", State::Absent, records(60, &["target.example.net."]));
    {
        let _second = NameServer::bind_at("127.0.0.2", 53, SECONDARY).await.unwrap();
        let settled = apply(&*found(), &act).await.unwrap();
        assert!(matches!(&settled, Settled::Done(_)), "{settled:?}");
        for server in [&primary.address, "127.0.0.2:53"] {
            let one = writer(&connection("example.org", &key(), &[server]));
            let wanted = records(60, &["target.example.net."]);
            assert_eq!(observe(&*one, "new/CNAME", &wanted).await, wanted, "{server} has it");
        }
    }
    let _stale = NameServer::bind_at("127.0.0.2", 53, STALE).await.unwrap();
    let zone = found();
    let act = change("more/CNAME", State::Absent, records(60, &["target.example.net."]));
    let receipt = zone.send(&act, &NoSource).await.unwrap();
    let settled = zone.reader().settled(&act, &receipt, &NoSource).await.unwrap();
    let behind = "`ns2.example.org.` to have the new `more.example.org CNAME`";
    assert_eq!(settled, Settled::Waiting(behind.to_owned()));
}
