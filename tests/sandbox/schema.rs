//! Every answer of every route against the vendor's published schema (third-party data, read through the environment).

use std::collections::{BTreeMap, BTreeSet};

use jsonschema::Validator;
use lockage::sandbox::Stack;
use serde_json::{Map, Value, json};

use crate::client::{ask, get, send};
use crate::common::spec;
use crate::world::{Served, demo};

/// The schema, ready to judge answers; and which routes have been judged.
struct Judge {
    schema: Value,
    served: Served,
    validators: BTreeMap<String, Validator>,
    judged: BTreeSet<String>,
}

impl Judge {
    fn new(stack: Stack) -> Option<Self> {
        let text = std::fs::read_to_string(spec("heroku-schema.json")?).unwrap();
        let schema = strict(serde_json::from_str(&text).unwrap());
        Some(Self { schema, served: Served::start(demo(stack)), validators: BTreeMap::new(), judged: BTreeSet::new() })
    }

    /// Sends the request and holds the answer to one resource of the schema, or to a list of it (`[resource]`).
    fn check(&mut self, method: &str, path: &str, body: Value, status: u16, resource: &str) -> Value {
        let answer = ask(&self.served.world, method, path, body, status);
        let list = resource.starts_with('[');
        let schema = &self.schema;
        let validator = self.validators.entry(resource.to_owned()).or_insert_with(|| validator(schema, resource));
        let errors: Vec<String> =
            validator.iter_errors(&answer).map(|error| format!("{} at {}", error, error.instance_path())).collect();
        assert!(errors.is_empty(), "{method} {path}: {}\n{answer:#}", errors.join("\n"));
        if list {
            assert!(!answer.as_array().unwrap().is_empty(), "{method} {path}: an empty list proves nothing");
        }
        self.judged.insert(format!("{method} {}", shape(path)));
        answer
    }

    /// For routes that the schema does not have, or whose answers are no JSON.
    fn seen(&mut self, method: &str, path: &str) {
        self.judged.insert(format!("{method} {}", shape(path)));
    }
}

#[test]
fn every_answer_of_every_route_is_valid() {
    let mut judged = BTreeSet::new();
    for stack in [Stack::Container, Stack::Slug] {
        let Some(mut judge) = Judge::new(stack) else { return };
        account_and_apps(&mut judge);
        builds_and_releases(&mut judge, stack);
        running(&mut judge);
        pipelines(&mut judge, stack);
        judged.append(&mut judge.judged);
    }
    let missing: Vec<String> = routes().difference(&judged).cloned().collect();
    assert!(missing.is_empty(), "not judged: {missing:#?}");
}

fn account_and_apps(judge: &mut Judge) {
    judge.check("GET", "/account", Value::Null, 200, "account");
    judge.check("GET", "/users/~", Value::Null, 200, "account");
    judge.check("GET", "/account/rate-limits", Value::Null, 200, "rate-limit");
    judge.check("GET", "/account/features/some-feature", Value::Null, 200, "account-feature");
    judge.check("POST", "/apps", json!({"name": "fresh"}), 201, "app");
    judge.check("GET", "/apps/fresh/releases", Value::Null, 200, "[release]");
    let app = judge.check("GET", "/apps/demo", Value::Null, 200, "app");
    judge.check("PATCH", "/apps/demo", json!({"maintenance": false}), 200, "app");
    judge.check("GET", "/apps", Value::Null, 200, "[app]");
    judge.check("POST", "/filters/apps", json!({"in": {"id": [app["id"]]}}), 200, "[team-app]");
    judge.check("GET", "/apps/demo/config-vars", Value::Null, 200, "config-var/definitions/config_vars");
    judge.check("PATCH", "/apps/demo/config-vars", json!({"B": "2"}), 200, "config-var/definitions/config_vars");
    judge.check("GET", "/apps/demo/releases/1/config-vars", Value::Null, 200, "config-var/definitions/config_vars");
    judge.check("POST", "/apps/demo/addons", json!({"plan": "heroku-redis:mini"}), 201, "add-on");
    let addons = judge.check("GET", "/apps/demo/addons", Value::Null, 200, "[add-on]");
    let addon = addons[0]["name"].as_str().unwrap().to_owned();
    judge.check("GET", &format!("/apps/demo/addons/{addon}"), Value::Null, 200, "add-on");
}

