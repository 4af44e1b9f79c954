//! The pre-receive hook of a bare repository, run by real pushes.

use crate::lab::{FORMATS, Lab, PASSWORD, encrypt_as, encrypted, rules};

/// A clone and the bare repository that it pushes to, whose main branch has the rule and the encrypted files.
struct Server {
    lab: Lab,
    bare: String,
}

impl Server {
    fn new(format: &[&str]) -> Option<Self> {
        let lab = Lab::new()?;
        let bare = lab.scenario.root().join("server.git").display().to_string();
        lab.scenario.git([&["init", "-q", "--bare", "-b", "main"], format, &[&bare]].concat());
        lab.scenario.git(["remote", "add", "origin", &bare]);
        let server = Self { lab, bare };
        let (code, said) = server.lockage(&["hooks", "install", "--pre-receive"]);
        assert_eq!(code, 0, "{said}");
        Some(server)
    }

    fn lockage(&self, args: &[&str]) -> (i32, String) {
        let out = self.lab.scenario.lockage().args(["-C", &self.bare]).args(args).output().unwrap();
        (out.status.code().unwrap(), String::from_utf8_lossy(&out.stderr).into_owned())
    }

    /// Pushes; what the server says never holds the password.
    fn push(&self, args: &[&str]) -> (bool, String) {
        let out = self.lab.scenario.command("git").args(["push", "origin"]).args(args).output().unwrap();
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(!said.contains(PASSWORD), "{said}");
        (out.status.success(), said)
    }

    fn refused(&self, args: &[&str], check: &str) {
        let before = self.references();
        let (pushed, said) = self.push(args);
        assert!(!pushed && said.contains(check) && said.contains("pre-receive"), "{args:?}: {said}");
        assert_eq!(self.references(), before, "nothing was taken");
    }

    fn taken(&self, args: &[&str]) {
        let (pushed, said) = self.push(args);
        assert!(pushed, "{args:?}: {said}");
    }

    fn references(&self) -> String {
        self.lab.scenario.git(["--git-dir", &self.bare, "for-each-ref"])
    }
}

#[test]
fn a_push_is_taken_or_refused() {
    let Some(mut server) = Server::new(&[]) else { return };
    server.taken(&["main"]);
    let yaml = FORMATS[0];
    server.lab.stage(&yaml.path(), yaml.plain);
    let leaked = server.lab.scenario.commit("leak");
    server.refused(&["main"], "clear-value");
    assert!(server.push(&["main"]).1.contains(&leaked), "the commit is named");
    // Mended by a later commit, it is still in what would be sent.
    server.lab.stage(&yaml.path(), encrypted(yaml));
    server.lab.scenario.commit("mend");
    for args in [&["main"][..], &["main:refs/heads/new"], &["--no-verify", "main"], &["--mirror"]] {
        server.refused(args, "clear-value");
    }
    server.lab.scenario.git(["reset", "-q", "--hard", "origin/main"]);
    server.lab.stage(&yaml.path(), encrypt_as(&yaml.path(), "a: blue-house-42\n", &[]).unwrap());
    server.lab.scenario.commit("new secrets");
    server.taken(&["main"]);
    server.taken(&["main:refs/heads/copy"]);
    server.taken(&[":refs/heads/copy"]);
    server.taken(&["--force", "main~1:main"]);
}

#[test]
fn objects_are_judged_under_whatever_name_they_come() {
    let Some(mut server) = Server::new(&[]) else { return };
    // As a pack: the other tests' pushes are small enough to come as single objects.
    server.lab.scenario.git(["--git-dir", &server.bare, "config", "receive.unpackLimit", "1"]);
    server.taken(&["main"]);
    let yaml = FORMATS[0];
    server.lab.stage(&yaml.path(), yaml.plain);
    server.lab.scenario.commit("leak");
    server.lab.scenario.git(["tag", "light"]);
    server.lab.scenario.git(["tag", "-a", "-m", "heavy", "heavy"]);
    server.lab.scenario.git(["update-ref", "refs/odd/name", "HEAD"]);
    for name in ["light", "heavy", "refs/odd/name"] {
        server.refused(&[name], "clear-value");
    }
    // A tree has its own rules in it; a file has none, but a private key is one anywhere.
    let tree = server.lab.scenario.git(["rev-parse", "HEAD^{tree}"]);
    server.lab.scenario.git(["tag", "tree", &tree]);
    server.refused(&["tree"], "clear-value");
    server.lab.scenario.write("key", crate::common::scenario::IDENTITY);
    let blob = server.lab.scenario.git(["hash-object", "-w", "key"]);
    server.lab.scenario.git(["tag", "blob", &blob]);
    server.lab.scenario.git(["tag", "-a", "-m", "nested", "nested", "blob"]);
    for name in ["blob", "nested"] {
        server.refused(&[name], "private-key");
    }
    server.lab.scenario.git(["reset", "-q", "--hard", "HEAD~1"]);
    server.lab.scenario.git(["tag", "-f", "-a", "-m", "good", "heavy"]);
    server.taken(&["heavy"]);
}

#[test]
fn the_rules_of_the_server_side_parent_count() {
    let Some(mut server) = Server::new(&[]) else { return };
    server.taken(&["main"]);
    server.lab.stage(".sops.yaml", rules().replace("^secrets/", "^nowhere/"));
    server.lab.stage("secrets/app.yaml", FORMATS[0].plain);
    server.lab.scenario.commit("loosened");
    server.refused(&["main"], "loosened-rule");
    server.refused(&["main"], "clear-value");
}

#[test]
fn a_server_of_sha256() {
    let Some(mut server) = Server::new(&["--object-format=sha256"]) else { return };
    std::fs::remove_dir_all(server.lab.scenario.repo().join(".git")).unwrap();
    server.lab.scenario.git(["init", "-q", "-b", "main", "--object-format=sha256"]);
    server.lab.scenario.git(["remote", "add", "origin", &server.bare]);
    server.lab.scenario.commit("secrets");
    server.taken(&["main"]);
    server.lab.stage("secrets/app.yaml", FORMATS[0].plain);
    server.lab.scenario.commit("leak");
    server.refused(&["main"], "clear-value");
    server.refused(&["main:refs/heads/new"], "clear-value");
}

#[test]
fn what_cannot_be_judged_is_refused() {
    let Some(mut server) = Server::new(&[]) else { return };
    server.taken(&["main"]);
    server.lab.scenario.git(["--git-dir", &server.bare, "config", "lockage.binary", "/nowhere/lockage"]);
    server.lab.stage("README", "x\n");
    server.lab.scenario.commit("harmless");
    let (pushed, said) = server.push(&["main"]);
    assert!(!pushed && said.contains("was not judged and is refused"), "{said}");
    let mut command = server.lab.scenario.lockage();
    let ran = server.lab.scenario.finish(command.args(["-C", &server.bare, "guard", "--pre-receive"]), b"nonsense\n");
    assert_eq!(ran.code, 2, "{}", ran.stderr);
}

#[test]
fn a_bare_repository_gets_the_hook_for_servers() {
    let Some(server) = Server::new(&[]) else { return };
    let stub = std::fs::read(format!("{}/hooks/pre-receive", env!("CARGO_MANIFEST_DIR"))).unwrap();
    assert_eq!(std::fs::read(format!("{}/hooks/pre-receive", server.bare)).unwrap(), stub);
    let (code, said) = server.lockage(&["hooks", "install"]);
    assert!(code == 2 && said.contains("--pre-receive"), "{said}");
    assert!(!std::path::Path::new(&server.bare).join("hooks/pre-commit").exists());
}
