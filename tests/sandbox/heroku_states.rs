//! What changes what, and how long it takes, in requests.

use lockage::sandbox::{Fault, FaultKind, Stack};
use serde_json::{Value, json};

use crate::client::{ask, get, send};
use crate::world::{Served, demo};

fn fault(path: &str, kind: FaultKind) -> Fault {
    Fault { method: None, path: path.into(), skip: 0, times: 1, kind }
}

fn latest(served: &Served, app: &str) -> Value {
    let range = [("Range", "version ..; order=desc,max=1")];
    let reply = send(&served.world, "GET", &format!("/apps/{app}/releases"), &range, b"").unwrap();
    reply.json()[0].clone()
}

fn settled(served: &Served, app: &str) -> Value {
    for _ in 0..10 {
        let release = latest(served, app);
        if release["status"] != "pending" {
            return release;
        }
    }
    panic!("the release stays pending")
}

fn upload(served: &Served) -> String {
    let source = ask(&served.world, "POST", "/sources", Value::Null, 201);
    let url = source["source_blob"]["put_url"].as_str().unwrap();
    let path = url.strip_prefix(&served.world.endpoint().heroku_url).unwrap();
    assert_eq!(send(&served.world, "PUT", path, &[("Authorization", "")], &[0x1f, 0x8b, 8, 0]).unwrap().status, 200);
    source["source_blob"]["get_url"].as_str().unwrap().into()
}

#[test]
fn one_patch_of_config_vars_is_one_release() {
    let served = Served::start(demo(Stack::Container));
    let before = latest(&served, "demo")["version"].as_u64().unwrap();
    let config = ask(&served.world, "PATCH", "/apps/demo/config-vars", json!({"A": null, "B": "2", "C": "3"}), 200);
    assert_eq!((config.get("A"), &config["B"]), (None, &json!("2")));
    let release = latest(&served, "demo");
    assert_eq!(release["version"], before + 1);
    assert_eq!(release["status"], "pending");
    assert_eq!(settled(&served, "demo")["status"], "succeeded");
    ask(&served.world, "PATCH", "/apps/demo/config-vars", json!({"not a name": "1"}), 422);
}

#[test]
fn a_failed_release_command_leaves_the_release_before_it() {
    let served = Served::start(demo(Stack::Container));
    let before = latest(&served, "demo");
    served.world.add_fault(&fault("demo", FaultKind::ReleaseFails)).unwrap();
    ask(&served.world, "PATCH", "/apps/demo/config-vars", json!({"B": "2"}), 200);
    let failed = settled(&served, "demo");
    assert_eq!((&failed["status"], &failed["current"]), (&json!("failed"), &json!(false)));
    let path = format!("/apps/demo/releases/{}", before["id"].as_str().unwrap());
    assert_eq!(get(&served.world, &path)["current"], true);
    // The way back is a rollback, which restores the values as well.
    ask(&served.world, "POST", "/apps/demo/releases", json!({"release": before["id"]}), 201);
    assert_eq!(settled(&served, "demo")["status"], "succeeded");
    assert_eq!(get(&served.world, "/apps/demo/config-vars").get("B"), None);
    ask(&served.world, "POST", "/apps/demo/releases", json!({"release": failed["id"]}), 422);
}

#[test]
fn a_build_of_an_uploaded_source_becomes_a_release() {
    let served = Served::start(demo(Stack::Container));
    let url = upload(&served);
    let commit = "d".repeat(40);
    let blob = json!({"source_blob": {"url": url, "version": commit}});
    let build = ask(&served.world, "POST", "/apps/demo/builds", blob, 201);
    assert_eq!((&build["status"], &build["release"]), (&json!("pending"), &Value::Null));
    let path = format!("/apps/demo/builds/{}", build["id"].as_str().unwrap());
    assert_eq!(get(&served.world, &path)["status"], "pending");
    let build = get(&served.world, &path);
    assert_eq!(build["status"], "succeeded");
    assert_eq!(settled(&served, "demo")["id"], build["release"]["id"]);
    assert_eq!(served.world.facts().unwrap()["apps"]["demo"]["commit"], *commit);
    let missing = json!({"source_blob": {"url": "https://example.org/x.tgz", "version": "e"}});
    let build = ask(&served.world, "POST", "/apps/demo/builds", missing, 201);
    let path = format!("/apps/demo/builds/{}", build["id"].as_str().unwrap());
    get(&served.world, &path);
    assert_eq!(get(&served.world, &path)["status"], "failed");
}