fn builds_and_releases(judge: &mut Judge, stack: Stack) {
    let source = judge.check("POST", "/sources", Value::Null, 201, "source");
    judge.check("POST", "/apps/demo/sources", Value::Null, 201, "source");
    let url = source["source_blob"]["put_url"].as_str().unwrap();
    let put = url.strip_prefix(&judge.served.world.endpoint().heroku_url).unwrap();
    assert_eq!(send(&judge.served.world, "PUT", put, &[], &[0x1f, 0x8b]).unwrap().status, 200);
    judge.seen("PUT", put);
    let blob = json!({"source_blob": {"url": url, "version": "f".repeat(40)}});
    let build = judge.check("POST", "/apps/demo/builds", blob, 201, "build");
    let path = format!("/apps/demo/builds/{}", build["id"].as_str().unwrap());
    judge.check("GET", &path, Value::Null, 200, "build");
    let build = judge.check("GET", &path, Value::Null, 200, "build");
    judge.check("GET", "/apps/demo/builds", Value::Null, 200, "[build]");
    let stream = build["output_stream_url"].as_str().unwrap();
    let stream = stream.strip_prefix(&judge.served.world.endpoint().heroku_url).unwrap();
    assert!(send(&judge.served.world, "GET", stream, &[("Authorization", "")], b"").unwrap().body.contains("Built"));
    judge.seen("GET", stream);

    let release = format!("/apps/demo/releases/{}", build["release"]["id"].as_str().unwrap());
    judge.check("GET", &release, Value::Null, 200, "release");
    let release = judge.check("GET", &release, Value::Null, 200, "release");
    judge.check("GET", "/apps/demo/releases", Value::Null, 200, "[release]");
    judge.check("POST", "/apps/demo/releases", json!({"release": release["id"]}), 201, "release");
    match stack {
        Stack::Container => {
            let image = release["artifacts"][0]["id"].as_str().unwrap();
            judge.check("GET", &format!("/apps/demo/oci-images/{image}"), Value::Null, 200, "[oci-image]");
        }
        Stack::Slug => {
            let slug = build["slug"]["id"].as_str().unwrap();
            judge.check("GET", &format!("/apps/demo/slugs/{slug}"), Value::Null, 200, "slug");
            let made = json!({"process_types": {"web": "run"}, "commit": "f".repeat(40)});
            let slug = judge.check("POST", "/apps/demo/slugs", made, 201, "slug");
            judge.check("POST", "/apps/demo/releases", json!({"slug": slug["id"]}), 201, "release");
        }
    }
}

fn running(judge: &mut Judge) {
    judge.check("GET", "/apps/demo/formation", Value::Null, 200, "[formation]");
    judge.check("GET", "/apps/demo/formation/web", Value::Null, 200, "formation");
    judge.check("PATCH", "/apps/demo/formation/web", json!({"quantity": 1}), 200, "formation");
    let update = json!({"updates": [{"type": "web", "quantity": "2", "dyno_size": {"name": "standard-1x"}}]});
    judge.check("PATCH", "/apps/demo/formation", update, 200, "[formation]");
    judge.check("POST", "/apps/demo/dynos", json!({"command": "true", "attach": false}), 201, "dyno");
    judge.check("GET", "/apps/demo/dynos", Value::Null, 200, "[dyno]");
    assert_eq!(ask(&judge.served.world, "DELETE", "/apps/demo/dynos", Value::Null, 202), json!({}));
    judge.seen("DELETE", "/apps/demo/dynos");

    let domain = json!({"hostname": "www.example.org", "sni_endpoint": null});
    let domain = judge.check("POST", "/apps/demo/domains", domain, 201, "domain");
    judge.check("POST", "/apps/demo/acm", json!({}), 200, "app");
    judge.check("PATCH", "/apps/demo/acm", json!({"acm_refresh": true}), 200, "app");
    let domain = format!("/apps/demo/domains/{}", domain["id"].as_str().unwrap());
    let target = judge.check("GET", &domain, Value::Null, 200, "domain")["cname"].as_str().unwrap().to_owned();
    if crate::common::peer("nsupdate").is_some() {
        crate::zone_tools::update_zone(&judge.served, &format!("update add www.example.org 60 CNAME {target}."));
        for _ in 0..8 {
            judge.served.ask_second("example.org");
            judge.check("GET", "/apps/demo/domains", Value::Null, 200, "[domain]");
        }
        judge.check("GET", "/apps/demo/sni-endpoints", Value::Null, 200, "[sni-endpoint]");
    }
    judge.check("PATCH", &domain, json!({"sni_endpoint": null}), 200, "domain");
    judge.check("DELETE", &domain, Value::Null, 200, "domain");
    judge.check("DELETE", "/apps/demo/acm", Value::Null, 200, "app");
}

