//! What is wrong on this side: exit 2, with the place and the nearest word, and never a hang.

use super::clone::{Clone, PROMOTE};

/// A pipeline that can be spoken with outside the rehearsal: nothing in it is asked before its credential is there.
fn own_pipeline(clone: &mut Clone) {
    let file = "pipelines/pangeo-forge.yaml";
    let text =
        clone.scenario.read(file).replace("{he.net: pangeo-forge.org, login: password}", "{rfc2136: pangeo-forge.org}");
    clone.scenario.write(file, text);
}

#[test]
fn without_a_terminal_nothing_hangs() {
    let mut clone = Clone::new();
    clone.scenario.set_env("CI", "true");
    own_pipeline(&mut clone);
    for line in ["promote review staging", "plan review staging", "apply staging --pipeline pangeo-forge"] {
        let ran = clone.run(line);
        assert_eq!(ran.code, 2, "{line}: {}\n{}", ran.stdout, ran.stderr);
    }
}

/// A clone that has a token, and from which no request gets out.
fn walled() -> Clone {
    let mut clone = Clone::new();
    clone.scenario.set_env("HEROKU_API_KEY", "worthless");
    clone.scenario.set_env("HTTPS_PROXY", "http://127.0.0.1:1");
    clone
}

#[test]
fn outside_the_sandbox_the_published_key_is_refused_before_anything_is_asked() {
    let mut clone = walled();
    let identity = clone.scenario.root().join("identity.txt").display().to_string();
    clone.scenario.set_env("SOPS_AGE_KEY_FILE", identity);
    for line in ["plan review staging", "promote review staging --yes", "apply staging --pipeline pangeo-forge --yes"] {
        let ran = clone.exit(3, line);
        assert!(ran.stderr.contains("published test key"), "{line}: {}", ran.stderr);
        assert!(ran.stderr.contains("secrets/config.pangeo-forge-staging.yaml"), "{line}: {}", ran.stderr);
    }
}

#[test]
fn outside_the_sandbox_a_word_without_a_client_is_named_before_anything_is_asked() {
    let clone = walled();
    clone.scenario.git(["rm", "-rq", "secrets"]);
    clone.scenario.commit("No secrets");
    let ran = clone.exit(2, "plan review staging");
    assert!(ran.stderr.contains("he.net") && ran.stderr.contains("pipelines/pangeo-forge.yaml:"), "{}", ran.stderr);
}

#[test]
fn unknown_stages_and_pipelines_are_named_with_the_nearest() {
    let clone = Clone::new();
    for (line, says) in [
        ("promote review stagin --sandbox", "staging"),
        ("promote reviw staging --sandbox", "review"),
        ("promote review prod --sandbox", "staging"),
        ("promote review staging --sandbox --pipeline pangeo-forg", "pangeo-forge"),
        ("promote review/pr-81 staging --sandbox", "pr-8"),
        ("rollback stagin --sandbox", "staging"),
        ("log stagin --sandbox", "staging"),
        ("promote --sandbox", "review..staging"),
    ] {
        let ran = clone.run(line);
        assert!([1, 2, 4].contains(&ran.code), "{line}: {} {}", ran.code, ran.stderr);
        assert!(ran.stderr.contains(says), "{line} says `{says}`: {}", ran.stderr);
    }
}

#[test]
fn a_malformed_pipeline_is_named_by_place_and_word() {
    let mut clone = Clone::new();
    let file = "pipelines/pangeo-forge.yaml";
    let text = clone.scenario.read(file);
    for (old, new, says) in [
        ("targets:", "tragets:", "the nearest is `targets`"),
        ("  review:\n    after: local", "  review:\n    after: staging", "in a circle"),
        ("after: review", "after: reveiw", "the nearest is `review`"),
        ("artifact:", "artifact: [", "this is not YAML"),
        ("hostname: api-staging.pangeo-forge.org}", "hostnam: api-staging.pangeo-forge.org}", "hostnam"),
    ] {
        assert!(text.contains(old), "{old}");
        clone.scenario.write(file, text.replacen(old, new, 1));
        let ran = clone.exit(2, PROMOTE);
        assert!(ran.stderr.contains(says), "{new} says `{says}`: {}", ran.stderr);
        assert!(ran.stderr.contains("pipelines/pangeo-forge.yaml:"), "with its place: {}", ran.stderr);
    }
    assert_eq!(
        std::fs::read_dir(clone.scenario.root().join("state")).expect("the folder").count(),
        0,
        "no world was started"
    );
}

#[test]
fn a_secret_file_that_is_not_committed_is_refused() {
    let mut clone = Clone::new();
    let file = "secrets/config.pangeo-forge-staging.yaml";
    let text = clone.scenario.read(file);
    clone.scenario.write(file, text.replacen("api-key: ENC[", "api-key:  ENC[", 1));
    let ran = clone.exit(2, PROMOTE);
    assert!(ran.stderr.contains(file), "{}", ran.stderr);
}