#[test]
fn a_slug_of_another_app_can_be_released() {
    let served = Served::start(demo(Stack::Slug));
    let slug = latest(&served, "demo-pr-80")["slug"]["id"].clone();
    ask(&served.world, "POST", "/apps/demo-staging/releases", json!({"slug": slug}), 201);
    assert_eq!(settled(&served, "demo-staging")["slug"]["id"], slug);
    assert_eq!(served.world.facts().unwrap()["apps"]["demo-staging"]["commit"], *"c".repeat(40));
    let container = Served::start(demo(Stack::Container));
    let image = latest(&container, "demo-pr-80")["artifacts"][0]["id"].clone();
    ask(&container.world, "POST", "/apps/demo/releases", json!({"slug": image}), 404);
}

#[test]
fn the_vendor_promotes_neither_out_of_review_apps_nor_containers() {
    for (stack, source, words) in [
        (Stack::Slug, "demo-pr-80", "Cannot promote from the review stage."),
        (
            Stack::Container,
            "demo-staging",
            "Pipeline promotions are not supported on apps pushed via Heroku Container Registry.",
        ),
    ] {
        let served = Served::start(demo(stack));
        let id = |app: &str| get(&served.world, &format!("/apps/{app}"))["id"].clone();
        let pipeline = get(&served.world, "/pipelines")[0]["id"].clone();
        let body = json!({
            "pipeline": {"id": pipeline},
            "source": {"app": {"id": id(source)}},
            "targets": [{"app": {"id": id("demo")}}],
        });
        let refusal = ask(&served.world, "POST", "/pipeline-promotions", body, 422);
        assert_eq!(refusal, json!({"id": "invalid_params", "message": words}));
    }
}

#[test]
fn a_host_name_belongs_to_one_app() {
    let served = Served::start(demo(Stack::Container));
    let body = json!({"hostname": "www.example.org", "sni_endpoint": null});
    let domain = ask(&served.world, "POST", "/apps/demo/domains", body.clone(), 201);
    assert_eq!((&domain["cname"], &domain["status"]), (&Value::Null, &json!("pending")));
    let taken = ask(&served.world, "POST", "/apps/demo-staging/domains", body.clone(), 422);
    assert_eq!(taken["message"], "www.example.org is currently in use by another app.");
    ask(&served.world, "POST", "/apps/demo/domains", body, 422);
    let seen = get(&served.world, "/apps/demo/domains/www.example.org");
    assert!(seen["cname"].as_str().unwrap().ends_with(".herokudns.com"));
    ask(&served.world, "POST", "/apps/demo/acm", json!({}), 200);
    let moved = get(&served.world, "/apps/demo/domains/www.example.org");
    assert_ne!(moved["cname"], seen["cname"], "enabling certificates moves the target");
    assert_eq!(moved["acm_status"], "failing", "the zone says nothing yet");
    assert_eq!(moved["acm_status_reason"], "CDN not returning HTTP challenge");
    ask(&served.world, "DELETE", "/apps/demo/domains/www.example.org", Value::Null, 200);
    ask(&served.world, "GET", "/apps/demo/domains/www.example.org", Value::Null, 404);
}

