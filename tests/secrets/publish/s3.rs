//! Amazon S3, as moto plays it; it checks signatures and policies.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::pair::{OTHER, Pair};
use crate::common::peer;
use crate::kms::lab::{Lab, Server, free_port, python};

/// Makes a bucket and a user who may use it; prints the user's access key and its secret.
const SEED: &str = r#"
import boto3, json, sys
def client(name):
    return boto3.client(name, endpoint_url=sys.argv[1], region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="y")
s3, iam = client("s3"), client("iam")
s3.create_bucket(Bucket="published-files")
iam.create_user(UserName="u")
everything = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})
iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=everything)
key = iam.create_access_key(UserName="u")["AccessKey"]
print(key["AccessKeyId"], key["SecretAccessKey"])
"#;

/// How many calls [`SEED`] makes; after them this moto checks signatures and policies.
const SEED_CALLS: &str = "4";

/// Prints every object below a prefix as JSON, name by name: its text and its type.
const DUMP: &str = r#"
import boto3, json, sys
s3 = boto3.client("s3", endpoint_url=sys.argv[1], region_name="us-east-1", aws_access_key_id=sys.argv[2], aws_secret_access_key=sys.argv[3])
out = {}
for found in s3.list_objects_v2(Bucket="published-files", Prefix=sys.argv[4]).get("Contents", []):
    got = s3.get_object(Bucket="published-files", Key=found["Key"])
    out[found["Key"][len(sys.argv[4]):]] = [got["Body"].read().decode(), got["ContentType"]]
print(json.dumps(out))
"#;

struct Moto {
    url: String,
    access_key: String,
    secret_key: String,
    _server: Server,
}

fn moto() -> Option<&'static Moto> {
    static MOTO: OnceLock<Option<Moto>> = OnceLock::new();
    let start = || {
        let program = peer("cloud-python")?;
        let port = free_port();
        let lab = Lab::new().env("INITIAL_NO_AUTH_ACTION_COUNT", SEED_CALLS);
        let mut command = lab.command(program);
        command.args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()]);
        let server = Server::start(command, "Running on");
        let url = format!("http://127.0.0.1:{port}");
        let seeded = python(&lab, SEED, &[&url])?;
        let (access, secret) = seeded.split_once(' ')?;
        Some(Moto { url, access_key: access.to_owned(), secret_key: secret.to_owned(), _server: server })
    };
    MOTO.get_or_init(start).as_ref()
}

impl Moto {
    fn lab(&self) -> Lab {
        Lab::new()
            .env("AWS_ENDPOINT_URL", &self.url)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_ACCESS_KEY_ID", &self.access_key)
            .env("AWS_SECRET_ACCESS_KEY", &self.secret_key)
            .env("AWS_REGION", "us-east-1")
    }

    fn dump(&self, prefix: &str) -> BTreeMap<String, (String, String)> {
        let text = python(&Lab::new(), DUMP, &[&self.url, &self.access_key, &self.secret_key, prefix]).unwrap();
        serde_json::from_str(&text).unwrap()
    }
}

const FILES: &[(&str, &str)] = &[
    ("e/app.yaml", "# why\npassword: CANARY-heron\nlist: [1, 2]\n"),
    ("e/deep/two words.json", "{\"password\": \"CANARY-heron\"}\n"),
    ("e/.env", "PASSWORD=CANARY-heron\n"),
];

#[test]
fn the_same_objects_under_the_same_names() {
    let Some(moto) = moto() else { return };
    let Some(pair) = Pair::new(moto.lab(), FILES) else { return };
    let lines: [(&[&str], &str); 9] = [
        (&["publish", "--yes", "e/app.yaml"], ""),
        (&["publish", "-y", "--omit-extensions", "e/app.yaml"], ""),
        (&["publish", "--yes", "--recursive", "e/app.yaml"], ""),
        (&["publish", "e/app.yaml"], "maybe\ny\n"),
        (&["publish", "e/app.yaml"], "n\n"),
        (&["publish", "e/app.yaml"], ""),
        (&["publish", "e/app.yaml"], "\n"),
        (&["publish", "--yes", "e"], ""),
        (&["publish", "--yes", "e/none.yaml"], ""),
    ];
    for (at, (line, input)) in lines.iter().enumerate() {
        let rules = |who: &str| {
            pair.rules(&format!(
                "destination_rules:\n  - s3_bucket: published-files\n    s3_prefix: names/{at}/{who}/\n"
            ));
        };
        rules("same");
        let theirs = pair.run(&pair.theirs, line, input);
        let real = moto.dump(&format!("names/{at}/same/"));
        rules("ours");
        let ours = pair.run(&pair.ours, line, input);
        let mine = moto.dump(&format!("names/{at}/ours/"));
        assert_eq!(ours.code, theirs.code, "{line:?}: {ours:?} {theirs:?}");
        assert_eq!(ours.stdout.replace("/ours/", "/same/"), theirs.stdout, "{line:?}");
        let message = |text: &str| text.split("msg=").last().unwrap_or_default().to_owned();
        assert_eq!(message(&ours.stderr), message(&theirs.stderr), "{line:?}");
        // SOPS publishes a single file with `--recursive` under the name `.`, which no folder can hold.
        let real: BTreeMap<_, _> = real
            .into_iter()
            .map(|(name, object)| {
                (if line.contains(&"--recursive") && name == "." { "app.yaml".into() } else { name }, object)
            })
            .collect();
        assert_eq!(mine, real, "{line:?}");
    }
}

