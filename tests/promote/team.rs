//! A team: clones of one bare remote, keys of their own, and platforms on loopback that the real binary is led to as the
//! vendors' own clients are: `HEROKU_HOST` and the zone's `servers:`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use age::secrecy::ExposeSecret as _;
use lockage::sandbox::{SandboxError, Stack, StartApp, StartProcess, StartWorld, StartZone, World};
use lockage::secret::SecretString;

use super::common::canary;
use super::common::scenario::{Ran, Scenario};
use super::common::world;

/// What every clone's stage delivers.
const SECRET: &str = "CANARY-heron-of-the-team";
/// What the staging app runs when the world begins.
const OLD: &str = "1111111111111111111111111111111111111111";

pub struct Team {
    pub scenario: Scenario,
    pub world: World,
}

impl Team {
    /// A bare remote with one commit on it, and a world whose apps have this stack.
    pub fn new(stack: Stack) -> Self {
        let mut scenario = Scenario::new();
        let world = serve(&scenario.root().join("world"), stack);
        let endpoint = world.endpoint();
        let key = format!("hmac-sha256:{}:{}", endpoint.tsig_name, endpoint.tsig_secret.expose_secret());
        scenario.set_env("HEROKU_HOST", endpoint.heroku_url.clone());
        scenario.set_env("HEROKU_API_KEY", endpoint.heroku_token.expose_secret());
        scenario.set_env("LOCKAGE_TSIG_KEY", key);
        let identity = age::x25519::Identity::generate();
        std::fs::write(scenario.root().join("identity.txt"), identity.to_string().expose_secret()).expect("a key");
        let rules = format!("creation_rules:\n  - path_regex: secrets/.*\n    age: {}\n", identity.to_public());
        scenario.write(".sops.yaml", rules);
        let servers = endpoint.dns[0].to_string();
        scenario.write("pipelines/team.yaml", pipeline(stack, &servers, "start"));
        for stage in ["pr-1", "pr-2", "staging"] {
            let file = format!("secrets/{stage}.yaml");
            scenario.write(&file, format!("token: {SECRET}\n"));
            let ran = scenario.run(["encrypt", "-i", &file]);
            assert_eq!(ran.code, 0, "{}", ran.stderr);
        }
        scenario.plaintext = canary::search(&scenario.repo());
        assert!(scenario.plaintext.is_empty(), "the files are encrypted: {:?}", scenario.plaintext);
        scenario.commit("Begin");
        scenario.git(["init", "-q", "--bare", "-b", "main", "../remote.git"]);
        scenario.git(["remote", "add", "origin", "../remote.git"]);
        scenario.git(["push", "-q", "origin", "HEAD:main"]);
        Self { scenario, world }
    }

    /// The bare remote.
    pub fn remote(&self) -> PathBuf {
        self.scenario.root().join("remote.git")
    }

    /// A clone of the remote.
    pub fn clone(&self, name: &str) -> Member<'_> {
        let path = self.scenario.root().join(name);
        self.scenario.git(["clone", "-q", "-b", "main", "../remote.git", &format!("../{name}")]);
        Member { team: self, path }
    }

    /// Runs git in one of the folders.
    pub fn git(&self, directory: &Path, words: &[&str]) -> String {
        let out = self.scenario.command("git").arg("-C").arg(directory).args(words).output().expect("git runs");
        assert!(out.status.success(), "git {words:?}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr)
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        let _ = World::reset(self.world.dir());
    }
}

/// One clone.
pub struct Member<'t> {
    team: &'t Team,
    pub path: PathBuf,
}

