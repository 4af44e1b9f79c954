//! The Heroku client does what a promotion needs.

use lockage::promote::{Act, Check, Settled, Stack, State, Tests, Value, Verdict};
use lockage::sandbox::Stack as StartStack;

use crate::heroku_world::{
    APP, HerokuWorld, NEW, OLD, REVIEW, apply, build, change, done, fields, observe, secret, text,
};

fn check(words: &[(&str, &str)]) -> Check {
    let words = words.iter().map(|(word, value)| ((*word).to_owned(), serde_json::json!(value))).collect();
    Check { subject: "app".into(), words, timeout: None }
}

#[tokio::test(flavor = "multi_thread")]
async fn config_is_one_patch_of_the_differences() {
    let world = HerokuWorld::start(StartStack::Container).await;
    let app = world.app(APP);
    let wanted = fields([("NEW", secret("new")), ("PLAIN", text("yes")), ("STALE", Value::Absent)]);
    let before = observe(&*app, "config", &wanted).await;
    let State::Fields(live) = &before.state else { panic!() };
    assert_eq!(live["NEW"], Value::Absent);
    assert_eq!(live["STALE"], Value::Held { version: before.version.clone() }, "its value is nowhere at hand");
    assert_eq!(
        (before.restores, live.len()),
        (vec!["config".to_owned(), "build".to_owned()], 3),
        "KEEP is not spoken of"
    );

    let settled = apply(&*app, &change("config", wanted.clone())).await.unwrap();
    assert_eq!(done(&settled)["release"], "v2");
    assert_eq!(observe(&*app, "config", &wanted).await.state, wanted);
    assert_eq!(world.writes(), ["PATCH /apps/demo-staging/config-vars"]);
    let everything = observe(&*app, "config", &State::Absent).await.state;
    let State::Fields(everything) = everything else { panic!() };
    assert!(everything.values().all(|value| matches!(value, Value::Held { .. })), "{everything:?}");
    assert_eq!(everything.into_keys().collect::<Vec<_>>(), ["DATABASE_URL", "KEEP", "NEW", "PLAIN"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_app_builds_the_reviewed_commit() {
    let world = HerokuWorld::start(StartStack::Container).await;
    let review = observe(&*world.app(REVIEW), "build", &State::Absent).await.state;
    let State::Build(reviewed) = review else { panic!() };
    assert_eq!((reviewed.commit.as_deref(), reviewed.stack), (Some(NEW), Stack::Container));

    let app = world.app(APP);
    let settled = apply(&*app, &change("build", build(Stack::Container, NEW, None))).await.unwrap();
    let notes = done(&settled);
    assert!(notes["release"] == "v2" && !notes["build"].is_empty(), "{notes:?}");
    assert_eq!(
        world.writes().iter().map(|write| write.split("/uploads").next().unwrap()).collect::<Vec<_>>(),
        ["POST /sources", "PUT ", "POST /apps/demo-staging/builds"]
    );
    // A later config change, and a rollback of it, run the same build.
    apply(&*app, &change("config", fields([("A", text("1"))]))).await.unwrap();
    let State::Build(live) = observe(&*app, "build", &State::Absent).await.state else { panic!() };
    assert_eq!(live.commit.as_deref(), Some(NEW));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slug_app_releases_the_reviewed_slug() {
    let world = HerokuWorld::start(StartStack::Slug).await;
    let State::Build(reviewed) = observe(&*world.app(REVIEW), "build", &State::Absent).await.state else { panic!() };
    assert_eq!((reviewed.commit.as_deref(), reviewed.stack), (Some(NEW), Stack::Slug));
    let app = world.app(APP);
    let wanted = build(Stack::Slug, NEW, reviewed.slug.clone());
    let settled = apply(&*app, &change("build", wanted.clone())).await.unwrap();
    assert_eq!(done(&settled)["release"], "v2");
    let live = observe(&*app, "build", &State::Absent).await.state;
    assert!(live.meets(&wanted), "{live:?}");
    assert_eq!(world.writes(), ["POST /apps/demo-staging/releases"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn rolls_back_to_a_recorded_release() {
    let world = HerokuWorld::start(StartStack::Container).await;
    let app = world.app(APP);
    let start = observe(&*app, "config", &State::Absent).await;
    apply(&*app, &change("config", fields([("STALE", Value::Absent)]))).await.unwrap();
    apply(&*app, &change("build", build(Stack::Container, NEW, None))).await.unwrap();
    let act = Act::Restore { target: "app".into(), version: start.version.clone().unwrap(), covers: Vec::new() };
    let settled = apply(&*app, &act).await.unwrap();
    assert_eq!(done(&settled)["release"], "v4");
    let State::Build(live) = observe(&*app, "build", &State::Absent).await.state else { panic!() };
    assert_eq!(live.commit.as_deref(), Some(OLD), "code came back");
    let State::Fields(config) = observe(&*app, "config", &State::Absent).await.state else { panic!() };
    assert!(config.contains_key("STALE"), "and so did config");
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_builds_and_release_commands_are_failures() {
    let world = HerokuWorld::start(StartStack::Container).await;
    let app = world.app(APP);
    let act = change("build", build(Stack::Container, NEW, None));
    world.fault(serde_json::json!({ "path": APP, "kind": "build_fails" }));
    let Settled::Failed(why) = apply(&*app, &act).await.unwrap() else { panic!() };
    assert!(why.starts_with("the build failed"), "{why}");
    world.fault(serde_json::json!({ "path": APP, "kind": "release_fails" }));
    let Settled::Failed(why) = apply(&*app, &act).await.unwrap() else { panic!() };
    assert!(why.starts_with("the release command of v2 failed, and the release before it still serves"), "{why}");
    let State::Build(live) = observe(&*app, "build", &State::Absent).await.state else { panic!() };
    assert_eq!(live.commit.as_deref(), Some(OLD), "the old one still serves");
    assert!(matches!(app.reader().check(&check(&[("release", "succeeded")])).await.unwrap(), Verdict::Bad(_)));
    assert!(matches!(app.reader().healthy().await.unwrap(), Verdict::Bad(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn domains_come_go_and_have_targets() {
    let world = HerokuWorld::start(StartStack::Container).await;
    let app = world.app(APP);
    let host = "api.example.org";
    let both = fields([(host, text("present")), ("www.example.org", text("present"))]);
    assert_eq!(app.reader().fact("domain.cname").await.unwrap(), None);
    let notes = done(&apply(&*app, &change("domains", both.clone())).await.unwrap()).clone();
    assert_eq!(observe(&*app, "domains", &both).await.state, both);
    let cname = app.reader().fact("domain/api.example.org.cname").await.unwrap();
    assert_eq!(cname.as_ref(), notes.get("cname api.example.org"));
    assert!(app.reader().fact("domain.cname").await.is_err(), "which of the two?");

    let one = fields([(host, text("present")), ("www.example.org", Value::Absent)]);
    done(&apply(&*app, &change("domains", one.clone())).await.unwrap());
    assert_eq!(observe(&*app, "domains", &one).await.state, one);
    assert_eq!(app.reader().fact("domain.cname").await.unwrap(), cname);
    let posts = world.count("POST", "/apps/demo-staging/domains");
    assert_eq!(posts, 2, "what is there already is not sent");

    let automatic = fields([("", text("automatic"))]);
    done(&apply(&*app, &change("certificates", automatic.clone())).await.unwrap());
    assert_eq!(observe(&*app, "certificates", &automatic).await.state, automatic);
    assert_ne!(app.reader().fact("domain.cname").await.unwrap(), cname, "automatic certificates moved it");
    let off = fields([("", Value::Absent)]);
    done(&apply(&*app, &change("certificates", off.clone())).await.unwrap());
    assert_eq!(observe(&*app, "certificates", &automatic).await.state, off);

    let taken = world.app("other").send(&change("domains", one), &crate::heroku_world::Repository).await.unwrap_err();
    let hints = lockage::error::Failure::hints(&taken);
    assert!(hints[0].contains("on another app"), "{taken}: {hints:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn formation_addons_and_health() {
    let world = HerokuWorld::start(StartStack::Container).await;
    let app = world.app(APP);
    let wanted = fields([("web", text("2"))]);
    done(&apply(&*app, &change("formation", wanted.clone())).await.unwrap());
    assert_eq!(observe(&*app, "formation", &wanted).await.state, wanted);
    let sized = fields([("web", text("1:standard-1x"))]);
    done(&apply(&*app, &change("formation", sized.clone())).await.unwrap());
    assert_eq!(observe(&*app, "formation", &sized).await.state, sized);

    let addons = fields([("postgres", text("hobby-0")), ("redis", text("mini"))]);
    let live = fields([("postgres", text("hobby-0")), ("redis", Value::Absent)]);
    assert_eq!(observe(&*app, "addons", &addons).await.state, live);

    let up = check(&[("dynos", "up"), ("release", "succeeded")]);
    let verdict = loop {
        match app.reader().check(&up).await.unwrap() {
            Verdict::Waiting(_) => tokio::time::sleep(app.reader().interval()).await,
            verdict => break verdict,
        }
    };
    assert_eq!(verdict, Verdict::Good("1 web up on v1; v1 succeeded".into()));
    assert!(matches!(app.reader().healthy().await.unwrap(), Verdict::Good(_)));
    assert!(app.reader().check(&check(&[("dynos", "down")])).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_test_run_of_the_very_commit_counts() {
    let world = HerokuWorld::start(StartStack::Slug).await;
    let app = world.app(REVIEW);
    let green = |number| Tests::Asked(Verdict::Good(format!("test run {number} succeeded")));
    assert_eq!(app.reader().tested(NEW).await.unwrap(), green(1), "the review app's head was tested");
    assert_eq!(app.reader().tested(OLD).await.unwrap(), Tests::Absent("no test run of 111111111111".into()));

    let again = || {
        let pipeline = crate::client::get(&world.world, "/pipelines/demo")["id"].clone();
        let run = serde_json::json!({
            "commit_branch": "feature", "commit_message": "m", "commit_sha": NEW, "pipeline": pipeline,
            "source_blob_url": "https://example.org/source.tgz",
        });
        tokio::task::block_in_place(|| crate::client::ask(&world.world, "POST", "/test-runs", run, 201))
    };
    world.fault(serde_json::json!({ "path": "demo", "kind": "tests_fail" }));
    again();
    let mut answers = Vec::new();
    while !matches!(answers.last(), Some(Tests::Asked(Verdict::Bad(_)))) {
        answers.push(app.reader().tested(NEW).await.unwrap());
    }
    assert_eq!(answers.pop(), Some(Tests::Asked(Verdict::Bad("test run 2 is `failed`".into()))));
    let pending = Tests::Asked(Verdict::Waiting("test run 2 has not ended".into()));
    assert!(!answers.is_empty() && answers.iter().all(|answer| *answer == pending), "{answers:?}");
    again();
    while app.reader().tested(NEW).await.unwrap() != green(3) {}

    let container = HerokuWorld::start(StartStack::Container).await;
    assert_eq!(container.app(REVIEW).reader().tested(NEW).await.unwrap(), Tests::None);
}