#[test]
fn a_folder_with_everything_in_it() {
    let Some(moto) = moto() else { return };
    let Some(pair) = Pair::new(moto.lab(), FILES) else { return };
    for (who, program) in [("folder-theirs/", &pair.theirs), ("folder-ours/", &pair.ours)] {
        pair.rules(&format!(
            "destination_rules:\n  - path_regex: ^e/\n    s3_bucket: published-files\n    s3_prefix: {who}\n    omit_extensions: true\n"
        ));
        let did = pair.run(program, &["publish", "--recursive", "--yes", "./e"], "");
        assert_eq!(did.code, 0, "{who}: {did:?}");
    }
    let (real, mine) = (moto.dump("folder-theirs/"), moto.dump("folder-ours/"));
    assert_eq!(mine, real);
    assert_eq!(mine.keys().map(String::as_str).collect::<Vec<_>>(), ["", "app", "deep/two words"]);
}

/// SOPS drops the patterns of a recreation rule, and encrypts what ends in `_unencrypted` without saying so.
#[test]
fn other_keys_and_what_can_be_opened_with_them() {
    let Some(moto) = moto() else { return };
    let files = [
        ("a.yaml", "password: CANARY-heron\nnote: CANARY-heron 2\n"),
        ("b.yaml", "x_unencrypted: 5\ny: CANARY-heron\n"),
    ];
    let Some(pair) = Pair::new(moto.lab(), &files) else { return };
    for (at, selector) in
        ["", "encrypted_suffix: word", "unencrypted_suffix: te", "encrypted_regex: ^password$"].iter().enumerate()
    {
        for (who, program) in [("theirs", &pair.theirs), ("ours", &pair.ours)] {
            let rule = if selector.is_empty() { format!("age: {OTHER}") } else { format!("age: {OTHER}, {selector}") };
            pair.rules(&format!(
                "destination_rules:\n  - s3_bucket: published-files\n    s3_prefix: again/{at}/{who}/\n    recreation_rule: {{{rule}}}\n"
            ));
            for name in ["a.yaml", "b.yaml"] {
                let did = pair.run(program, &["publish", "--yes", name], "");
                let said = "The following changes will be made to the file's key groups:\nGroup 1\n";
                assert!(did.code == 0 && did.stdout.starts_with(said), "{selector}: {did:?}");
                assert!(did.stdout.contains(&format!("+++ {OTHER}\n")), "{did:?}");
            }
        }
        let (theirs, ours) = (moto.dump(&format!("again/{at}/theirs/")), moto.dump(&format!("again/{at}/ours/")));
        let clear = |text: &str| text.matches("ENC[").count();
        assert_eq!(clear(&ours["a.yaml"].0), clear(&theirs["a.yaml"].0), "{selector}");
        for name in ["a.yaml", "b.yaml"] {
            let mine = pair.opened_by_other(name, &ours[name].0);
            assert_eq!(mine.code, 0, "{selector} {name}: {mine:?}\n{}", ours[name].0);
            let real = pair.opened_by_other(name, &theirs[name].0);
            match (selector.is_empty() || selector.contains("regex"), name) {
                (true, "b.yaml") => assert_eq!(real.code, 51, "{real:?}"),
                _ => assert_eq!(real.stdout, mine.stdout, "{selector} {name}"),
            }
        }
    }
}

#[test]
fn what_is_refused() {
    let Some(moto) = moto() else { return };
    let Some(pair) = Pair::new(moto.lab(), FILES) else { return };
    let file = ["publish", "--yes", "e/app.yaml"];
    let bucket = "destination_rules:\n  - s3_bucket: published-files\n    s3_prefix: refused/\n";
    for (rules, env) in [
        ("creation_rules: []\n", [("A", "")]),
        ("destination_rules:\n  - path_regex: ^nothing\n    s3_bucket: b\n", [("A", "")]),
        ("destination_rules:\n  - s3_bucket: b\n    vault_path: c\n", [("A", "")]),
        ("destination_rules:\n  - omit_extensions: true\n", [("A", "")]),
        ("destination_rules:\n  - s3_bucket: there-is-none\n", [("A", "")]),
        (bucket, [("AWS_SECRET_ACCESS_KEY", "another")]),
        (bucket, [("AWS_REGION", "")]),
    ] {
        pair.rules(rules);
        let (theirs, ours) = (pair.run_with(&pair.theirs, &file, "", &env), pair.run_with(&pair.ours, &file, "", &env));
        assert_eq!((ours.code, theirs.code), (1, 1), "{rules} {env:?}: {ours:?} {theirs:?}");
        let words = |text: &str| {
            let ids = regex::Regex::new("(RequestID|HostID): [^,]*,").unwrap();
            ids.replace_all(text, "").split_whitespace().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(words(&ours.stderr), words(&theirs.stderr), "{rules} {env:?}");
    }
    assert!(moto.dump("refused/").is_empty());
}
