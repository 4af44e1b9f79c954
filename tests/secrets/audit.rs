//! The audit in a real PostgreSQL: the same rows by the real `sops` and by ours.

use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, OnceLock};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

use crate::common::peer;
use crate::common::scenario::{IDENTITY, new_memory};
use crate::kms::lab::{Lab, Server, free_port};
use crate::publish::pair::RECIPIENT;

const NOBODY: u32 = 65534;

/// The table that SOPS wants, with a user who can do nothing but add to it.
const SCHEMA: &str = "\
CREATE TABLE audit_event (id SERIAL PRIMARY KEY, timestamp TIMESTAMP DEFAULT CURRENT_TIMESTAMP, action TEXT, username TEXT, file TEXT);
CREATE ROLE sops LOGIN PASSWORD 'of the audit';
GRANT INSERT ON audit_event TO sops;
GRANT USAGE ON audit_event_id_seq TO sops;";

/// One server for all tests of this process; it runs as nobody, for it refuses to run as root.
struct Database {
    folder: tempfile::TempDir,
    port: u16,
    /// Tests that look at the rows take turns.
    turn: Mutex<()>,
    _server: Server,
}

fn as_nobody(program: &Path) -> Command {
    if std::fs::metadata("/proc/self").unwrap().uid() != 0 {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    let id = NOBODY.to_string();
    command.args(["--reuid", &id, "--regid", &id, "--clear-groups", "--"]).arg(program);
    command
}

fn database() -> Option<&'static Database> {
    static DATABASE: OnceLock<Option<Database>> = OnceLock::new();
    DATABASE.get_or_init(start).as_ref()
}

fn start() -> Option<Database> {
    let (initdb, postgres) = (program("initdb")?, program("postgres")?);
    peer("psql")?;
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let _ = std::os::unix::fs::chown(&data, Some(NOBODY), Some(NOBODY));
    let made = as_nobody(&initdb)
        .args(["-U", "postgres", "--auth-local=trust", "--auth-host=scram-sha-256", "--no-sync", "-D"])
        .arg(&data)
        .current_dir(&data)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    certificates(folder.path(), &data);
    let port = free_port();
    let mut command = as_nobody(&postgres);
    let options = ["-h", "127.0.0.1", "-c", "ssl=on", "-c", "fsync=off", "-p", &port.to_string()];
    command.arg("-D").arg(&data).arg("-k").arg(&data).args(options).current_dir(&data);
    let server = Server::start(command, "ready to accept connections");
    let database = Database { folder, port, turn: Mutex::default(), _server: server };
    database.psql(SCHEMA);
    database.psql("CREATE DATABASE empty OWNER sops");
    Some(database)
}

/// Debian keeps the server's programs out of the `PATH`.
fn program(name: &str) -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    versions.map(|version| version.path().join("bin").join(name)).find(|path| path.is_file()).or_else(|| peer(name))
}

/// A certificate for 127.0.0.1, and the authority that it is from.
fn certificates(folder: &Path, data: &Path) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(rcgen::DnType::CommonName, "the authority of the audit");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let root = params.self_signed(&key).unwrap();
    std::fs::write(folder.join("ca.crt"), root.pem()).unwrap();
    let issuer = Issuer::new(params, key);
    let leaf_key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["127.0.0.1".into()]).unwrap().signed_by(&leaf_key, &issuer).unwrap();
    let stranger = CertificateParams::new(Vec::new()).unwrap().self_signed(&KeyPair::generate().unwrap()).unwrap();
    std::fs::write(folder.join("other.crt"), stranger.pem()).unwrap();
    for (name, text) in [("server.crt", leaf.pem()), ("server.key", leaf_key.serialize_pem())] {
        let path = data.join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let _ = std::os::unix::fs::chown(&path, Some(NOBODY), Some(NOBODY));
    }
}

