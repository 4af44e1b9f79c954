//! Whatever happens to a request, it is made exactly once.

use lockage::promote::Stack;
use lockage::promote::{Act, Fate, State, Value};
use lockage::sandbox::Stack as StartStack;

use crate::heroku_world::{
    APP, HerokuWorld, NEW, OLD, REVIEW, Repository, apply_once, build, change, done, fields, observe, secret, text,
};

/// Every kind of write, the path it goes to, and whether the world may be asked how often it was made.
async fn acts(world: &HerokuWorld, stack: StartStack) -> Vec<(Act, &'static str, &'static str)> {
    let app = world.app(APP);
    let start = observe(&*app, "config", &State::Absent).await.version.unwrap();
    let mut acts = vec![
        (
            change("config", fields([("NEW", secret("new")), ("STALE", Value::Absent)])),
            "PATCH",
            "/apps/demo-staging/config-vars",
        ),
        (change("formation", fields([("web", text("2"))])), "PATCH", "/apps/demo-staging/formation"),
        (change("domains", fields([("api.example.org", text("present"))])), "POST", "/apps/demo-staging/domains"),
        (change("certificates", fields([("", text("automatic"))])), "POST", "/apps/demo-staging/acm"),
    ];
    if stack == StartStack::Slug {
        let State::Build(reviewed) = observe(&*world.app(REVIEW), "build", &State::Absent).await.state else {
            panic!()
        };
        acts.push((change("build", build(Stack::Slug, NEW, reviewed.slug)), "POST", "/apps/demo-staging/releases"));
    } else {
        acts.push((change("build", build(Stack::Container, NEW, None)), "POST", "/apps/demo-staging/builds"));
    }
    let back = Act::Restore { target: "app".into(), version: start, covers: Vec::new() };
    acts.push((back, "POST", "/apps/demo-staging/releases"));
    acts
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_whose_answer_is_lost_is_adopted() {
    for stack in [StartStack::Container, StartStack::Slug] {
        for lost in ["reset_after", "status"] {
            let world = HerokuWorld::start(stack).await;
            let app = world.app(APP);
            for (act, method, path) in acts(&world, stack).await {
                let before = world.count(method, path);
                // A 5xx is what the edge says when the answer behind it is lost; here nothing was done.
                let times = usize::from(lost == "status") + 1;
                world.fault(serde_json::json!({ "method": method, "path": path, "kind": lost, "status": 503 }));
                done(&apply_once(&*app, &act).await.unwrap());
                assert_eq!(world.count(method, path) - before, times, "{stack:?} {lost} {act:?}");
            }
            let releases = world.count("PATCH", "/apps/demo-staging/config-vars");
            assert!(releases > 0);
            let version = app.reader().watermark(&change("config", fields([]))).await.unwrap();
            assert_eq!(version.0, "4", "config, build and rollback made one release each: {stack:?} {lost}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_never_arrived_is_sent_again_by_the_one_who_looked() {
    let world = HerokuWorld::start(StartStack::Container).await;
    let app = world.app(APP);
    for (act, method, path) in acts(&world, StartStack::Container).await {
        world.fault(serde_json::json!({ "method": method, "path": path, "kind": "reset_before" }));
        let since = app.reader().watermark(&act).await.unwrap();
        let error = app.send(&act, &Repository).await.unwrap_err();
        assert_eq!(error.fate, Fate::Unknown, "{act:?}");
        assert_eq!(app.reader().adopt(&act, &since, &Repository).await.unwrap(), None, "{act:?}");
        done(&apply_once(&*app, &act).await.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_build_of_the_same_commit_is_not_adopted() {
    let world = HerokuWorld::start(StartStack::Container).await;
    let app = world.app(APP);
    let act = change("build", build(Stack::Container, NEW, None));
    let first = app.send(&act, &Repository).await.unwrap();
    let since = app.reader().watermark(&act).await.unwrap();
    app.send(&change("build", build(Stack::Container, OLD, None)), &Repository).await.unwrap();
    assert_eq!(
        app.reader().adopt(&act, &since, &Repository).await.unwrap(),
        None,
        "and a newer one of another commit neither"
    );
    let second = app.send(&act, &Repository).await.unwrap();
    let adopted = app.reader().adopt(&act, &since, &Repository).await.unwrap().unwrap();
    assert!(adopted.id == second.id && adopted.id != first.id);
}
