//! Passphrases: typed at the terminal wherever stdin leads, and remembered by GnuPG's agent, as for the real sops.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use ::age::secrecy::SecretString as AgeSecret;
use expectrl::Expect as _;
use lockage::keys::Recipient;

use super::Person;
use super::pem::{key, make};
use super::run::{PLAIN, Run, ours};
use crate::common::peer;

/// Both programs; ours under the name of the other.
fn programs(run: &Run) -> Vec<PathBuf> {
    let link = run.home.path().join("sops");
    let _ = std::os::unix::fs::symlink(ours(), &link);
    [Some(link), peer("sops")].into_iter().flatten().collect()
}

/// Decrypts with a terminal to ask at, the file on stdin and the plaintext going to a file: what was asked there.
fn typed(run: &Run, program: &Path, passphrase: &str) -> Option<String> {
    // The terminal stays open even where nothing leads there.
    let script = "exec 3<&0; exec \"$0\" decrypt --input-type yaml --output-type yaml < f.yaml > out.yaml 2> err.txt";
    let mut command = run.command(Path::new("sh"));
    command.args(["-c", script]).arg(program).env("GPG_AGENT_INFO", "").env("TERM", "xterm");
    command.stdin(Stdio::inherit());
    let out = run.file("out.yaml", "");
    let mut session = expectrl::Session::spawn(command).unwrap();
    session.set_expect_timeout(Some(Duration::from_secs(30)));
    let said = || std::fs::read_to_string(run.home.path().join("err.txt")).unwrap_or_default();
    session.expect("passphrase").unwrap_or_else(|error| panic!("{} {error}: {}", program.display(), said()));
    session.send_line(passphrase).unwrap();
    session.expect(expectrl::Eof).unwrap_or_else(|error| panic!("{} {error}: {}", program.display(), said()));
    let _ = session.get_process().wait();
    let text = std::fs::read_to_string(out).unwrap();
    (!text.is_empty()).then_some(text)
}

fn opens_when_typed(run: &Run) {
    for program in programs(run) {
        assert_eq!(typed(run, &program, "open sesame").as_deref(), Some(PLAIN), "{}", program.display());
        assert_eq!(typed(run, &program, "wrong"), None, "{}", program.display());
    }
}

/// A file of identities under `open sesame`.
fn locked_identities(run: &Run, person: &Person, name: &str) -> PathBuf {
    let mut lock = ::age::scrypt::Recipient::new(AgeSecret::from("open sesame".to_owned()));
    lock.set_work_factor(10);
    run.file(name, &::age::encrypt_and_armor(&lock, format!("{}\n", person.identity).as_bytes()).unwrap())
}

#[test]
fn it_is_typed_at_the_terminal_while_the_file_comes_by_stdin() {
    let ana = Person::new();
    let run = Run::new(&ana.recipient);
    let file = locked_identities(&run, &ana, "keys.age");
    opens_when_typed(&run.set("SOPS_AGE_KEY_FILE", file));

    let Some(keygen) = peer("ssh-keygen") else { return };
    let folder = tempfile::tempdir().unwrap();
    for kind in ["ed25519", "rsa"] {
        let (path, recipient) = key(&keygen, folder.path(), kind, &["-t", kind, "-N", "open sesame"]);
        opens_when_typed(&Run::new(&recipient).set("SOPS_AGE_SSH_PRIVATE_KEY_FILE", path));
    }
}

#[test]
fn the_old_ciphers_of_openssl_open_with_the_public_half_beside_the_key() {
    let (Some(keygen), Some(openssl)) = (peer("ssh-keygen"), peer("openssl")) else { return };
    let folder = tempfile::tempdir().unwrap();
    let (path, recipient) = key(&keygen, folder.path(), "k", &["-t", "rsa", "-b", "2048", "-m", "PEM", "-N", ""]);
    for cipher in ["-aes128", "-aes192", "-aes256", "-des3"] {
        let locked = folder.path().join(&cipher[1..]);
        let (from, to) = (path.to_str().unwrap(), locked.to_str().unwrap());
        let passphrase = "pass:open sesame";
        make(&openssl, &["rsa", "-in", from, cipher, "-traditional", "-passout", passphrase, "-out", to]);
        assert!(std::fs::read_to_string(&locked).unwrap().contains("Proc-Type: 4,ENCRYPTED"), "{cipher}");
        let run = Run::new(&recipient).set("SOPS_AGE_SSH_PRIVATE_KEY_FILE", &locked);
        // Without the public half nobody knows whether to ask.
        let (code, _, said) = run.run(ours(), &["decrypt", "f.yaml"]);
        assert!(code == 128 && said.contains("identities"), "{code} {said}");
        std::fs::copy(path.with_extension("pub"), format!("{to}.pub")).unwrap();
        opens_when_typed(&run);
    }
}

