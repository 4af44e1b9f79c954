//! Pipeline files: the five drafts are known whole, and every complaint has a place and the nearest word.

use lockage::error::Failure as _;
use lockage::platforms::DESCRIPTORS;
use lockage::promote::{ChoiceError, Pipeline, PipelineError, Pipelines};

use super::fixture::{PIPELINE, pipeline_text};

const FIVE: [&str; 5] = ["cm-service", "pangeo-forge", "scopem", "sgmp", "usdf"];

#[test]
fn every_word_of_the_five_is_known() {
    for name in FIVE {
        let pipeline = Pipeline::parse(&format!("pipelines/{name}.yaml"), &pipeline_text(name), DESCRIPTORS).unwrap();
        assert_eq!(pipeline.name, name);
        assert!(!pipeline.steps.is_empty() && !pipeline.stages.is_empty());
    }
}

/// The complaint about the pangeo-forge file with `from` replaced by `to`.
fn complaint(from: &str, to: &str) -> String {
    let text = PIPELINE;
    assert!(text.contains(from), "{from}");
    let error = Pipeline::parse("p.yaml", &text.replacen(from, to, 1), DESCRIPTORS).unwrap_err();
    assert_eq!(error.class().code(), 2);
    error.to_string()
}

#[test]
fn every_complaint_has_a_place_and_the_nearest_word() {
    let cases = [
        ("\nsteps:", "\nstps:", "p.yaml:20:1: `stps` is not a word of a pipeline; the nearest is `steps`"),
        ("  branch: main", "  brnch: main", "p.yaml:6:3: `brnch` is not a word of `artifact`; the nearest is `branch`"),
        (
            "stack: container",
            "stack: containr",
            "p.yaml:7:10: `containr` is not a word of `stack`; the nearest is `container`",
        ),
        ("{heroku: ", "{herokuu: ", "p.yaml:11:10: `herokuu` is not a word of a target; the nearest is `heroku`"),
        (
            "he.net: pangeo-forge.org, login",
            "he.net: pangeo-forge.org, logn",
            "p.yaml:12:36: `logn` is not a word of a `he.net` target; the nearest is `login`",
        ),
        (
            "  - deliver: here",
            "  - delivr: here",
            "p.yaml:21:5: a step has exactly one of `edit`, `deliver`, `apply`, `run`, `scale`, `check`, `together`; this one has 0; the nearest is `deliver`",
        ),
        (
            "to: config-vars",
            "to: config-var",
            "p.yaml:27:9: `config-var` is not a word of `deliver` to a `heroku` target; the nearest is `config-vars`",
        ),
        ("deliver: app", "deliver: ap", "p.yaml:26:14: there is no target `ap`; the nearest is `app`"),
        (
            "AWS_ACCESS_KEY_ID: aws-access-key-id",
            "AWS_ACCESS_KEY_ID: aws-acess-key-id",
            "p.yaml:28:31: there is no secret `aws-acess-key-id`; the nearest is `aws-access-key-id`",
        ),
        (
            "    config: {",
            "    confg: {",
            "p.yaml:33:5: `confg` is not a word of `apply` of a `heroku` target; the nearest is `config`",
        ),
        ("dynos: up", "dynos: 3", "p.yaml:49:25: `dynos` is not one of `up`"),
        ("status: 200", "status: ok", "p.yaml:51:45: `status` is not a whole number"),
        (
            "timeout: 10m",
            "timeout: 10 minutes",
            "p.yaml:49:58: `10 minutes` is not a duration (a whole number and one of s, m, h, d)",
        ),
        ("expires: 2d", "expires: d", "p.yaml:63:14: `d` is not a duration (a whole number and one of s, m, h, d)"),
        ("only: [local]", "only: [locl]", "p.yaml:24:12: there is no stage `locl`; the nearest is `local`"),
        ("after: review", "after: reviw", "p.yaml:67:12: there is no stage `reviw`; the nearest is `review`"),
        (
            "    after: local\n",
            "    after: prod\n",
            "p.yaml:60:12: the stages `review` → `staging` → `prod` → `review` come after each other in a circle",
        ),
        (
            "${app.domain.cname}",
            "${app.domain.cnam}",
            "p.yaml:45:59: there is no fact `app.domain.cnam`; the nearest is `domain.cname`",
        ),
        (
            "${postgres}",
            "${postgrs}",
            "p.yaml:34:25: the stage `review` does not set `postgrs`, which is used here; the nearest is `postgres`",
        ),
        ("${postgres}", "${postgres", "p.yaml:34:25: `${postgres` has a `${` that is not closed"),
        (
            "  staging:\n",
            "  Staging:\n",
            "p.yaml:66:3: `Staging` cannot be the name of a stage (lower-case letters, digits, `-`)",
        ),
        ("approve: 1", "approve: one", "p.yaml:74:14: `approve` is not a whole number"),
        ("pforge-local-${developer}", "${deployment}", "p.yaml:57:24: the variable `deployment` is made of itself"),
        (
            "accepts: [branch]",
            "accepts: [brunch]",
            "p.yaml:65:15: `brunch` is not a word of `accepts`; the nearest is `branch`",
        ),
        (
            "github-app: given",
            "github-app: gven",
            "p.yaml:16:15: `gven` is not a word of a secret; the nearest is `given`",
        ),
        ("\nverify:", "\n#verify:", "p.yaml:2:1: a pipeline has no `verify`"),
    ];
    let mut wrong = Vec::new();
    for (from, to, expected) in cases {
        let said = complaint(from, to);
        if said != expected {
            wrong.push(format!("{to}\n  said:     {said}\n  expected: {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_not_yaml_says_where() {
    let error = Pipeline::parse("p.yaml", "about: [\n", DESCRIPTORS).unwrap_err();
    assert!(error.to_string().starts_with("p.yaml:"), "{error}");
    assert!(error.to_string().contains("this is not YAML"), "{error}");
    for text in ["", "- a", "about: x\nabout: y\n", "&a [*a]", "? [x]\n: y"] {
        let error: PipelineError = Pipeline::parse("p.yaml", text, DESCRIPTORS).unwrap_err();
        assert_eq!(error.class().code(), 2, "{error}");
    }
}

#[test]
fn the_pipeline_that_has_the_stages_is_meant() {
    let texts: Vec<(String, String)> =
        FIVE.iter().map(|name| (format!("pipelines/{name}.yaml"), pipeline_text(name))).collect();
    let files = texts.iter().map(|(file, text)| (file.as_str(), text.as_str()));
    let pipelines = Pipelines::parse(files, DESCRIPTORS).unwrap();
    assert_eq!(pipelines.choose(None, &["review", "staging"]).unwrap().name, "pangeo-forge");
    assert_eq!(pipelines.choose(Some("sgmp"), &["prod"]).unwrap().name, "sgmp");
    match pipelines.choose(None, &["staging", "prod"]).unwrap_err() {
        ChoiceError::Several { known, .. } => assert_eq!(known, ["pangeo-forge", "sgmp"]),
        other => panic!("{other}"),
    }
    match pipelines.choose(None, &["review", "stagin"]).unwrap_err() {
        ChoiceError::NoneHas { nearest, .. } => assert_eq!(nearest.as_deref(), Some("staging")),
        other => panic!("{other}"),
    }
    assert!(matches!(pipelines.choose(Some("pangeo"), &[]), Err(ChoiceError::Unknown { .. })));
}
