//! What Heroku refuses: the class, what to do, nothing changed, nothing secret said.

use lockage::error::{Class, Failure as _};
use lockage::platforms::HEROKU;
use lockage::promote::{Fate, PlatformFault, Stack, State};
use lockage::sandbox::Stack as StartStack;
use lockage::secret::SecretString;

use crate::heroku_world::{
    APP, HerokuWorld, NEW, Repository, apply, build, change, done, fields, observe, resource, secret,
};

const PATH: &str = "/apps/demo-staging/config-vars";

#[tokio::test(flavor = "multi_thread")]
async fn refusals_say_what_to_do() {
    let world = HerokuWorld::start(StartStack::Container).await;
    let app = world.app(APP);
    let act = change("config", fields([("NEW", secret("new"))]));
    let before = observe(&*app, "config", &State::Absent).await;
    for (status, id, hint) in [
        (401, "unauthorized", "the API key in `HEROKU_API_KEY` is wrong or has expired"),
        (402, "delinquent", "unpaid bill"),
        (403, "forbidden", "may not do this"),
        (403, "two_factor", "needs a second factor"),
        (403, "suspended", "is suspended"),
        (404, "not_found", "is `demo-staging` the app's name"),
        (409, "conflict", "something else is changing"),
        (422, "verification_needed", "verified first"),
    ] {
        let message = "CANARY-heron is what the vendor echoed";
        world.fault(serde_json::json!({ "method": "PATCH", "path": PATH, "kind": "status", "status": status, "id": id, "message": message }));
        let error = app.send(&act, &Repository).await.unwrap_err();
        assert_eq!((error.class(), error.fate), (Class::World, Fate::NotProcessed), "{error}");
        assert!(error.hints()[0].contains(hint), "{id}: {:?}", error.hints());
        let PlatformFault::Refused { status: said, code, request_id } = &error.fault else { panic!("{error:?}") };
        assert!(*said == status && code.as_deref() == Some(id) && request_id.is_some(), "{error}");
        let whole = format!("{error} {error:?} {:?}", error.hints());
        assert!(!whole.contains("CANARY") && !whole.contains(world.world.endpoint().heroku_token.expose_secret()));
    }
    assert_eq!(observe(&*app, "config", &State::Absent).await, before, "nothing changed");
    assert_eq!(world.count("PATCH", PATH), 8, "nothing was repeated");
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_requests_wait_their_time() {
    let world = HerokuWorld::start(StartStack::Container).await;
    let app = world.app(APP);
    let act = change("config", fields([("NEW", secret("new"))]));
    world.fault(serde_json::json!({ "method": "PATCH", "path": PATH, "kind": "status", "status": 429, "id": "rate_limit", "times": 2 }));
    app.send(&act, &Repository).await.unwrap();
    assert_eq!(world.count("PATCH", PATH), 3);
    world.fault(serde_json::json!({ "method": "PATCH", "path": PATH, "kind": "status", "status": 429, "id": "rate_limit", "retry_after": 600 }));
    let error = app.send(&act, &Repository).await.unwrap_err();
    assert!(
        matches!(error.fault, PlatformFault::RateLimited { retry_after: Some(wait) } if wait.as_secs() == 600),
        "{error:?}"
    );
    assert_eq!(world.count("PATCH", PATH), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_are_asked_again() {
    let world = HerokuWorld::start(StartStack::Container).await;
    let app = world.app(APP);
    for fault in [
        serde_json::json!({ "method": "GET", "path": PATH, "kind": "status", "status": 503, "id": "maintenance" }),
        serde_json::json!({ "method": "GET", "path": PATH, "kind": "status", "status": 502, "html": true }),
        serde_json::json!({ "method": "GET", "path": PATH, "kind": "reset_before" }),
        serde_json::json!({ "method": "GET", "path": PATH, "kind": "reset_after" }),
    ] {
        world.fault(fault);
        observe(&*app, "config", &State::Absent).await;
    }
    world.fault(serde_json::json!({ "method": "GET", "path": PATH, "kind": "status", "status": 500, "times": 50 }));
    let resource = resource("config");
    let known = std::collections::BTreeMap::new();
    let query =
        lockage::promote::Query { resource: &resource, wanted: &State::Absent, known: &known, source: &Repository };
    let error = app.reader().observe(query).await.unwrap_err();
    assert!(matches!(error.fault, PlatformFault::Refused { status: 500, .. }), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_an_unknown_app_and_no_platform() {
    let world = HerokuWorld::start(StartStack::Container).await;
    let reader = |connection: &lockage::promote::Connection| (HEROKU.client.unwrap().reader)(connection);
    let mut wrong = world.connection(APP);
    wrong.credentials.insert("heroku-api-key", SecretString::new("CANARY-heron".into()));
    let error = reader(&wrong).unwrap().healthy().await.unwrap_err();
    assert!(matches!(error.fault, PlatformFault::Refused { status: 401, .. }), "{error:?}");
    let error = reader(&world.connection("nobody")).unwrap().healthy().await.unwrap_err();
    assert!(matches!(error.fault, PlatformFault::Refused { status: 404, .. }), "{error:?}");

    let mut nowhere = world.connection(APP);
    nowhere.endpoints = vec![format!("http://127.0.0.1:{}", crate::dns_servers::free_port())];
    let error = reader(&nowhere).unwrap().healthy().await.unwrap_err();
    assert!(
        matches!(&error.fault, PlatformFault::Unreachable { why } if why == "the connection is refused"),
        "{error:?}"
    );
    nowhere.endpoints = vec!["http://api.heroku.com".into()];
    assert_eq!(reader(&nowhere).err().unwrap().class(), Class::Usage, "never in clear to another machine");
    nowhere.credentials.clear();
    assert!(matches!(
        reader(&nowhere).err().unwrap().fault,
        PlatformFault::NoCredential { variable: "HEROKU_API_KEY", .. }
    ));
    assert_eq!(reader(&world.connection("../x")).err().unwrap().class(), Class::Usage);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_just_made_may_not_show_at_once() {
    let world = HerokuWorld::start(StartStack::Container).await;
    let app = world.app(APP);
    let act = change("build", build(Stack::Container, NEW, None));
    for path in ["/apps/demo-staging/builds/*", "/apps/demo-staging/releases/*"] {
        world.fault(serde_json::json!({ "method": "GET", "path": path, "kind": "status", "status": 404, "id": "not_found", "times": 2 }));
    }
    done(&apply(&*app, &act).await.unwrap());
}