impl Database {
    fn psql(&self, statement: &str) -> String {
        let out = Command::new(peer("psql").unwrap())
            .args(["-X", "-q", "-At", "-U", "postgres", "-d", "postgres", "-p", &self.port.to_string(), "-h"])
            .arg(self.folder.path().join("data"))
            .args(["-v", "ON_ERROR_STOP=1", "-c", statement])
            .output()
            .unwrap();
        assert!(out.status.success(), "{statement}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap()
    }

    /// The rows since the last time.
    fn rows(&self) -> Vec<String> {
        let rows = self.psql("SELECT action || ' ' || username || ' ' || file FROM audit_event ORDER BY id");
        self.psql("TRUNCATE audit_event");
        rows.lines().map(str::to_owned).collect()
    }

    fn words(&self, more: &str) -> String {
        format!("host=127.0.0.1 port={} user=sops password='of the audit' dbname=postgres {more}", self.port)
    }
}

/// A home, and an `/etc` that asks for an audit, which only the commands of this test see.
struct Machine {
    lab: Lab,
    /// That tests beside this one do not look into.
    _memory: tempfile::TempDir,
    etc: PathBuf,
    ours: PathBuf,
    theirs: PathBuf,
}

#[derive(Debug)]
struct Did {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Machine {
    fn new(connection: &str) -> Option<Self> {
        let theirs = peer("sops")?;
        peer("unshare")?;
        let able = Command::new("unshare").args(["--mount", "--", "true"]).output().unwrap();
        if !able.status.success() {
            eprintln!("SKIPPED: needs root for an `/etc` of its own");
            return None;
        }
        let memory = new_memory();
        let lab = Lab::new().env("XDG_RUNTIME_DIR", memory.path().display().to_string());
        let ours = lab.home().join("bin/sops");
        std::fs::create_dir(ours.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_lockage"), &ours).unwrap();
        for file in ["passwd", "group", "hosts", "nsswitch.conf", "ld.so.cache"] {
            if let Ok(bytes) = std::fs::read(Path::new("/etc").join(file)) {
                lab.file(&format!("etc/{file}"), bytes);
            }
        }
        let etc = lab.home().join("etc");
        let machine = Self { lab, _memory: memory, etc, ours, theirs };
        machine.ask_for(&format!("backends:\n  postgres:\n    - connection_string: \"{connection}\"\n"));
        let identity = machine.lab.file("identity.txt", IDENTITY);
        Some(Self { lab: machine.lab.env("SOPS_AGE_KEY_FILE", identity.display().to_string()), ..machine })
    }

    fn ask_for(&self, text: &str) {
        self.lab.file("etc/sops/audit.yaml", text);
    }

    /// The folder that both work in, as it was at the start.
    fn fresh(&self) -> PathBuf {
        let folder = self.lab.home().join("work");
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir(&folder).unwrap();
        let start = format!("{}/.", self.lab.home().join("start").display());
        assert!(Command::new("cp").arg("-a").arg(start).arg(&folder).status().unwrap().success());
        folder
    }

    fn run(&self, program: &Path, arguments: &[&str], input: &str, env: &[(&str, &str)]) -> Did {
        let folder = self.lab.home().join("work");
        let mut command = self.lab.command("unshare");
        command.args(["--mount", "--", "sh", "-c", "mount --bind \"$0\" /etc && exec \"$@\""]);
        command.arg(&self.etc).arg(program).args(arguments).current_dir(folder);
        command.env("SOPS_DISABLE_VERSION_CHECK", "true").env("USER", "somebody").envs(env.iter().copied());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let out = child.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Did { code: out.status.code().unwrap_or(-1), stdout: text(out.stdout), stderr: text(out.stderr) }
    }

    /// Files to begin with: `e.yaml` is encrypted.
    fn begin(&self) {
        let rules = format!(
            "creation_rules:\n  - age: {RECIPIENT}\ndestination_rules:\n  - path_regex: again\n    s3_bucket: b\n    recreation_rule: {{age: {RECIPIENT}}}\n  - s3_bucket: b\n"
        );
        for (name, text) in
            [("start/.sops.yaml", rules.as_str()), ("start/e.yaml", "a: CANARY-heron\n"), ("start/p.yaml", "a: 1\n")]
        {
            self.lab.file(name, text);
        }
        let mut command = self.lab.command(&self.theirs);
        let out =
            command.current_dir(self.lab.home().join("start")).args(["encrypt", "-i", "e.yaml"]).output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        let sealed = std::fs::read_to_string(self.lab.home().join("start/e.yaml")).unwrap();
        self.lab.file("start/again.yaml", &sealed);
        let broken = sealed.replacen("lastmodified: \"20", "lastmodified: \"19", 1);
        assert_ne!(broken, sealed);
        self.lab.file("start/broken.yaml", broken);
    }
}

/// Words, stdin, and variables.
type Line<'l> = (&'l [&'l str], &'l str, &'l [(&'l str, &'l str)]);

#[test]
fn the_same_rows_for_every_command() {
    let Some(database) = database() else { return };
    let Some(machine) = Machine::new(&database.words("")) else { return };
    machine.begin();
    let _turn = database.turn.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let sealed = std::fs::read_to_string(machine.lab.home().join("start/e.yaml")).unwrap();
    let change: &[(&str, &str)] = &[("EDITOR", "sh -c 'echo b: 2 >> \"$0\"'")];
    let leave: &[(&str, &str)] = &[("EDITOR", "true")];
    let no_key: &[(&str, &str)] = &[("SOPS_AGE_KEY_FILE", "/dev/null")];
    let none: &[(&str, &str)] = &[];
    let lines: &[Line<'_>] = &[
        (&["decrypt", "e.yaml"], "", none),
        (&["decrypt", "../work/./e.yaml"], "", none),
        (&["decrypt", "--input-type", "yaml", "--output-type", "yaml"], &sealed, none),
        (&["decrypt", "--extract", "[\"a\"]", "e.yaml"], "", none),
        (&["decrypt", "broken.yaml"], "", none),
        (&["decrypt", "--ignore-mac", "broken.yaml"], "", none),
        (&["decrypt", "p.yaml"], "", none),
        (&["decrypt", "e.yaml"], "", no_key),
        (&["-d", "e.yaml"], "", none),
        (&["encrypt", "p.yaml"], "", none),
        (&["encrypt", "--filename-override", "x.yaml"], "a: 1\n", none),
        (&["encrypt", "e.yaml"], "", none),
        (&["-e", "-i", "p.yaml"], "", none),
        (&["rotate", "-i", "e.yaml"], "", none),
        (&["rotate", "-i", "e.yaml"], "", no_key),
        (&["-r", "e.yaml"], "", none),
        (&["set", "e.yaml", "[\"a\"]", "1"], "", none),
        (&["set", "--idempotent", "e.yaml", "[\"a\"]", "\"CANARY-heron\""], "", none),
        (&["--set", "[\"a\"] 1", "e.yaml"], "", none),
        (&["unset", "e.yaml", "[\"a\"]"], "", none),
        (&["unset", "e.yaml", "[\"zz\"]"], "", none),
        (&["unset", "--idempotent", "e.yaml", "[\"zz\"]"], "", none),
        (&["edit", "e.yaml"], "", change),
        (&["edit", "e.yaml"], "", leave),
        (&["edit", "new.yaml"], "", change),
        (&["e.yaml"], "", change),
        (&["exec-env", "e.yaml", "true"], "", none),
        (&["exec-file", "e.yaml", "cat {}"], "", none),
        (&["exec-file", "--no-fifo", "e.yaml", "true"], "", none),
        (&["publish", "--yes", "e.yaml"], "", none),
        (&["publish", "--yes", "again.yaml"], "", none),
        (&["updatekeys", "--yes", "e.yaml"], "", none),
        (&["filestatus", "e.yaml"], "", none),
        (&["groups", "add", "-f", "e.yaml", "--age", RECIPIENT, "-i"], "", none),
    ];
    let mut wrong = Vec::new();
    for (line, input, env) in lines {
        let did = [&machine.theirs, &machine.ours].map(|program| {
            machine.fresh();
            let did = machine.run(program, line, input, env);
            (did, database.rows())
        });
        let [(theirs, real), (ours, mine)] = did;
        if (ours.code, &mine) != (theirs.code, &real) {
            wrong.push(format!(
                "{line:?}: {} {mine:?} instead of {} {real:?}\n{}\n{}",
                ours.code, theirs.code, ours.stderr, theirs.stderr
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    machine.fresh();
    machine.run(&machine.ours, &["rotate", "e.yaml"], "", none);
    let path = machine.lab.home().join("work/e.yaml");
    let words = |action: &str| format!("{action} root {}", path.display());
    assert_eq!(database.rows(), [words("rotate"), words("decrypt"), words("encrypt")]);
}

#[test]
fn under_our_own_name_too() {
    let Some(database) = database() else { return };
    let Some(machine) = Machine::new(&database.words("")) else { return };
    machine.begin();
    let _turn = database.turn.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let lockage = Path::new(env!("CARGO_BIN_EXE_lockage"));
    let lines: &[(&[&str], &[&str])] = &[
        (&["decrypt", "e.yaml"], &["decrypt"]),
        (&["decrypt", "broken.yaml"], &["decrypt"]),
        (&["get", "e.yaml", "a"], &["decrypt"]),
        (&["exec-env", "e.yaml", "--", "true"], &["decrypt"]),
        (&["exec-file", "e.yaml", "--", "true"], &["decrypt"]),
        (&["encrypt", "p.yaml"], &["encrypt"]),
        (&["set", "e.yaml", "a", "b"], &["decrypt", "encrypt"]),
        (&["set", "e.yaml", "a", "CANARY-heron"], &["decrypt"]),
        (&["unset", "e.yaml", "a"], &["decrypt", "encrypt"]),
        (&["rotate", "-i", "e.yaml"], &["rotate", "decrypt", "encrypt"]),
        (&["publish", "--dry-run", "e.yaml"], &[]),
        (&["publish", "--dry-run", "again.yaml"], &["decrypt", "encrypt"]),
        (&["filestatus", "e.yaml"], &[]),
        (&["check", "e.yaml"], &[]),
        (&["updatekeys", "--yes", "e.yaml"], &[]),
    ];
    for (line, wanted) in lines {
        machine.fresh();
        let did = machine.run(lockage, line, "", &[]);
        let actions: Vec<String> =
            database.rows().iter().map(|row| row.split(' ').next().unwrap().to_owned()).collect();
        assert_eq!(actions, *wanted, "{line:?}: {did:?}");
    }
}

#[test]
fn nothing_happens_where_nothing_can_be_recorded() {
    let Some(database) = database() else { return };
    let lockage = Path::new(env!("CARGO_BIN_EXE_lockage"));
    let away = format!("host=127.0.0.1 port={} user=sops password=CANARY-heron sslmode=disable", free_port());
    let no_table = database.words("").replace("dbname=postgres", "dbname=empty");
    let wrong_password = database.words("").replace("of the audit", "CANARY-heron");
    for connection in [away.as_str(), &no_table, &wrong_password, "host=127.0.0.1 sslmode=maybe", "nonsense"] {
        let Some(machine) = Machine::new(connection) else { return };
        machine.begin();
        machine.fresh();
        let before = std::fs::read(machine.lab.home().join("work/e.yaml")).unwrap();
        for (program, arguments, code) in [
            (machine.theirs.as_path(), ["decrypt", "e.yaml", "--output-type=yaml"], &[1][..]),
            (&machine.ours, ["decrypt", "e.yaml", "--output-type=yaml"], &[1]),
            (&machine.ours, ["set", "e.yaml", "[\"a\"]"], &[1, 100]),
            (lockage, ["decrypt", "-q", "e.yaml"], &[2, 4]),
            (lockage, ["unset", "e.yaml", "a"], &[2, 4]),
            (lockage, ["rotate", "-i", "e.yaml"], &[2, 4]),
        ] {
            let did = machine.run(program, &arguments, "", &[]);
            assert!(code.contains(&did.code) && did.stdout.is_empty(), "{connection} {arguments:?}: {did:?}");
            let ours = program != machine.theirs;
            assert!(!ours || !did.stderr.contains("CANARY"), "{arguments:?}: {did:?}");
        }
        assert_eq!(std::fs::read(machine.lab.home().join("work/e.yaml")).unwrap(), before);
    }
    let Some(machine) = Machine::new("") else { return };
    machine.begin();
    machine.fresh();
    machine.ask_for("backends: [\n");
    let did = machine.run(&machine.ours, &["decrypt", "e.yaml"], "", &[]);
    assert!(did.code == 1 && did.stdout.is_empty(), "{did:?}");
    for text in ["", "backends: {}\n", "other: 1\n"] {
        machine.ask_for(text);
        let did = machine.run(&machine.ours, &["decrypt", "e.yaml"], "", &[]);
        assert_eq!((did.code, did.stdout.as_str()), (0, "a: CANARY-heron\n"), "{text}: {did:?}");
    }
}

/// Without a word about it the connection is in TLS, and whoever names authorities wants their certificate.
#[test]
fn tls_as_the_connection_string_asks_for_it() {
    let Some(database) = database() else { return };
    let _turn = database.turn.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let file = |name: &str| database.folder.path().join(name).display().to_string();
    let (right, other) = (file("ca.crt"), file("other.crt"));
    database.psql("CREATE TABLE seen (tls BOOLEAN)");
    database.psql("CREATE FUNCTION see() RETURNS trigger SECURITY DEFINER LANGUAGE plpgsql AS $$ BEGIN INSERT INTO seen SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid(); RETURN NEW; END $$; CREATE TRIGGER see AFTER INSERT ON audit_event FOR EACH ROW EXECUTE FUNCTION see()");
    for (mode, wanted) in [
        (String::new(), "t"),
        ("sslmode=disable".to_owned(), "f"),
        ("sslmode=allow".to_owned(), "f"),
        ("sslmode=prefer".to_owned(), "t"),
        (format!("sslrootcert={right}"), "t"),
        (format!("sslrootcert={other}"), ""),
        (format!("sslmode=verify-ca sslrootcert={right}"), "t"),
        (format!("sslmode=verify-ca sslrootcert={other}"), ""),
        (format!("sslmode=verify-full sslrootcert={right}"), "t"),
        (format!("sslmode=verify-full sslrootcert={other}"), ""),
        (format!("sslmode=verify-full sslrootcert={right} host=localhost hostaddr=127.0.0.1"), ""),
        (format!("sslmode=verify-ca sslrootcert={right} host=localhost hostaddr=127.0.0.1"), "t"),
    ] {
        let Some(machine) = Machine::new(&database.words(&mode)) else { return };
        machine.begin();
        machine.fresh();
        for program in [&machine.theirs, &machine.ours] {
            let did = machine.run(program, &["decrypt", "e.yaml"], "", &[]);
            let seen = database.psql("SELECT tls FROM seen");
            database.psql("TRUNCATE seen");
            assert_eq!(seen.trim(), wanted, "{mode} {}: {did:?}", program.display());
            assert_eq!(did.code, i32::from(wanted.is_empty()), "{mode}: {did:?}");
        }
        database.rows();
    }
    database.psql("DROP TRIGGER see ON audit_event; DROP FUNCTION see; DROP TABLE seen");
}

#[test]
fn a_url_and_a_socket() {
    let Some(database) = database() else { return };
    let _turn = database.turn.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let port = database.port;
    let socket = database.folder.path().join("data");
    std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(0o700)).unwrap();
    for connection in [
        format!("postgres://sops:of%20the%20audit@127.0.0.1:{port}/postgres?sslmode=disable&application_name=x"),
        format!("host={} port={port} user=sops dbname=postgres", socket.display()),
        format!("port={port} sslmode=disable"),
    ] {
        let Some(machine) = Machine::new(&connection) else { return };
        machine.begin();
        machine.fresh();
        machine.lab.file(".pgpass", format!("*:*:*:other:x\n127.0.0.1:{port}:*:sops:of the audit\n"));
        let passwords = machine.lab.home().join(".pgpass");
        std::fs::set_permissions(&passwords, std::fs::Permissions::from_mode(0o600)).unwrap();
        let env = [("PGHOST", "127.0.0.1"), ("PGUSER", "sops"), ("PGDATABASE", "postgres")];
        for program in [&machine.theirs, &machine.ours] {
            let did = machine.run(program, &["decrypt", "e.yaml"], "", &env);
            assert_eq!((did.code, database.rows().len()), (0, 1), "{connection} {}: {did:?}", program.display());
        }
    }
}