/// GnuPG's agent with a program that answers in the place of a person.
struct Agent {
    folder: tempfile::TempDir,
}

impl Agent {
    fn start() -> Option<Self> {
        let program = peer("gpg-agent")?;
        // A short path, because the socket stands in it.
        let folder = tempfile::Builder::new().prefix("gpg").tempdir_in("/tmp").unwrap();
        let agent = Self { folder };
        let script = format!(
            "#!/bin/sh\necho OK\nwhile read -r word rest; do case \"$word\" in\n\
             SETDESC) echo \"$rest\" >> {asked}; echo OK ;;\n\
             GETPIN) echo \"D $(cat {answer})\"; echo OK ;;\n\
             BYE) echo OK; exit ;;\n*) echo OK ;;\nesac; done\n",
            asked = agent.path("asked").display(),
            answer = agent.path("answer").display(),
        );
        let pinentry = agent.path("pinentry");
        std::fs::write(&pinentry, script).unwrap();
        std::fs::set_permissions(&pinentry, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let started = Command::new(program)
            .arg("--homedir")
            .arg(agent.folder.path())
            .arg("--pinentry-program")
            .arg(&pinentry)
            .arg("--daemon")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        assert!(started.unwrap().success());
        agent.answers("open sesame");
        Some(agent)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn answers(&self, passphrase: &str) {
        std::fs::write(self.path("answer"), passphrase).unwrap();
    }

    /// What somebody was asked since the last time.
    fn asked(&self) -> Vec<String> {
        let path = self.path("asked");
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let _ = std::fs::remove_file(path);
        text.lines().map(str::to_owned).collect()
    }

    /// An encrypted file whose identity is under a passphrase, and the agent to ask for it.
    fn run(&self) -> Run {
        let person = Person::new();
        let run = Run::new(&person.recipient);
        let file = locked_identities(&run, &person, "keys.age");
        let socket = self.path("S.gpg-agent");
        let run = run.set("SOPS_AGE_KEY_FILE", file).set("GPG_AGENT_INFO", format!("{}:0:1", socket.display()));
        // The real sops ends its talk with the agent where this is not set.
        run.set("TERM", "xterm")
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = Command::new("gpgconf").args(["--kill", "all"]).env("GNUPGHOME", self.folder.path()).output();
    }
}

fn opens(run: &Run, program: &Path) -> bool {
    let (code, out, said) = run.run(program, &["decrypt", "f.yaml"]);
    assert!(matches!(code, 0 | 128), "{said}");
    code == 0 && out == PLAIN
}

#[test]
fn gpg_agent_remembers_for_both_programs() {
    let Some(agent) = Agent::start() else { return };
    let run = agent.run();
    let programs = programs(&run);
    // Whoever comes first asks; the other one finds what was answered.
    for order in [programs.clone(), programs.iter().rev().cloned().collect()] {
        let run = agent.run();
        assert!(opens(&run, &order[0]), "{order:?}");
        let asked = agent.asked();
        assert_eq!(asked.len(), 1, "{asked:?}");
        assert!(asked[0].replace("%27", "'").starts_with("Enter passphrase for identity '"), "{asked:?}");
        for program in order.iter().rev() {
            assert!(opens(&run, program));
        }
        assert!(agent.asked().is_empty(), "it was remembered");
    }
    // A wrong one is forgotten, and so is none at all.
    for program in &programs {
        for wrong in ["wrong", ""] {
            let run = agent.run();
            agent.answers(wrong);
            assert!(!opens(&run, program) && !opens(&run, program));
            assert_eq!(agent.asked().len(), 2, "{} {wrong:?}", program.display());
            agent.answers("open sesame");
            assert!(opens(&run, program) && opens(&run, program));
            assert_eq!(agent.asked().len(), 1);
        }
    }
    // In our own name nobody is asked where nobody shall be, but what is known serves.
    let run = agent.run();
    let quiet = |run: &Run| {
        let out = run.command(ours()).args(["--non-interactive", "decrypt", "f.yaml"]).output().unwrap();
        out.stdout == PLAIN.as_bytes()
    };
    assert!(!quiet(&run) && agent.asked().is_empty());
    assert!(opens(&run, &programs[0]) && quiet(&run));
    let no_agent: Recipient = Person::new().recipient;
    assert!(!opens(&Run::new(&no_agent).set("GPG_AGENT_INFO", ""), &programs[0]));
}
