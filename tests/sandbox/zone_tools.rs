//! The world's zone by the tools of BIND and Knot: `dig`, `kdig`, `nsupdate`.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use lockage::sandbox::{Fault, FaultKind, Stack};

use crate::common::peer;
use crate::world::{Served, demo};

/// What a program says about a question to one server, and its exit status.
fn ask(program: &Path, server: SocketAddr, args: &[&str]) -> (String, Option<i32>) {
    let output = Command::new(program)
        .arg(format!("@{}", server.ip()))
        .args(["-p", &server.port().to_string()])
        .args(args)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    (String::from_utf8_lossy(&output.stdout).into_owned(), output.status.code())
}

/// Runs `nsupdate` with this script; its exit status and words.
fn update(nsupdate: &Path, served: &Served, key: Option<&str>, script: &str) -> (Option<i32>, String) {
    let server = served.world.endpoint().dns[0];
    let mut command = Command::new(nsupdate);
    if let Some(key) = key {
        command.args(["-y", key]);
    }
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let script = format!("server {} {}\nzone example.org\n{script}\nsend\n", server.ip(), server.port());
    child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn key(served: &Served) -> String {
    let endpoint = served.world.endpoint();
    format!("hmac-sha256:{}:{}", endpoint.tsig_name, endpoint.tsig_secret.expose_secret())
}

/// A signed update that must succeed.
pub fn update_zone(served: &Served, script: &str) {
    let nsupdate = peer("nsupdate").unwrap();
    let (code, words) = update(&nsupdate, served, Some(&key(served)), script);
    assert_eq!(code, Some(0), "{words}");
}

#[test]
fn both_tools_read_the_zone_over_udp_and_tcp() {
    let (Some(dig), Some(kdig)) = (peer("dig"), peer("kdig")) else { return };
    let served = Served::start(demo(Stack::Container));
    let server = served.world.endpoint().dns[0];
    for program in [&dig, &kdig] {
        for transport in ["+notcp", "+tcp"] {
            let (answer, _) = ask(program, server, &["old.example.org", "A", "+norec", transport]);
            assert!(answer.contains("NOERROR") && answer.contains(" aa"), "{answer}");
            assert!(answer.contains("192.0.2.1"), "{answer}");
            let (answer, _) = ask(program, server, &["nobody.example.org", "A", "+norec", transport]);
            assert!(answer.contains("NXDOMAIN") && answer.contains("SOA"), "{answer}");
            let (answer, _) = ask(program, server, &["old.example.org", "CNAME", "+norec", transport]);
            assert!(answer.contains("NOERROR") && answer.contains("SOA"), "{answer}");
            let (answer, _) = ask(program, server, &["example.net", "A", "+norec", transport]);
            assert!(answer.contains("REFUSED"), "{answer}");
        }
        let (answer, _) = ask(program, server, &["example.org", "NS", "+short"]);
        assert!(answer.contains("ns1.example.org.") && answer.contains("ns2.example.org."), "{answer}");
    }
}

#[test]
fn a_transfer_needs_the_key() {
    let (Some(dig), Some(kdig)) = (peer("dig"), peer("kdig")) else { return };
    let served = Served::start(demo(Stack::Container));
    let server = served.world.endpoint().dns[0];
    for program in [&dig, &kdig] {
        let (answer, _) = ask(program, server, &["example.org", "AXFR"]);
        assert!(!answer.contains("192.0.2.1"), "{answer}");
        let (answer, _) = ask(program, server, &["-y", &key(&served), "example.org", "AXFR"]);
        assert!(answer.contains("192.0.2.1") && answer.matches("SOA").count() >= 2, "{answer}");
    }
}

#[test]
fn signed_updates_change_the_zone_and_others_do_not() {
    let (Some(dig), Some(nsupdate)) = (peer("dig"), peer("nsupdate")) else { return };
    let served = Served::start(demo(Stack::Container));
    let server = served.world.endpoint().dns[0];
    let short = |name: &str, kind: &str| ask(&dig, server, &[name, kind, "+short"]).0;
    let add = "update add api.example.org 1800 CNAME first.herokudns.com.";

    let (code, words) = update(&nsupdate, &served, None, add);
    assert!(code == Some(2) && words.contains("REFUSED"), "{words}");
    let wrong = format!("hmac-sha256:{}:{}", served.world.endpoint().tsig_name, "d3Jvbmc=");
    let (code, words) = update(&nsupdate, &served, Some(&wrong), add);
    assert!(code != Some(0) && (words.contains("BADSIG") || words.contains("NOTAUTH")), "{words}");
    let unknown = "hmac-sha256:nobody.:d3Jvbmc=";
    let (code, words) = update(&nsupdate, &served, Some(unknown), add);
    assert!(code != Some(0) && (words.contains("BADKEY") || words.contains("NOTAUTH")), "{words}");
    assert_eq!(short("api.example.org", "CNAME"), "");

    let key = key(&served);
    let signed = |script: &str| update(&nsupdate, &served, Some(&key), script);
    assert_eq!(signed(add).0, Some(0));
    assert_eq!(short("api.example.org", "CNAME"), "first.herokudns.com.\n");
    // The old value as prerequisite: only who knows it may replace it.
    let replace = |old: &str| {
        format!(
            "prereq yxrrset api.example.org CNAME {old}\nupdate delete api.example.org CNAME\n\
             update add api.example.org 300 CNAME second.herokudns.com."
        )
    };
    let (code, words) = signed(&replace("other.herokudns.com."));
    assert!(code == Some(2) && words.contains("NXRRSET"), "{words}");
    assert_eq!(signed(&replace("FIRST.herokudns.com.")).0, Some(0));
    assert_eq!(short("api.example.org", "CNAME"), "second.herokudns.com.\n");
    let (code, words) =
        signed("prereq nxrrset api.example.org CNAME\nupdate add api.example.org 300 CNAME x.herokudns.com.");
    assert!(code == Some(2) && words.contains("YXRRSET"), "{words}");
    let (code, words) = signed("prereq nxdomain api.example.org\nupdate add api.example.org 300 TXT x");
    assert!(code == Some(2) && words.contains("YXDOMAIN"), "{words}");
    let (code, words) = signed("update add api.example.net 300 A 192.0.2.9");
    assert!(code == Some(2) && words.contains("NOTZONE"), "{words}");
    assert_eq!(signed("update delete api.example.org").0, Some(0));
    assert_eq!(short("api.example.org", "CNAME"), "");
}

#[test]
fn conflicts_with_a_cname_are_noerror_and_change_nothing() {
    let (Some(dig), Some(nsupdate)) = (peer("dig"), peer("nsupdate")) else { return };
    let served = Served::start(demo(Stack::Container));
    let key = key(&served);
    let server = served.world.endpoint().dns[0];
    let short = |name: &str, kind: &str| ask(&dig, server, &[name, kind, "+short"]).0;
    let signed = |script: &str| update(&nsupdate, &served, Some(&key), script).0;
    let serial = short("example.org", "SOA");
    assert_eq!(signed("update add old.example.org 300 CNAME x.herokudns.com."), Some(0));
    assert_eq!(signed("update add example.org 300 CNAME x.herokudns.com."), Some(0));
    assert_eq!(short("example.org", "SOA"), serial, "the serial tells that nothing changed");
    assert_eq!(
        signed("update delete old.example.org A\nupdate add old.example.org 300 CNAME x.herokudns.com."),
        Some(0)
    );
    assert_eq!(signed("update add old.example.org 300 A 192.0.2.7"), Some(0));
    assert_eq!(short("old.example.org", "A"), "x.herokudns.com.\n");
    assert_ne!(short("example.org", "SOA"), serial);
    // The zone keeps its own records.
    assert_eq!(signed("update delete example.org NS"), Some(0));
    assert!(short("example.org", "NS").contains("ns1.example.org."));
}

#[test]
fn the_second_server_lags_and_catches_up() {
    let (Some(dig), Some(nsupdate)) = (peer("dig"), peer("nsupdate")) else { return };
    let served = Served::start(demo(Stack::Container));
    let second = served.world.endpoint().dns[1];
    let short = || ask(&dig, second, &["new.example.org", "A", "+short"]).0;
    assert_eq!(update(&nsupdate, &served, Some(&key(&served)), "update add new.example.org 60 A 192.0.2.5").0, Some(0));
    assert_eq!(short(), "");
    let answers: Vec<String> = (0..4).map(|_| short()).collect();
    assert_eq!(answers.last().unwrap(), "192.0.2.5\n", "{answers:?}");
}

#[test]
fn name_server_faults_refuse_ignore_and_keep_silent() {
    let (Some(dig), Some(nsupdate)) = (peer("dig"), peer("nsupdate")) else { return };
    let served = Served::start(demo(Stack::Container));
    let key = key(&served);
    let server = served.world.endpoint().dns[0];
    let add = "update add new.example.org 60 A 192.0.2.5";
    let set = |kind| {
        let fault =
            Fault { method: Some("UPDATE".into()), path: "/ns1/new.example.org./A".into(), skip: 0, times: 1, kind };
        served.world.add_fault(&fault).unwrap();
    };
    set(FaultKind::DnsRefused);
    let (code, words) = update(&nsupdate, &served, Some(&key), add);
    assert!(code == Some(2) && words.contains("REFUSED"), "{words}");
    set(FaultKind::DnsIgnored);
    assert_eq!(update(&nsupdate, &served, Some(&key), add).0, Some(0));
    assert_eq!(ask(&dig, server, &["new.example.org", "A", "+short"]).0, "");
    served
        .world
        .add_fault(&Fault {
            method: Some("QUERY".into()),
            path: "*".into(),
            skip: 0,
            times: 1,
            kind: FaultKind::DnsSilent,
        })
        .unwrap();
    let (_, code) = ask(&dig, server, &["example.org", "SOA", "+tries=1", "+time=1"]);
    assert_eq!(code, Some(9), "no answer");
}
