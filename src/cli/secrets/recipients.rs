//! Recipients as a user names them.

use crate::cli::Failed;
use crate::error::Class;
use crate::keys::{EncryptionContext, KeyKind, Recipient};
use crate::sops::RuleGroup;

const HEADING: &str = "Recipients";

/// What is said of a key of AWS KMS beside its ARN.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct OfAws {
    /// What the keys of AWS KMS are bound to: `NAME:VALUE,NAME:VALUE`.
    #[arg(long, value_name = "PAIRS", help_heading = HEADING)]
    encryption_context: Option<String>,
    /// The profile by which the keys of AWS KMS are used.
    #[arg(long, value_name = "NAME", help_heading = HEADING)]
    aws_profile: Option<String>,
}

/// The flags that name the recipients of a new file, in place of those of its rule; each takes a list parted by commas.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Recipients {
    /// age: `age1…`, `ssh-ed25519 …`, `ssh-rsa …`
    #[arg(long, value_name = "KEYS", env = "SOPS_AGE_RECIPIENTS", help_heading = HEADING)]
    age: Option<String>,
    /// OpenPGP: fingerprints.
    #[arg(long, value_name = "KEYS", env = "SOPS_PGP_FP", help_heading = HEADING)]
    pgp: Option<String>,
    /// AWS KMS: ARNs; one with a role is `ARN+ROLE`.
    #[arg(long, value_name = "KEYS", env = "SOPS_KMS_ARN", help_heading = HEADING)]
    kms: Option<String>,
    /// Google Cloud KMS: `projects/…/cryptoKeys/…`
    #[arg(long, value_name = "KEYS", env = "SOPS_GCP_KMS_IDS", help_heading = HEADING)]
    gcp_kms: Option<String>,
    /// Azure Key Vault: `https://HOST/keys/NAME[/VERSION]`
    #[arg(long, value_name = "KEYS", env = "SOPS_AZURE_KEYVAULT_URLS", help_heading = HEADING)]
    azure_kv: Option<String>,
    /// The transit engine of Vault: `https://HOST:8200/v1/ENGINE/keys/NAME`
    #[arg(long, value_name = "KEYS", env = "SOPS_VAULT_URIS", help_heading = HEADING)]
    hc_vault_transit: Option<String>,
    /// HuaweiCloud KMS: `REGION:UUID`
    #[arg(long, value_name = "KEYS", env = "SOPS_HUAWEICLOUD_KMS_IDS", help_heading = HEADING)]
    hckms: Option<String>,
    #[command(flatten)]
    aws: OfAws,
    /// How many key groups it takes to open the file.
    #[arg(long, value_name = "N", help_heading = HEADING)]
    pub(crate) shamir_secret_sharing_threshold: Option<usize>,
}

impl Recipients {
    /// One group of everybody who is named, in the order of a file; `None` if nobody is.
    ///
    /// # Errors
    /// One is none; the context of AWS is none.
    pub(crate) fn group(&self) -> Result<Option<RuleGroup>, Failed> {
        let lists = [
            (KeyKind::AwsKms, &self.kms),
            (KeyKind::GcpKms, &self.gcp_kms),
            (KeyKind::HuaweiKms, &self.hckms),
            (KeyKind::AzureKeyVault, &self.azure_kv),
            (KeyKind::Pgp, &self.pgp),
            (KeyKind::VaultTransit, &self.hc_vault_transit),
            (KeyKind::Age, &self.age),
        ];
        let mut keys = Vec::new();
        for (kind, list) in lists {
            // An empty variable names nobody.
            for text in list.iter().filter(|list| !list.is_empty()).flat_map(|list| list.split(',')) {
                keys.push(self.aws.of_kind(kind, text)?);
            }
        }
        Ok((!keys.is_empty()).then_some(RuleGroup { keys }))
    }
}

impl OfAws {
    /// Reads recipients: age as it is, any other kind behind its word (`pgp:`, `kms:`, `gcp_kms:`, `hckms:`, `azure_kv:`,
    /// `hc_vault:`).
    ///
    /// # Errors
    /// One is none.
    pub(crate) fn named(&self, texts: &[String]) -> Result<Vec<Recipient>, Failed> {
        texts.iter().map(|text| self.one(text)).collect()
    }

    fn one(&self, text: &str) -> Result<Recipient, Failed> {
        if let Some((word, rest)) = text.split_once(':')
            && let Some(kind) = KeyKind::of_word(word)
        {
            return self.of_kind(kind, rest);
        }
        Recipient::parse_age(text).map_err(|error| {
            Failed::from(error).hint("a kind other than age stands before its key: `pgp:`, `kms:`, `gcp_kms:`, `hckms:`, `azure_kv:`, `hc_vault:`")
        })
    }

    fn of_kind(&self, kind: KeyKind, text: &str) -> Result<Recipient, Failed> {
        if kind == KeyKind::AwsKms {
            let profile = self.aws_profile.as_deref().unwrap_or_default();
            return Ok(Recipient::parse_aws_kms(text, &self.context()?, profile));
        }
        Ok(Recipient::parse(kind, text)?)
    }

    fn context(&self) -> Result<EncryptionContext, Failed> {
        let pair = |pair: &str| match pair.split(':').collect::<Vec<_>>()[..] {
            [name, value] => Ok((name.to_owned(), Some(value.to_owned()))),
            _ => Err(Failed::new(Class::Usage, format!("`{pair}` is no part of an encryption context"))
                .hint("it is `NAME:VALUE,NAME:VALUE`")),
        };
        self.encryption_context.iter().flat_map(|text| text.split(',')).map(pair).collect()
    }
}
