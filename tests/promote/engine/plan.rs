//! What a plan says, what it does not say, and when it is refused.

use lockage::error::{Class, Failure as _, Outcome};
use lockage::promote::{Act, Plan, PlanFileError, PromoteError, Purpose, State, Task, Undo, Value};

use super::fixture::{BLOB, Fixture, NEW, OLDER_BLOB, STAGING};

fn acts(plan: &Plan) -> Vec<String> {
    let write = |step: &lockage::promote::Step| matches!(step.task, Task::Write(_)).then(|| step.what());
    plan.steps.iter().filter_map(write).collect()
}

#[test]
fn the_first_plan_has_every_change_in_the_order_of_the_list() {
    let fixture = Fixture::new();
    let plan = fixture.plan().unwrap();
    assert_eq!(
        acts(&plan),
        ["app config", "app build", "app domains", "app certificates", "dns records api-staging/CNAME"]
    );
    assert_eq!(plan.purpose, Purpose::Promotion { from: "review/pr-80".parse().unwrap() });
    assert_eq!(plan.artifact.as_ref().unwrap().commit, NEW);
    assert!(plan.notes.iter().any(|note| note.contains("2 times")), "{:?}", plan.notes);
    assert!(plan.gates.iter().any(|gate| gate.question == "CI" && !gate.asked), "{:?}", plan.gates);
    assert!(fixture.world.get().log.is_empty(), "a plan writes nothing");
}

#[test]
fn a_named_instance_is_asked_itself() {
    let fixture = Fixture::new();
    let mut request = fixture.request();
    request.from = Some("review/pr-80".parse().unwrap());
    let plan = super::fixture::run(fixture.engine().plan(&request)).unwrap();
    assert_eq!(plan.artifact.as_ref().unwrap().commit, NEW);
    assert_eq!(plan.targets.iter().map(|target| target.name.as_str()).collect::<Vec<_>>(), ["app", "dns"]);
    assert_eq!(plan.target("app").unwrap().address_text(), "pangeo-forge-api-staging");
}

#[test]
fn delivered_and_plain_variables_are_one_write_and_only_differences_are_in_it() {
    let plan = Fixture::new().plan().unwrap();
    let Task::Write(write) = &plan.steps[0].task else { panic!() };
    let Act::Change(change) = &write.act else { panic!() };
    let (State::Fields(before), State::Fields(after)) = (&change.before, &change.after) else { panic!() };
    assert_eq!(before.keys().collect::<Vec<_>>(), ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]);
    assert_eq!(before["AWS_ACCESS_KEY_ID"], Value::Held { version: Some("v1".to_owned()) });
    assert_eq!(before["AWS_SECRET_ACCESS_KEY"], Value::Absent);
    assert!(after.values().all(|value| matches!(value, Value::Secret(one) if one.blob == BLOB && one.file == STAGING)));
    assert_eq!(write.undo, Undo::Restore { version: "v1".to_owned(), covers: vec!["config".into(), "build".into()] });
}

#[test]
fn a_live_value_of_an_older_blob_is_recognised_and_undone_by_it() {
    let plan = Fixture::new().with_known_origin().plan().unwrap();
    let Task::Write(write) = &plan.steps[0].task else { panic!() };
    let Act::Change(change) = &write.act else { panic!() };
    let State::Fields(before) = &change.before else { panic!() };
    assert!(matches!(&before["AWS_ACCESS_KEY_ID"], Value::Secret(one) if one.blob == OLDER_BLOB));
    assert_eq!(write.undo, Undo::Inverse);
}

#[test]
fn what_a_step_makes_known_is_known_after_apply() {
    let plan = Fixture::new().plan().unwrap();
    let Task::Write(write) = &plan.steps[4].task else { panic!() };
    let Act::Change(change) = &write.act else { panic!() };
    let State::Records(set) = &change.after else { panic!() };
    assert!(matches!(&set.data[0], Value::Fact(fact) if fact.to_string() == "${app.domain.cname}"), "{set:?}");
}

#[test]
fn no_plan_holds_a_secret_and_it_comes_back_from_its_file() {
    let plan = Fixture::new().plan().unwrap();
    let text = plan.to_json().unwrap();
    assert!(!text.contains("CANARY"), "{text}");
    assert_eq!(Plan::from_json(&text).unwrap(), plan);
    let edited = text.replace("pangeo-forge-api-staging", "pangeo-forge-api-prod");
    assert_eq!(Plan::from_json(&edited), Err(PlanFileError::Edited));
    assert!(matches!(Plan::from_json("{\"schema\": \"lockage.plan/9\"}"), Err(PlanFileError::Schema(_))));
    assert!(matches!(Plan::from_json("{"), Err(PlanFileError::Malformed { line: 1, .. })));
}

