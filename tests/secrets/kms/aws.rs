//! AWS KMS, as moto plays it: by our client, by the real `sops` and by boto3.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use base64::Engine as _;
use lockage::keys::{EncryptionContext, Recipient, WrappedKey};

use super::lab::{Lab, PLAIN, Server, free_port, python};
use crate::common::peer;

/// Makes a key, an alias, a role and a user with a key of its own; prints the ARN, the user's access key and its secret.
const SEED: &str = r#"
import boto3, json, sys
def client(name):
    return boto3.client(name, endpoint_url=sys.argv[1], region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="y")
kms, iam = client("kms"), client("iam")
arn = kms.create_key()["KeyMetadata"]["Arn"]
kms.create_alias(AliasName="alias/sops", TargetKeyId=arn)
anyone = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}})
everything = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})
iam.create_role(RoleName="r1", AssumeRolePolicyDocument=anyone)
iam.put_role_policy(RoleName="r1", PolicyName="p", PolicyDocument=everything)
iam.create_user(UserName="u")
iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=everything)
key = iam.create_access_key(UserName="u")["AccessKey"]
print(arn, key["AccessKeyId"], key["SecretAccessKey"])
"#;

/// How many calls [`SEED`] makes; after them this moto checks signatures and policies.
const SEED_CALLS: &str = "7";

pub(crate) struct Moto {
    url: String,
    pub(crate) arn: String,
    access_key: String,
    secret_key: String,
    _server: Server,
}

impl Moto {
    /// One that checks signatures and policies.
    pub(crate) fn find() -> Option<&'static Self> {
        static MOTO: OnceLock<Option<Moto>> = OnceLock::new();
        MOTO.get_or_init(|| Self::start(SEED_CALLS)).as_ref()
    }

    /// One that believes everybody: the other one wants a signature where AWS wants none.
    fn believing() -> Option<&'static Self> {
        static MOTO: OnceLock<Option<Moto>> = OnceLock::new();
        MOTO.get_or_init(|| Self::start("1000000")).as_ref()
    }

    fn start(calls: &str) -> Option<Self> {
        let program = peer("cloud-python")?;
        let port = free_port();
        let lab = Lab::new().env("INITIAL_NO_AUTH_ACTION_COUNT", calls);
        let mut command = lab.command(program);
        command.args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()]);
        let server = Server::start(command, "Running on");
        let url = format!("http://127.0.0.1:{port}");
        let seeded = python(&lab, SEED, &[&url])?;
        let [arn, access_key, secret_key] =
            seeded.split(' ').map(str::to_owned).collect::<Vec<_>>().try_into().unwrap();
        Some(Self { url, arn, access_key, secret_key, _server: server })
    }

    /// A home whose variables hold the user's credentials.
    pub(crate) fn lab(&self) -> Lab {
        self.nobody().env("AWS_ACCESS_KEY_ID", &self.access_key).env("AWS_SECRET_ACCESS_KEY", &self.secret_key)
    }

    /// A home without credentials, and without the metadata of an instance.
    fn nobody(&self) -> Lab {
        Lab::new().env("AWS_ENDPOINT_URL", &self.url).env("AWS_EC2_METADATA_DISABLED", "true")
    }

    fn key(&self, context: &EncryptionContext, profile: &str) -> Recipient {
        Recipient::parse_aws_kms(&self.arn, context, profile)
    }
}

fn context(pairs: &[(&str, &str)]) -> EncryptionContext {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), Some((*value).to_owned()))).collect()
}

fn enc_of(sealed: &str) -> String {
    sealed.split_once("enc: ").unwrap().1.lines().next().unwrap().trim_matches('"').to_owned()
}

#[test]
fn what_one_seals_the_other_opens() {
    let Some(moto) = Moto::find() else { return };
    let lab = moto.lab();
    lab.interoperates(&moto.key(&BTreeMap::new(), ""), &["--kms", &moto.arn]);
    let bound = moto.key(&context(&[("App", "x"), ("Env", "p")]), "");
    lab.interoperates(&bound, &["--kms", &moto.arn, "--encryption-context", "App:x,Env:p"]);
    let alias = moto.arn.split(":key/").next().unwrap().to_owned() + ":alias/sops";
    lab.interoperates(&Recipient::parse_aws_kms(&alias, &BTreeMap::new(), ""), &["--kms", &alias]);
    let role = format!("{}+arn:aws:iam::123456789012:role/r1", moto.arn);
    lab.interoperates(&Recipient::parse_aws_kms(&role, &BTreeMap::new(), ""), &["--kms", &role]);
}

#[test]
fn a_signature_that_is_wrong_is_refused_there() {
    let Some(moto) = Moto::find() else { return };
    let sealed = moto.lab().encrypt(&moto.key(&BTreeMap::new(), "")).unwrap();
    let forger = moto.lab().env("AWS_SECRET_ACCESS_KEY", "not the secret of this key");
    let said = forger.refusal(&moto.key(&BTreeMap::new(), ""), &enc_of(&sealed));
    assert!(said.contains("operation error KMS: Decrypt, https response error StatusCode: 40"), "{said}");
    assert!(!said.contains("not the secret"), "{said}");
}

#[test]
fn another_context_does_not_open_it() {
    let Some(moto) = Moto::find() else { return };
    let lab = moto.lab();
    let sealed = lab.encrypt(&moto.key(&context(&[("App", "x")]), "")).unwrap();
    assert_eq!(lab.decrypt(&sealed).unwrap(), PLAIN);
    let said = lab.refusal(&moto.key(&context(&[("App", "y")]), ""), &enc_of(&sealed));
    let wanted = "failed to decrypt sops data key with AWS KMS: operation error KMS: Decrypt, https response error StatusCode: 400";
    assert!(said.starts_with(wanted) && said.contains("InvalidCiphertextException"), "{said}");
}

