//! The vendor's own client, pinned, in a network namespace that has no way out.
//!
//! With a host setting it does not like the client silently goes to the real API; so the whole test runs itself again
//! inside a namespace that has a loopback device and nothing else.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use lockage::sandbox::{Fault, FaultKind, Stack, StartWorld};
use serde::Deserialize;
use serde_json::json;

use crate::client::ask;
use crate::common::peer;
use crate::world::{Served, app, demo};

const RECORDED: &str = include_str!("../vectors/heroku-cli-wire.jsonl");
pub(crate) const INSIDE: &str = "LOCKAGE_TEST_INSIDE_NAMESPACE";
/// Commands at a time; each is a second of start-up.
const AT_ONCE: usize = 4;

#[derive(Deserialize)]
struct Line {
    fake_scenario: String,
    argv: Vec<String>,
    exit: String,
    requests: Vec<Recorded>,
}

#[derive(Deserialize)]
struct Recorded {
    method: String,
    path: String,
}

#[test]
fn every_recorded_command_ends_as_it_did() {
    let (Some(heroku), Some(_), Some(unshare), Some(ip)) = (peer("heroku"), peer("node"), peer("unshare"), peer("ip"))
    else {
        return;
    };
    if std::env::var_os(INSIDE).is_none() {
        return run_inside(&unshare, &ip, "true", "vendor_cli::every_recorded_command_ends_as_it_did");
    }
    let lines: Vec<Line> = RECORDED.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 32);
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE)
            .map(|worker| {
                let (heroku, lines) = (&heroku, &lines);
                let own = lines.iter().skip(worker).step_by(AT_ONCE);
                scope.spawn(move || own.filter_map(|line| replay(heroku, line).err()).collect::<Vec<_>>())
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Runs one recorded command in a world that is in the recorded scenario.
fn replay(heroku: &Path, line: &Line) -> Result<(), String> {
    let served = Served::start(world_of(&line.fake_scenario));
    prepare(&served, &line.argv[0]);
    for fault in faults_of(&line.fake_scenario) {
        served.world.add_fault(&fault).unwrap();
    }
    let before = lockage::sandbox::requests(&served.dir()).unwrap().len();
    let token = match line.fake_scenario.as_str() {
        "401" => "worthless",
        _ => served.world.endpoint().heroku_token.expose_secret(),
    };
    let output = run(heroku, &served.world.endpoint().heroku_url, token, &line.argv);
    let exit = format!("EXIT={}", output.status.code().unwrap_or(-1));
    let asked: Vec<String> = lockage::sandbox::requests(&served.dir())
        .unwrap()
        .iter()
        .skip(before)
        .map(|request| format!("{} {}", request.method, shape(&request.path)))
        .collect();
    let mut trouble = Vec::new();
    if exit != line.exit {
        trouble.push(format!("{exit} instead of {}", line.exit));
    }
    for recorded in &line.requests {
        let recorded = format!("{} {}", recorded.method, shape(&recorded.path));
        if !asked.contains(&recorded) {
            trouble.push(format!("`{recorded}` was not asked"));
        }
    }
    if trouble.is_empty() {
        return Ok(());
    }
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Err(format!("{} ({}): {}\n{asked:#?}\n{out}\n{err}", line.argv.join(" "), line.fake_scenario, trouble.join("; ")))
}

/// The path with `*` for what differs from world to world.
fn shape(path: &str) -> String {
    let path = path.split('?').next().unwrap_or_default();
    let parts = path.split('/').map(|part| {
        let id = part.len() == 36 && part.matches('-').count() == 4;
        if id || part == "rel" || part.contains("round") || part.starts_with("postgresql-") { "*" } else { part }
    });
    parts.collect::<Vec<_>>().join("/")
}

fn world_of(scenario: &str) -> StartWorld {
    let stack = if scenario == "422" { Stack::Container } else { Stack::Slug };
    let mut start = demo(stack);
    start.apps.retain(|app| app.name != "demo-pr-80");
    if scenario == "multi" {
        start.apps.push(app("demo-second", stack, "production", &"a".repeat(40)));
    }
    for app in &mut start.apps {
        app.addons.clear();
    }
    start
}

/// What the recorded client found there already.
fn prepare(served: &Served, command: &str) {
    let world = &served.world;
    match command {
        "releases:rollback" => {
            for value in ["1", "2", "3"] {
                ask(world, "PATCH", "/apps/demo/config-vars", json!({"A": value}), 200);
            }
        }
        "certs:auto" | "certs:auto:refresh" => drop(ask(world, "POST", "/apps/demo/acm", json!({}), 200)),
        "reviewapps:enable" | "reviewapps:disable" => {
            drop(ask(world, "POST", "/pipelines/demo-pipe/review-app-config", json!({"repo": "o/r"}), 201));
        }
        _ => {}
    }
}

fn faults_of(scenario: &str) -> Vec<Fault> {
    let fault = |path: &str, times, kind| Fault { method: None, path: path.into(), skip: 0, times, kind };
    let failing = FaultKind::PromotionFails { message: "Release command failed.".into() };
    match scenario {
        "multi" => vec![fault("demo-second", 1, failing)],
        "failfast" => vec![fault("demo", 1, failing)],
        "fail" => vec![fault("demo", 1, FaultKind::ReleaseFails)],
        "reset" => vec![fault("/pipeline-promotions", 2, FaultKind::ResetBefore)],
        "429" => {
            let (id, message) = ("rate_limit".into(), "Your account reached the API rate limit.".into());
            vec![fault("/pipelines", 1, FaultKind::Status { status: 429, id, message, retry_after: None, html: false })]
        }
        _ => Vec::new(),
    }
}

/// Runs the client with nothing of this environment but what finds its interpreter.
fn run(heroku: &Path, url: &str, token: &str, argv: &[String]) -> Output {
    assert!(url.starts_with("http://127.0.0.1:"), "only loopback is taken by the client as a host");
    let home = tempfile::tempdir().unwrap();
    Command::new(heroku)
        .args(argv)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home.path())
        .env("HEROKU_HOST", url)
        .env("HEROKU_PARTICLEBOARD_URL", url)
        .env("HEROKU_API_KEY", token)
        .env("DISABLE_TELEMETRY", "true")
        .env("HIDE_HEROKU_RELEASE_NOTES", "true")
        .env("NO_COLOR", "1")
        .current_dir(home.path())
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// Runs one test of this binary again where the network is a loopback device alone, and mounts are its own; after `first`.
pub(crate) fn run_inside(unshare: &Path, ip: &Path, first: &str, test: &str) {
    let script = format!("{} link set lo up && {first} && exec \"$0\" \"$@\"", ip.display());
    let program: PathBuf = std::env::current_exe().unwrap();
    let status = Command::new(unshare)
        // Without root the namespace needs one of users around it.
        .args(["--net", "--mount", "--map-root-user", "--", "sh", "-c", &script])
        .arg(program)
        .args(["--exact", test, "--nocapture"])
        .env(INSIDE, "1")
        .status()
        .unwrap();
    assert!(status.success(), "see above");
}
