//! Where credentials for HuaweiCloud come from: for us and for the real `sops`, at the same addresses.

use super::both::Both;
use super::huawei::{SECRET, key, lab, vendor, with_keys};
use super::lab::Lab;
use super::stand_in::Heard;

/// A request with whatever says whose it is.
pub fn shown(heard: &Heard) -> Option<String> {
    let access = heard.header("authorization").split_once("Access=").and_then(|(_, rest)| rest.split(',').next());
    let by = access.unwrap_or("nobody");
    let (token, provider) = (heard.header("x-security-token"), heard.header("x-idp-id"));
    let body = if heard.path.contains("/kms/") { String::new() } else { heard.json().to_string() };
    Some(format!("{} {} {} {by} {token} {provider} {body}", heard.method, heard.path, heard.query))
}

#[test]
fn sources() {
    let vendor = vendor(std::sync::Arc::default());
    let sealed = with_keys(&vendor).encrypt(&key()).unwrap();
    let both = Both::new(&vendor, shown);
    let open = |lab: &Lab, what: &str| both.open(lab, &sealed, what, &[]);
    let project = |lab: Lab| lab.env("HUAWEICLOUD_SDK_PROJECT_ID", "proj0123");
    let with_file = |lab: Lab, name: &str, variable: &str, content: &str| {
        let file = lab.file(name, content).display().to_string();
        lab.env(variable, file)
    };
    open(&with_keys(&vendor), "variables");
    open(&with_keys(&vendor).env("HUAWEICLOUD_SDK_SECURITY_TOKEN", "lent"), "variables of a session");
    let unnamed = lab(&vendor).env("HUAWEICLOUD_SDK_AK", "AKTEST").env("HUAWEICLOUD_SDK_SK", SECRET);
    open(&unnamed, "a project that is looked up");
    let profile = format!("[basic]\nak = AKTEST\nsk = {SECRET}\n");
    let usual = lab(&vendor);
    usual.file(".huaweicloud/credentials", format!("{profile}project_id = proj0123\n"));
    open(&usual, "a profile");
    let elsewhere = with_file(lab(&vendor), "mine", "HUAWEICLOUD_SDK_CREDENTIALS_FILE", &profile);
    open(&elsewhere, "a profile elsewhere");
    let provided = project(lab(&vendor)).env("HUAWEICLOUD_SDK_IDP_ID", "idp1");
    let provided = with_file(provided, "token", "HUAWEICLOUD_SDK_ID_TOKEN_FILE", "a.b.c");
    open(&provided, "another provider");
    let first = provided.env("HUAWEICLOUD_SDK_AK", "AKTEST").env("HUAWEICLOUD_SDK_SK", SECRET);
    open(&first, "another provider before keys");
    let wrong = with_keys(&vendor).env("HUAWEICLOUD_SDK_SK", "CANARY-heron");
    both.refuse(&wrong, &sealed, "a wrong secret", true);
    both.done();
}