impl Member<'_> {
    /// Commits a pipeline that wants `value` in the app and in the zone, and lets the review app run that commit.
    pub fn want(&self, app: &str, stack: Stack, value: &str) {
        let servers = self.team.world.endpoint().dns[0].to_string();
        std::fs::write(self.path.join("pipelines/team.yaml"), pipeline(stack, &servers, value)).expect("a pipeline");
        let identity = ["-c", "user.name=Ana", "-c", "user.email=ana@example.org", "-c", "commit.gpgsign=false"];
        let words = [&identity[..], &["commit", "-q", "--no-verify", "-a", "-m", value]].concat();
        self.team.git(&self.path, &words);
        let head = self.team.git(&self.path, &["rev-parse", "HEAD"]);
        self.team.world.set_head(app, head.trim()).expect("the review app follows");
    }

    /// The real binary in this clone, ready to start.
    pub fn command(&self, line: &str) -> Command {
        let mut command = self.team.scenario.lockage();
        command.current_dir(&self.path).args(line.split_whitespace());
        command
    }

    /// Runs the real binary in this clone; what it leaves behind is held to the canary.
    pub fn run(&self, line: &str) -> Ran {
        let ran = self.run_among_others(line);
        self.team.scenario.listen();
        ran
    }

    /// The same beside others that still work: only what is printed is held to the canary.
    pub fn run_among_others(&self, line: &str) -> Ran {
        let out = self.command(line).stdin(Stdio::null()).output().expect("it runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (stdout, stderr) = (text(&out.stdout), text(&out.stderr));
        assert!(!canary::sings(&out.stdout) && !canary::sings(&out.stderr), "{stdout}{stderr}");
        Ran { code: out.status.code().unwrap_or(-1), stdout, stderr }
    }
}

/// What nobody waits for: apps without a release command, and the first name server alone.
fn pipeline(stack: Stack, server: &str, value: &str) -> String {
    let stack = if stack == Stack::Slug { "slug" } else { "container" };
    format!(
        "about: what a team promotes\n\
         artifact: {{git: \"https://example.org/team\", stack: {stack}}}\n\
         targets:\n\
         \x20 app: {{heroku: \"${{app}}\"}}\n\
         \x20 dns: {{rfc2136: {{zone: example.org, servers: [\"{server}\"]}}}}\n\
         secrets: {{token: given}}\n\
         steps:\n\
         \x20 - {{deliver: app, to: config-vars, keys: {{TOKEN: token}}}}\n\
         \x20 - apply: app\n\
         \x20   config: {{WANTED: \"{value}\"}}\n\
         \x20   release: ${{build}}\n\
         \x20 - apply: dns\n\
         \x20   records: [{{name: wanted, type: TXT, ttl: 60, data: '\"{value}\"'}}]\n\
         \x20   only: [staging]\n\
         verify:\n\
         \x20 - {{check: app, release: succeeded}}\n\
         stages:\n\
         \x20 review: {{per: pull-request, file: \"secrets/pr-${{pull-request}}.yaml\", vars: {{app: \"team-pr-${{pull-request}}\"}}}}\n\
         \x20 staging: {{after: review, file: secrets/staging.yaml, vars: {{app: team-staging}}}}\n"
    )
}

fn serve(dir: &Path, stack: Stack) -> World {
    let app = |name: &str, stage: &str, review: Option<u64>| StartApp {
        name: name.to_owned(),
        stack,
        pipeline: Some(("team".to_owned(), stage.to_owned())),
        review: review.map(|number| (format!("pr-{number}"), number)),
        commit: OLD.to_owned(),
        config: vec![("KEPT".to_owned(), SecretString::new(format!("{SECRET}-kept")))],
        processes: vec![StartProcess { kind: "web".to_owned(), command: "serve".to_owned(), quantity: 1 }],
        addons: Vec::new(),
    };
    let start = StartWorld {
        email: "team@example.org".to_owned(),
        pipelines: vec!["team".to_owned()],
        apps: vec![
            app("team-pr-1", "review", Some(1)),
            app("team-pr-2", "review", Some(2)),
            app("team-staging", "staging", None),
        ],
        zones: vec![StartZone { name: "example.org".to_owned(), records: Vec::new() }],
    };
    World::open_or_start::<SandboxError>(dir, jiff::Timestamp::now(), || Ok(start), world::serve).expect("a world")
}