#[test]
fn a_second_plan_is_empty() {
    let fixture = Fixture::new();
    let plan = fixture.plan().unwrap();
    assert_eq!(fixture.apply(&plan).unwrap().outcome, Outcome::Applied);
    let again = fixture.plan().unwrap();
    assert!(again.is_empty(), "{:?}", acts(&again));
    assert!(again.ledger.is_some());
}

#[test]
fn a_plan_is_stale_when_the_world_or_the_ledger_moved() {
    let fixture = Fixture::new();
    let plan = fixture.plan().unwrap();
    let moved = |change: &dyn Fn(&Fixture)| {
        let fixture = Fixture::new();
        let plan = fixture.plan().unwrap();
        change(&fixture);
        let before = fixture.world.facts();
        let error = fixture.apply(&plan).unwrap_err();
        assert!(matches!(error, PromoteError::Stale { .. }), "{error}");
        assert_eq!((error.class(), error.outcome()), (Class::No, Some(Outcome::Unchanged)));
        assert_eq!(fixture.world.facts(), before);
        assert!(fixture.resume().unwrap().is_none(), "nothing is left to resume");
    };
    let app = "pangeo-forge-api-staging";
    moved(&|fixture| drop(fixture.world.get().apps.get_mut(app).unwrap().config.remove("AWS_ACCESS_KEY_ID")));
    moved(&|fixture| fixture.world.get().apps.get_mut(app).unwrap().automatic = true);
    moved(&|fixture| {
        drop(fixture.world.get().zone.insert("api-staging/CNAME".into(), (60, vec!["elsewhere.example".into()])))
    });
    // What agreed when the plan was made counts as well.
    moved(&|fixture| {
        fixture.world.get().apps.get_mut(app).unwrap().config.insert("PANGEO_FORGE_DEPLOYMENT".into(), "other".into());
    });
    fixture.apply(&plan).unwrap();
    let stale = fixture.apply(&plan).unwrap_err();
    assert!(matches!(stale, PromoteError::Stale { .. }), "{stale}");
}

#[test]
fn what_cannot_be_planned_says_where_and_why() {
    let mut fixture = Fixture::new();
    let error = |fixture: &Fixture, from: Option<&str>, to: &str, approved: bool| {
        let mut request = fixture.request();
        request.from = from.map(|from| from.parse().unwrap());
        request.to = to.parse().unwrap();
        request.approved = approved;
        super::fixture::run(fixture.engine().plan(&request)).unwrap_err()
    };
    let unapproved = error(&fixture, Some("staging"), "prod", false);
    assert_eq!(
        unapproved.to_string(),
        "pipelines/pangeo-forge.yaml:74:14: `approve` is a known word, but nothing can do it yet"
    );
    assert_eq!(unapproved.class(), Class::Usage);
    let skipped = error(&fixture, Some("review"), "prod", true);
    assert_eq!(skipped.to_string(), "`prod` does not come after `review` but after `staging`");
    assert!(
        matches!(error(&fixture, Some("review"), "stagin", true), PromoteError::NoStage { nearest: Some(near), .. } if near == "staging")
    );
    assert!(matches!(
        error(&fixture, Some("review/pr-80"), "staging/x", true),
        PromoteError::Instances { needed: false, .. }
    ));
    // Two instances that run the same commit: which is meant is not clear.
    fixture.repository.files.insert("secrets/config.pforge-pr-81.yaml".into(), "dd".repeat(20));
    fixture.world.add_app("pforge-pr-81", super::world::App { commit: NEW.to_owned(), ..Default::default() });
    match error(&fixture, Some("review"), "staging", false) {
        PromoteError::Instance { fitting, .. } => assert_eq!(fitting, ["pr-80", "pr-81"]),
        other => panic!("{other}"),
    }
    fixture.repository.changed = Some(STAGING.to_owned());
    let changed = error(&fixture, Some("review/pr-80"), "staging", false);
    assert_eq!(
        (changed.to_string(), changed.class()),
        (format!("`{STAGING}` differs from the version that HEAD has"), Class::Usage)
    );
    fixture.repository.changed = None;
    fixture.world.get().apps.get_mut("pangeo-forge-api-staging").unwrap().addons.clear();
    let missing = error(&fixture, Some("review/pr-80"), "staging", false);
    assert!(matches!(&missing, PromoteError::Missing { field, .. } if field == "postgres"), "{missing}");
}