#[test]
fn requests_are_turned_away_as_the_vendor_does() {
    let served = Served::start(demo(Stack::Container));
    let status = |headers: &[(&str, &str)], path: &str| send(&served.world, "GET", path, headers, b"").unwrap().status;
    assert_eq!(status(&[("Authorization", "")], "/apps"), 401);
    assert_eq!(status(&[("Authorization", "Bearer wrong")], "/apps"), 401);
    assert_eq!(status(&[("Accept", "*/*")], "/apps"), 406);
    assert_eq!(status(&[("Accept", "application/vnd.heroku+json; version=3.sdk")], "/apps"), 200);
    assert_eq!(status(&[], "/apps/nobody"), 404);
    assert_eq!(status(&[], "/nothing"), 404);
    assert_eq!(status(&[("Range", "colour ..")], "/apps"), 416);
    let reply = send(&served.world, "GET", "/apps", &[], b"").unwrap();
    assert!(reply.header("Request-Id").is_some() && reply.header("RateLimit-Remaining").is_some());
    assert_eq!(status(&[("If-None-Match", reply.header("ETag").unwrap())], "/apps"), 304);
    let refused = send(&served.world, "PATCH", "/apps/demo/config-vars", &[], b"{\"A\": ").unwrap();
    assert_eq!(refused.status, 400);
}

#[test]
fn requests_are_counted_down_but_for_the_question_how_many_are_left() {
    let served = Served::start(demo(Stack::Container));
    let left = |path: &str| -> u32 {
        send(&served.world, "GET", path, &[], b"").unwrap().header("RateLimit-Remaining").unwrap().parse().unwrap()
    };
    // One comes back each 0.8 s, so that a slow machine sees a higher number.
    let first = left("/apps");
    assert!((4480..4500).contains(&first), "{first}");
    for _ in 0..100 {
        left("/apps/demo");
    }
    let asked = get(&served.world, "/account/rate-limits")["remaining"].as_u64().unwrap();
    assert!(asked < u64::from(first), "{asked} after {first}");
    for _ in 0..5000 {
        let reply = send(&served.world, "GET", "/apps/nobody", &[], b"").unwrap();
        if reply.status == 429 {
            assert_eq!(
                (reply.json()["id"].as_str(), reply.header("RateLimit-Remaining")),
                (Some("rate_limit"), Some("0"))
            );
            return;
        }
    }
    panic!("it never ends");
}

#[test]
fn faults_happen_once_and_where_they_should() {
    let served = Served::start(demo(Stack::Container));
    let set = |method: &str, kind| {
        let fault =
            Fault { method: Some(method.into()), path: "/apps/demo/config-vars".into(), skip: 0, times: 1, kind };
        served.world.add_fault(&fault).unwrap();
    };
    let patch = |body: &str| send(&served.world, "PATCH", "/apps/demo/config-vars", &[], body.as_bytes());
    let too_many = FaultKind::Status {
        status: 429,
        id: "rate_limit".into(),
        message: "Your account reached the API rate limit.".into(),
        retry_after: Some(1),
        html: false,
    };
    set("PATCH", too_many);
    let reply = patch(r#"{"B": "1"}"#).unwrap();
    assert_eq!((reply.status, reply.header("Retry-After")), (429, Some("1")));
    set("PATCH", FaultKind::ResetBefore);
    assert!(patch(r#"{"B": "1"}"#).is_err());
    assert_eq!(get(&served.world, "/apps/demo/config-vars").get("B"), None);
    set("PATCH", FaultKind::ResetAfter);
    assert!(patch(r#"{"B": "1"}"#).is_err());
    assert_eq!(get(&served.world, "/apps/demo/config-vars")["B"], "1");
    assert!(served.world.faults().unwrap().is_empty());
    let statuses: Vec<Option<String>> = lockage::sandbox::requests(&served.dir())
        .unwrap()
        .into_iter()
        .filter(|request| request.method == "PATCH")
        .map(|request| request.status)
        .collect();
    assert_eq!(statuses, [Some("429".to_owned()), None, None]);
}
