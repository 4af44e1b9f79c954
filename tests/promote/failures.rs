//! A failure at every step: what was applied is undone in reverse order, and the world equals its start.

use lockage::sandbox::{Fault, FaultKind, requests};

use super::clone::{Clone, PROMOTE, fault_on, since, status, writes};

const STAGING: &str = "/apps/pangeo-forge-api-staging";

/// Runs a promotion into a fault and holds it to its start world. Gives what was sent.
fn turns_back(fault: Fault, code: i32, says: &str) -> Vec<String> {
    turns_back_saying(fault, code, says).0
}

fn turns_back_saying(fault: Fault, code: i32, says: &str) -> (Vec<String>, String) {
    let clone = Clone::new();
    let world = clone.world();
    let (start, before) = (world.facts().expect("facts"), requests(world.dir()).expect("the log").len());
    let what = format!("{fault:?}");
    world.add_fault(&fault).expect("a fault");
    let ran = clone.run(&format!("{PROMOTE} --json"));
    assert_eq!(ran.code, code, "{what}: {}\n{}", ran.stdout, ran.stderr);
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).expect("one JSON document");
    let outcome = report["outcome"].as_str().expect("an outcome");
    assert!(["rolledback", "unchanged"].contains(&outcome), "{what}: {outcome}");
    assert!(ran.stderr.contains(&format!("outcome: {outcome}")), "{what}: {}", ran.stderr);
    assert!(ran.stderr.contains(says), "{what}: says `{says}`: {}", ran.stderr);
    let end = world.facts().expect("facts");
    assert_eq!(end, start, "{what}: the world is as it was");
    assert_eq!(clone.journal(), None, "{what}: the journal is put away");
    world.clear_faults().expect("no faults");
    let sent = writes(&since(&world, before));
    clone.succeed(PROMOTE);
    (sent, ran.stderr)
}

#[test]
fn a_failing_build_is_undone() {
    let sent = turns_back(Fault { path: "*".into(), ..fault_on("", "", FaultKind::BuildFails) }, 4, "build");
    assert!(sent.iter().any(|request| request.ends_with("/builds")), "{sent:?}");
}

#[test]
fn a_failing_release_command_is_undone() {
    turns_back(
        Fault { path: "pangeo-forge-api-staging".into(), ..fault_on("", "", FaultKind::ReleaseFails) },
        4,
        "release",
    );
}

#[test]
fn a_release_command_that_fails_on_the_new_build_is_undone() {
    let fault = Fault { path: "*".into(), skip: 1, ..fault_on("", "", FaultKind::ReleaseFails) };
    turns_back(fault, 4, "release");
}

#[test]
fn a_refused_write_is_undone_at_each_step() {
    let writes = [("PATCH", "config-vars"), ("POST", "builds"), ("POST", "domains"), ("POST", "acm")];
    for (method, path) in writes {
        let fault = fault_on(method, &format!("{STAGING}/{path}"), status(422, "invalid_params"));
        turns_back(fault, 4, "422");
    }
    turns_back(fault_on("POST", "/sources", status(422, "invalid_params")), 4, "422");
    turns_back(fault_on("PUT", "/uploads/*", status(403, "forbidden")), 4, "403");
}

#[test]
fn what_was_applied_is_undone_in_reverse_order() {
    let sent = turns_back(fault_on("UPDATE", "*", FaultKind::DnsRefused), 4, "REFUSED");
    let at = |wanted: &str| {
        sent.iter().rposition(|request| request.starts_with(wanted)).unwrap_or_else(|| panic!("{wanted}: {sent:?}"))
    };
    let acm = at(&format!("DELETE {STAGING}/acm"));
    let domain = at(&format!("DELETE {STAGING}/domains/"));
    let release = at(&format!("POST {STAGING}/releases"));
    assert!(acm < domain && domain < release, "{sent:?}");
}

#[test]
fn a_name_server_that_says_yes_and_does_nothing_is_found_out() {
    turns_back(fault_on("UPDATE", "*", FaultKind::DnsIgnored), 4, "changed nothing");
}

#[test]
fn a_failing_certificate_is_undone() {
    let reason = "CAA record prevents issuance".to_owned();
    let fault = Fault { path: "*".into(), times: 3, ..fault_on("", "", FaultKind::AcmFails { reason }) };
    turns_back(fault, 1, "certificate");
}
