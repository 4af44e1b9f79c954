//! A line for each flag that names a key of a cloud, against stand-ins and with the same variables for both programs.

use super::twins::{Line, RECIPIENT, Twins};
use crate::kms::{aws_sources, azure, gcp, huawei, vault_sources};

const YAML: &str = "a: 1\nc: CANARY-heron\n";
const ARN: &str = "arn:aws:kms:us-east-1:123456789012:key/k";
const OTHER: &str = "arn:aws:kms:us-east-1:123456789012:alias/other";

/// Twin folders whose variables lead to the stand-ins, and the names of keys there.
struct Clouds {
    twins: Twins,
    vault: String,
    azure: String,
    vendors: [crate::kms::stand_in::StandIn; 5],
}

impl Clouds {
    fn new() -> Option<Self> {
        let mut twins = Twins::new(&[("p.yaml", YAML), ("e.yaml", YAML)])?;
        twins.s.plaintext.clear();
        let (aws, azure, gcp) =
            (aws_sources::vendor(), azure::vendor(Default::default()), gcp::vendor(Default::default()));
        let (huawei, vault) = (huawei::vendor(Default::default()), vault_sources::vendor());
        let near = |vendor: &crate::kms::stand_in::StandIn| format!("http://127.0.0.1:{}", vendor.clear);
        for (name, value) in [
            ("AWS_ENDPOINT_URL", near(&aws)),
            ("AWS_ACCESS_KEY_ID", "x".into()),
            ("AWS_SECRET_ACCESS_KEY", "y".into()),
            ("IDENTITY_ENDPOINT", format!("{}/msi/token", near(&azure))),
            ("IDENTITY_HEADER", "h".into()),
            ("SSL_CERT_FILE", azure.authority().display().to_string()),
            ("SOPS_GCP_KMS_CLIENT_TYPE", "rest".into()),
            ("SOPS_GCP_KMS_ENDPOINT", near(&gcp)),
            ("GOOGLE_OAUTH_ACCESS_TOKEN", gcp::TOKEN.into()),
            ("HUAWEICLOUD_SDK_REGION_KMS_TR_WEST_1", near(&huawei)),
            ("HUAWEICLOUD_SDK_AK", "AKTEST".into()),
            ("HUAWEICLOUD_SDK_SK", huawei::SECRET.into()),
            ("HUAWEICLOUD_SDK_PROJECT_ID", "proj0123".into()),
            ("VAULT_TOKEN", "root".into()),
        ] {
            twins.s.set_env(name, value);
        }
        let aws_config = twins.s.root().join("home/.aws/config");
        std::fs::create_dir_all(aws_config.parent().unwrap()).unwrap();
        std::fs::write(aws_config, "[profile dev]\naws_access_key_id = d\naws_secret_access_key = s\n").unwrap();
        let vault_uri = format!("{}/v1/transit/keys/k", near(&vault));
        let azure_url = format!("https://127.0.0.1:{}/keys/mykey", azure.secure);
        Some(Self { twins, vault: vault_uri, azure: azure_url, vendors: [aws, azure, gcp, huawei, vault] })
    }

    fn check(&self, rows: &[&[&[&str]]]) {
        let mut differ = Vec::new();
        for row in rows {
            let lines: Vec<Line<'_>> = row.iter().map(|args| Line { args, ..Line::default() }).collect();
            differ.extend(self.twins.differences(&lines, true));
        }
        assert!(differ.is_empty(), "{}", differ.join("\n"));
    }
}