fn pipelines(judge: &mut Judge, stack: Stack) {
    judge.check("POST", "/pipelines", json!({"name": "other"}), 201, "pipeline");
    judge.check("GET", "/pipelines", Value::Null, 200, "[pipeline]");
    let pipeline = judge.check("GET", "/pipelines/demo-pipe", Value::Null, 200, "pipeline");
    let within = |what: &str| format!("/pipelines/{}/{what}", pipeline["id"].as_str().unwrap());
    judge.check("GET", &within("pipeline-couplings"), Value::Null, 200, "[pipeline-coupling]");
    judge.check("GET", &within("latest-releases"), Value::Null, 200, "[pipeline-release]");
    judge.check("GET", &within("latest-builds"), Value::Null, 200, "[pipeline-build]");
    let reviews = judge.check("GET", &within("review-apps"), Value::Null, 200, "[review-app]");
    let run = json!({
        "commit_branch": "topic",
        "commit_message": "A change",
        "commit_sha": "f".repeat(40),
        "pipeline": pipeline["id"],
        "source_blob_url": "https://example.org/source.tgz",
    });
    let run = judge.check("POST", "/test-runs", run, 201, "test-run");
    judge.check("GET", &within("test-runs"), Value::Null, 200, "[test-run]");
    let by_number = format!("test-runs/{}", run["number"]);
    assert_eq!(judge.check("GET", &within(&by_number), Value::Null, 200, "test-run")["status"], "running");
    let by_id = format!("/test-runs/{}", run["id"].as_str().unwrap());
    assert_eq!(judge.check("GET", &by_id, Value::Null, 200, "test-run")["status"], "succeeded");
    let review = format!("/review-apps/{}", reviews[0]["id"].as_str().unwrap());
    judge.check("GET", &review, Value::Null, 200, "review-app");
    judge.check("GET", "/apps/demo-pr-80/review-app", Value::Null, 200, "review-app");
    // The client's own, which the schema does not have.
    assert!(get(&judge.served.world, &within("repo"))["full_name"].is_string());
    judge.seen("GET", &within("repo"));
    for (method, body, status) in [
        ("POST", json!({"repo": "o/r"}), 201),
        ("GET", Value::Null, 200),
        ("PATCH", json!({"automatic_review_apps": true}), 200),
        ("DELETE", Value::Null, 200),
    ] {
        judge.check(method, &within("review-app-config"), body, status, "review-app-config");
    }

    let of_app = judge.check("GET", "/apps/demo/pipeline-couplings", Value::Null, 200, "pipeline-coupling");
    let coupling = format!("/pipeline-couplings/{}", of_app["id"].as_str().unwrap());
    judge.check("GET", &coupling, Value::Null, 200, "pipeline-coupling");
    judge.check("PATCH", &coupling, json!({"stage": "production"}), 200, "pipeline-coupling");
    judge.check("DELETE", &coupling, Value::Null, 200, "pipeline-coupling");
    let again = json!({"app": "demo", "pipeline": pipeline["id"], "stage": "production"});
    judge.check("POST", "/pipeline-couplings", again, 201, "pipeline-coupling");
    if stack == Stack::Container {
        return;
    }
    let id = |app: &str| get(&judge.served.world, &format!("/apps/{app}"))["id"].clone();
    let wanted = json!({
        "pipeline": {"id": pipeline["id"]},
        "source": {"app": {"id": id("demo-staging")}},
        "targets": [{"app": {"id": id("demo")}}],
    });
    let promotion = judge.check("POST", "/pipeline-promotions", wanted, 201, "pipeline-promotion");
    let path = format!("/pipeline-promotions/{}", promotion["id"].as_str().unwrap());
    for _ in 0..4 {
        judge.check("GET", &format!("{path}/promotion-targets"), Value::Null, 200, "[pipeline-promotion-target]");
    }
    let promotion = judge.check("GET", &path, Value::Null, 200, "pipeline-promotion");
    assert_eq!(promotion["status"], "completed");
}

