//! The metadata of machines at their fixed addresses, in a network of this test's own: for us and for the real `sops`.

use std::process::Command;

use serde_json::json;

use super::both::Both;
use super::lab::Lab;
use super::stand_in::{Heard, Said, StandIn};
use super::{aws_sources, azure, huawei};
use crate::common::peer;

/// Makes the network, and runs [`inside`] in it.
const SCRIPT: &str = "ip link set lo up && ip addr add 169.254.169.254/32 dev lo && ip addr add 169.254.170.2/32 dev lo \
                      && exec \"$0\" --exact kms::metadata::inside --ignored --nocapture";

#[test]
fn fixed_addresses() {
    let (Some(unshare), Some(_)) = (peer("unshare"), peer("ip")) else { return };
    let own = |words: &[&str]| {
        let mut command = Command::new(&unshare);
        command.arg("-rn").args(words);
        command
    };
    if !own(&["true"]).status().unwrap().success() {
        eprintln!("SKIPPED: this system lets nobody make a network of one's own");
        return;
    }
    let binary = std::env::current_exe().unwrap();
    let output = own(&["sh", "-c", SCRIPT]).arg(binary).output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

fn answer(heard: &Heard) -> Said {
    let lent = json!({ "access": "AKTEST", "secret": huawei::SECRET, "securitytoken": "lent", "expires_at": "2035-01-01T00:00:00.000000Z" });
    match (heard.method.as_str(), heard.path.as_str()) {
        ("GET", "/metadata/identity/oauth2/token") if heard.header("metadata") == "true" => {
            azure::granted_to_a_machine()
        }
        ("GET", "/metadata/identity/oauth2/token") => Said::json(400, &json!({ "error": "invalid_request" })),
        ("PUT", "/meta-data/latest/api/token") => Said { status: 200, headers: Vec::new(), body: "huawei".into() },
        ("GET", "/openstack/latest/securitykey") => Said::json(200, &json!({ "credential": lent })),
        _ => aws_sources::answer(heard),
    }
}

fn shown(heard: &Heard) -> Option<String> {
    let names = ["metadata", "x-metadata-token", "x-metadata-token-ttl-seconds", "x-aws-ec2-metadata-token"];
    let host = heard.host.split(':').next().unwrap_or_default();
    Some(format!("{} {host} {} {}", heard.method, heard.path, names.map(|name| heard.header(name)).join(" ")))
}

#[test]
#[ignore = "it wants a network of its own: `fixed_addresses` runs it in one"]
fn inside() {
    let machine = StandIn::at("0.0.0.0:80", &["127.0.0.1"], |_, _, heard| answer(heard));
    let both = Both::new(&machine, shown);

    let aws = || Lab::new().env("AWS_ENDPOINT_URL", "http://127.0.0.1:80");
    let keys = aws().env("AWS_ACCESS_KEY_ID", "x").env("AWS_SECRET_ACCESS_KEY", "s");
    let sealed = keys.encrypt(&aws_sources::key()).unwrap();
    both.open(&aws(), &sealed, "an instance of AWS", &[]);
    let relative = aws().env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/open");
    both.open(&relative, &sealed, "a container of AWS", &[]);

    let vault = azure::vendor(std::sync::Arc::default());
    let sealed = azure::managed(&vault).encrypt(&azure::key(&vault)).unwrap();
    both.open(&azure::lab(&vault), &sealed, "a machine of Azure", &[]);

    let vendor = huawei::vendor(std::sync::Arc::default());
    let sealed = huawei::with_keys(&vendor).encrypt(&huawei::key()).unwrap();
    let project = huawei::lab(&vendor).env("HUAWEICLOUD_SDK_PROJECT_ID", "proj0123");
    both.open(&project, &sealed, "a machine of HuaweiCloud", &[]);
    both.done();
}
