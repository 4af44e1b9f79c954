//! Certificates: issued when the app, the domain and the zone agree, and served by name.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;

use lockage::sandbox::{Fault, FaultKind, Stack};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use serde_json::{Value, json};

use crate::client::{ask, get};
use crate::world::{Served, demo};
use crate::zone_tools::update_zone;

const HOST: &str = "www.example.org";

/// What a browser that trusts only the world's authority sees under the host name.
fn visit(served: &Served) -> std::io::Result<String> {
    let endpoint = served.world.endpoint();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&endpoint.authority).unwrap()).unwrap();
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(HOST).unwrap();
    let connection = rustls::ClientConnection::new(Arc::new(config), name).map_err(std::io::Error::other)?;
    let mut stream = rustls::StreamOwned::new(connection, TcpStream::connect(endpoint.https)?);
    write!(stream, "GET / HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

fn statuses(served: &Served, polls: usize) -> Vec<String> {
    let path = format!("/apps/demo/domains/{HOST}");
    (0..polls).map(|_| get(&served.world, &path)["acm_status"].as_str().unwrap_or("none").to_owned()).collect()
}

/// Domain and certificates asked for, and the record that leads to the app.
fn point(served: &Served) {
    ask(&served.world, "POST", "/apps/demo/domains", json!({"hostname": HOST, "sni_endpoint": null}), 201);
    ask(&served.world, "POST", "/apps/demo/acm", json!({}), 200);
    let target = get(&served.world, &format!("/apps/demo/domains/{HOST}"))["cname"].as_str().unwrap().to_owned();
    update_zone(served, &format!("update add {HOST} 1800 CNAME {target}."));
    // The authority asks any of the servers: the second has to know, too.
    for _ in 0..3 {
        served.ask_second("example.org");
    }
}

#[test]
fn a_certificate_comes_step_by_step_and_serves_the_name() {
    if crate::common::peer("nsupdate").is_none() {
        return;
    }
    let mut served = Served::start(demo(Stack::Container));
    assert!(visit(&served).is_err(), "no certificate, no handshake");
    point(&served);
    let seen = statuses(&served, 5);
    assert_eq!(seen.last().unwrap(), "cert issued", "{seen:?}");
    assert!(seen.contains(&"dns-verified".to_owned()), "{seen:?}");
    let page = visit(&served).unwrap();
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("demo v"), "{page}");
    let endpoint = &get(&served.world, "/apps/demo/sni-endpoints")[0];
    assert_eq!(endpoint["ssl_cert"]["cert_domains"], json!([HOST]));

    ask(&served.world, "PATCH", "/apps/demo", json!({"maintenance": true}), 200);
    assert!(visit(&served).unwrap().starts_with("HTTP/1.1 503"));
    ask(&served.world, "PATCH", "/apps/demo", json!({"maintenance": false}), 200);
    served.kill();
    served.serve_again();
    assert!(visit(&served).unwrap().starts_with("HTTP/1.1 200"), "the certificate outlives the server");
    ask(&served.world, "DELETE", "/apps/demo/acm", Value::Null, 200);
    assert!(visit(&served).is_err());
}

#[test]
fn a_failing_certificate_waits_for_the_zone_or_a_refresh() {
    if crate::common::peer("nsupdate").is_none() {
        return;
    }
    let served = Served::start(demo(Stack::Container));
    let kind = FaultKind::AcmFails { reason: "Failing CCA check".into() };
    served.world.add_fault(&Fault { method: None, path: "demo".into(), skip: 0, times: 1, kind }).unwrap();
    point(&served);
    assert_eq!(statuses(&served, 3), ["failing"; 3]);
    ask(&served.world, "PATCH", "/apps/demo/acm", json!({"acm_refresh": true}), 200);
    assert_eq!(statuses(&served, 5).last().unwrap(), "cert issued");
}

#[test]
fn caa_records_can_forbid_the_authority() {
    if crate::common::peer("nsupdate").is_none() {
        return;
    }
    let served = Served::start(demo(Stack::Container));
    update_zone(&served, "update add example.org 300 CAA 0 issue \"other.example\"");
    point(&served);
    assert_eq!(statuses(&served, 2), ["failing"; 2]);
    update_zone(&served, "update add example.org 300 CAA 0 issue \"letsencrypt.org\"");
    assert_eq!(statuses(&served, 5).last().unwrap(), "cert issued");
}