#[test]
fn boto3_opens_ours_and_we_open_its() {
    let Some(moto) = Moto::find() else { return };
    let lab = moto.lab();
    let recipient = moto.key(&context(&[("a", "b")]), "");
    let share = lockage::secret::SecretBytes::new(vec![7; 32]);
    let enc = lab.keys().wrap(&recipient, &share).unwrap();
    let program = r#"
import base64, boto3, sys
url, arn, enc = sys.argv[1:]
kms = boto3.client("kms", endpoint_url=url, region_name="us-east-1")
context = {"a": "b"}
print(kms.decrypt(KeyId=arn, CiphertextBlob=base64.b64decode(enc), EncryptionContext=context)["Plaintext"].hex())
blob = kms.encrypt(KeyId=arn, Plaintext=bytes([9]) * 32, EncryptionContext=context)["CiphertextBlob"]
print(base64.b64encode(blob).decode())
"#;
    let said = python(&lab, program, &[&moto.url, &moto.arn, &enc]).unwrap();
    let (opened, theirs) = said.split_once('\n').unwrap();
    assert_eq!(opened, "07".repeat(32));
    let wrapped = WrappedKey { recipient, created_at: None, enc: theirs.to_owned() };
    assert_eq!(lab.keys().unwrap(&wrapped).unwrap().expose_secret(), [9; 32]);
    assert!(base64::engine::general_purpose::STANDARD.decode(theirs).is_ok());
}

#[test]
fn credentials_come_from_where_aws_has_them_in_its_order() {
    let Some(moto) = Moto::find() else { return };
    let key = moto.key(&BTreeMap::new(), "");
    let sealed = moto.lab().encrypt(&key).unwrap();
    let opens = |lab: &Lab| lab.decrypt(&sealed).is_ok();
    let keys = format!("aws_access_key_id = {}\naws_secret_access_key = {}\n", moto.access_key, moto.secret_key);
    let wrong = "aws_access_key_id = AKIDNOBODY\naws_secret_access_key = x\n";

    let by_default = moto.nobody();
    assert!(!opens(&by_default), "no credentials at all");
    by_default.file(".aws/credentials", format!("[default]\n{keys}"));
    assert!(opens(&by_default), "the default profile");

    let named = moto.nobody().env("AWS_PROFILE", "dev");
    let said = named.refusal(&key, &enc_of(&sealed));
    let missing = "could not load AWS config: failed to get shared config profile, dev";
    assert_eq!(said, missing);
    named.file(".aws/config", format!("[default]\n{wrong}[profile dev]\n{keys}"));
    assert!(opens(&named), "AWS_PROFILE");

    let variables_first = moto.lab().env("AWS_PROFILE", "dev");
    variables_first.file(".aws/config", format!("[profile dev]\n{wrong}"));
    assert!(opens(&variables_first), "the variables before AWS_PROFILE");

    let process = moto.nobody();
    let (access, secret) = (&moto.access_key, &moto.secret_key);
    let json = format!("{{\"Version\":1,\"AccessKeyId\":\"{access}\",\"SecretAccessKey\":\"{secret}\"}}");
    process.file("creds.json", json);
    process.file(".aws/config", "[default]\ncredential_process = cat creds.json | tee \"$HOME\"/copy\n");
    let in_home = process.home().join("creds.json");
    process.file(".aws/config", format!("[default]\ncredential_process = cat {}\n", in_home.display()));
    assert!(opens(&process), "a program");

    // A profile in the file comes before the variables.
    let profiled = moto.key(&BTreeMap::new(), "dev");
    let of_profile = moto.lab().encrypt(&profiled);
    assert!(of_profile.is_err(), "the profile of the key is not there");
    let lab = moto.nobody().env("AWS_ACCESS_KEY_ID", "AKIDNOBODY").env("AWS_SECRET_ACCESS_KEY", "x");
    lab.file(".aws/credentials", format!("[dev]\n{keys}"));
    let sealed = lab.encrypt(&profiled).unwrap();
    if let Some(sops) = peer("sops") {
        assert_eq!(lab.sops_decrypt(&sops, &sealed).unwrap().as_bytes(), PLAIN, "theirs, by the same profile");
    }
}

#[test]
fn a_profile_takes_on_its_role_and_a_token_file_another() {
    let Some(moto) = Moto::find() else { return };
    let key = moto.key(&BTreeMap::new(), "");
    let sealed = moto.lab().encrypt(&key).unwrap();
    let role = "arn:aws:iam::123456789012:role/r1";
    let keys = format!("aws_access_key_id = {}\naws_secret_access_key = {}\n", moto.access_key, moto.secret_key);
    let by_profile = moto.nobody().env("AWS_ENDPOINT_URL_STS", &moto.url);
    by_profile
        .file(".aws/config", format!("[profile base]\n{keys}[default]\nsource_profile = base\nrole_arn = {role}\n"));
    assert_eq!(by_profile.decrypt(&sealed).unwrap(), PLAIN);

    let Some(moto) = Moto::believing() else { return };
    let sealed = moto.lab().encrypt(&moto.key(&BTreeMap::new(), "")).unwrap();
    let by_token = moto.nobody().env("AWS_ENDPOINT_URL_STS", &moto.url).env("AWS_ROLE_ARN", role);
    let token = by_token.file("token", "a.b.c\n");
    let by_token = by_token.env("AWS_WEB_IDENTITY_TOKEN_FILE", token.display().to_string());
    assert_eq!(by_token.decrypt(&sealed).unwrap(), PLAIN);
}