#[test]
fn encrypting() {
    let Some(clouds) = Clouds::new() else { return };
    let (vault, azure) = (clouds.vault.as_str(), clouds.azure.as_str());
    let huawei = "tr-west-1:11111111-2222-3333-4444-555555555555";
    clouds.check(&[
        &[&["encrypt", "--kms", ARN, "p.yaml"]],
        &[&["encrypt", "-k", ARN, "-i", "p.yaml"]],
        &[&["encrypt", "--kms", &format!("{ARN},{OTHER}"), "-i", "p.yaml"]],
        &[&["encrypt", "--kms", ARN, "--encryption-context", "A:x,B:y", "p.yaml"]],
        &[&["encrypt", "--kms", ARN, "--encryption-context", "A", "p.yaml"]],
        &[&["encrypt", "--kms", ARN, "--aws-profile", "dev", "p.yaml"]],
        &[&["encrypt", "--kms", ARN, "--aws-profile", "missing", "p.yaml"]],
        &[&["encrypt", "--kms", "nonsense", "p.yaml"]],
        &[&["encrypt", "--gcp-kms", gcp::NAME, "p.yaml"]],
        &[&["encrypt", "--gcp-kms", "nonsense", "p.yaml"]],
        &[&["encrypt", "--azure-kv", azure, "p.yaml"]],
        &[&["encrypt", "--azure-kv", "http://x/keys/n/1", "p.yaml"]],
        &[&["encrypt", "--hc-vault-transit", vault, "p.yaml"]],
        &[&["encrypt", "--hc-vault-transit", "https://x/k", "p.yaml"]],
        &[&["encrypt", "--hckms", huawei, "p.yaml"]],
        &[&["encrypt", "--hckms", "nonsense", "p.yaml"]],
        &[&[
            "encrypt",
            "--kms",
            ARN,
            "--gcp-kms",
            gcp::NAME,
            "--azure-kv",
            azure,
            "--hc-vault-transit",
            vault,
            "--hckms",
            huawei,
            "-a",
            RECIPIENT,
            "p.yaml",
        ]],
        &[&["-e", "--kms", ARN, "--gcp-kms", gcp::NAME, "p.yaml"]],
        &[&["-e", "--azure-kv", azure, "--hc-vault-transit", vault, "--hckms", huawei, "-i", "p.yaml"]],
        &[&["-e", "--kms", ARN, "--aws-profile", "dev", "--encryption-context", "A:x", "p.yaml"]],
    ]);
    let mut differ = Vec::new();
    for (name, value) in [
        ("SOPS_KMS_ARN", ARN),
        ("SOPS_GCP_KMS_IDS", gcp::NAME),
        ("SOPS_AZURE_KEYVAULT_URLS", azure),
        ("SOPS_VAULT_URIS", vault),
        ("SOPS_HUAWEICLOUD_KMS_IDS", huawei),
    ] {
        let line = Line { args: &["encrypt", "p.yaml"], env: &[(name, value)], input: "" };
        differ.extend(clouds.twins.differences(&[line], true));
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

#[test]
fn adding_and_removing() {
    let Some(clouds) = Clouds::new() else { return };
    let (vault, azure) = (clouds.vault.as_str(), format!("{}/{}", clouds.azure, azure::VERSION));
    let huawei = "tr-west-1:11111111-2222-3333-4444-555555555555";
    let pairs = [
        ("kms", ARN),
        ("gcp-kms", gcp::NAME),
        ("azure-kv", azure.as_str()),
        ("hc-vault-transit", vault),
        ("hckms", huawei),
    ];
    for (kind, key) in pairs {
        let (add, remove, plain) = (format!("--add-{kind}"), format!("--rm-{kind}"), format!("--{kind}"));
        let added: &[&str] = &["rotate", "-i", &add, key, "e.yaml"];
        clouds.check(&[
            &[added],
            &[added, &["decrypt", "--decryption-order", "kms,gcp_kms,azure_kv,hc_vault,hckms,age", "e.yaml"]],
            &[added, &["rotate", "-i", &remove, key, "e.yaml"]],
            &[added, &["-r", "-i", &remove, key, "e.yaml"]],
            &[added, &["set", "e.yaml", "[\"a\"]", "2"], &["unset", "e.yaml", "[\"a\"]"]],
            &[added, &["filestatus", "e.yaml"]],
        ]);
        let group: &[&str] = &["groups", "add", "-f", "e.yaml", &plain, key, "-i"];
        if kind != "hckms" {
            clouds.check(&[&[&group[..group.len() - 1]], &[group, &["decrypt", "e.yaml"]]]);
            continue;
        }
        // The real one takes no notice of this flag and writes a file that nobody can open; here it is a key.
        let lines = [group, &["decrypt", "e.yaml"]].map(|args| Line { args, ..Line::default() });
        let (_, did) = clouds.twins.ours(&lines);
        assert_eq!((did[0].code, did[1].stdout.as_slice()), (0, YAML.as_bytes()), "{}", did[1].stderr);
    }
    clouds.check(&[
        &[&["rotate", "-i", "--add-kms", ARN, "--encryption-context", "A:x", "e.yaml"]],
        &[&["groups", "add", "-f", "e.yaml", "--kms", ARN, "--aws-profile", "dev", "--encryption-context", "A:x"]],
    ]);
}

/// `encrypt` forgets the context that the line gives for keys of the rules; the old form takes it.
#[test]
fn a_context_on_the_line_reaches_keys_of_the_rules_in_the_old_form_only() {
    let Some(clouds) = Clouds::new() else { return };
    let rules = clouds.twins.s.root().join("start/.sops.yaml");
    std::fs::write(rules, format!("creation_rules:\n  - kms: {ARN}\n")).unwrap();
    let rows: [&[&str]; 2] =
        [&["encrypt", "--encryption-context", "A:x", "p.yaml"], &["-e", "--encryption-context", "A:x", "p.yaml"]];
    for (args, taken) in rows.into_iter().zip([false, true]) {
        clouds.check(&[&[args]]);
        let (_, did) = clouds.twins.ours(&[Line { args, ..Line::default() }]);
        assert_eq!(String::from_utf8_lossy(&did[0].stdout).contains("A: x"), taken, "{args:?}: {did:?}");
    }
}

/// SOPS looks for the version of a key while it reads the line and the rules, be there anything to encrypt or not; we do
/// when a data key is to be wrapped.
#[test]
fn the_version_of_a_key_is_not_looked_for_before_it_is_needed() {
    let Some(clouds) = Clouds::new() else { return };
    let start = clouds.twins.s.root().join("start");
    let rules = format!("creation_rules:\n  - azure_keyvault: {}\n", clouds.azure);
    std::fs::write(start.join("rules.yaml"), rules).unwrap();
    let [_, azure, ..] = &clouds.vendors;
    let asked = || azure.heard().len();
    for args in [
        &["encrypt", "--azure-kv", &clouds.azure, "e.yaml"][..],
        &["--config", "rules.yaml", "encrypt", "e.yaml"],
        &["-e", "--azure-kv", &clouds.azure, "e.yaml"],
    ] {
        let row = [Line { args, ..Line::default() }];
        let (theirs, by_theirs) = (clouds.twins.theirs(&row).1, asked());
        let (ours, by_ours) = (clouds.twins.ours(&row).1, asked());
        assert_eq!((theirs[0].code, ours[0].code), (203, 203), "{args:?}: {theirs:?} {ours:?}");
        assert!(by_theirs > 0 && by_ours == 0, "{args:?}: {by_theirs} requests of theirs, {by_ours} of ours");
    }
}