/// What judges one resource of the schema, or a list of it.
fn validator(schema: &Value, resource: &str) -> Validator {
    let list = resource.strip_prefix('[').map(|rest| rest.trim_end_matches(']'));
    let pointer = format!("#/definitions/{}", list.unwrap_or(resource));
    let mut schema = schema.clone();
    let root = schema.as_object_mut().unwrap();
    match list {
        // A reference hides what stands beside it in this draft, and the definitions are reached through it all the same.
        None => root.extend([("$ref".to_owned(), json!(pointer))]),
        Some(_) => root.extend([("type".to_owned(), json!("array")), ("items".to_owned(), json!({ "$ref": pointer }))]),
    }
    let options = jsonschema::options().with_draft(jsonschema::Draft::Draft4).should_validate_formats(true);
    options.build(&schema).unwrap()
}

/// The schema with what its `strictProperties` means: each property has to be there. What only its own dialect knows,
/// and identifiers that would move the base of references, go.
fn strict(schema: Value) -> Value {
    match schema {
        Value::Object(mut entries) => {
            // A host name has the format `uri` there, which its own example does not have.
            if entries.get("example").and_then(Value::as_str).is_some_and(|example| !example.contains("://")) {
                entries.retain(|name, value| name != "format" || value != "uri");
            }
            let mut kept: Map<String, Value> = entries
                .into_iter()
                .filter(|(name, value)| {
                    !(matches!(name.as_str(), "$schema" | "example" | "links") || name == "id" && value.is_string())
                })
                .map(|(name, value)| (name, strict(value)))
                .collect();
            if kept.get("strictProperties") == Some(&Value::Bool(true))
                && let Some(Value::Object(properties)) = kept.get("properties")
            {
                let names: Vec<Value> = properties.keys().cloned().map(Value::from).collect();
                kept.insert("required".into(), Value::Array(names));
            }
            // This draft knows no empty list of what is required.
            if kept.get("required").and_then(Value::as_array).is_some_and(Vec::is_empty) {
                kept.remove("required");
            }
            Value::Object(kept)
        }
        Value::Array(items) => items.into_iter().map(strict).collect(),
        other => other,
    }
}

/// The routes by the code's own table: `GET /apps/*/releases`.
fn routes() -> BTreeSet<String> {
    let source = include_str!("../../src/sandbox/heroku/routes.rs");
    let entry = regex::Regex::new(r#"\(((?:method @ \()?"[A-Z" |]+\)?), (\[.*?\])\) =>"#).unwrap();
    let mut found = BTreeSet::new();
    for route in entry.captures_iter(source) {
        for method in route[1]
            .split('"')
            .filter(|word| word.chars().all(|letter| letter.is_ascii_uppercase()) && !word.is_empty())
        {
            for path in route[2].split(" | ") {
                let parts = path.trim_matches(['[', ']']).split(", ");
                let parts = parts.map(|part| part.strip_prefix('"').map_or("*", |part| part.trim_end_matches('"')));
                found.insert(format!("{method} /{}", parts.collect::<Vec<_>>().join("/")));
            }
        }
    }
    assert!(found.len() > 60, "{found:#?}");
    found
}

/// The route of a path: `*` for every part that names one thing.
fn shape(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    let kinds = [
        "account",
        "users",
        "apps",
        "filters",
        "pipelines",
        "pipeline-couplings",
        "pipeline-promotions",
        "review-apps",
        "sources",
        "streams",
        "test-runs",
        "uploads",
    ];
    let fixed = ["~", "rate-limits", "features"];
    let shaped = parts.iter().enumerate().map(|(at, part)| {
        let within_filter = at == 1 && parts[0] == "filters";
        let names_a_kind = at % 2 == 0 && (at > 0 || kinds.contains(part));
        let names_a_kind = names_a_kind && !(parts[0] == "account" && at == 2);
        if within_filter || names_a_kind || fixed.contains(part) && at == 1 { part } else { "*" }
    });
    format!("/{}", shaped.collect::<Vec<_>>().join("/"))
}
