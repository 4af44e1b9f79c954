//! The messages of the key service.
//!
//! *Source*: the SOPS format, section 10: proto3, no package, service `KeyService`. Annotated by hand, so that no
//! compiler of protocol files is needed.

use std::collections::BTreeMap;
use std::fmt;

use zeroize::Zeroize as _;

/// Which key is meant.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Key {
    #[prost(oneof = "KeyType", tags = "1, 2, 3, 4, 5, 6, 7")]
    pub(super) key_type: Option<KeyType>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(super) enum KeyType {
    #[prost(message, tag = "1")]
    Kms(KmsKey),
    #[prost(message, tag = "2")]
    Pgp(PgpKey),
    #[prost(message, tag = "3")]
    GcpKms(GcpKmsKey),
    #[prost(message, tag = "4")]
    AzureKeyVault(AzureKeyVaultKey),
    #[prost(message, tag = "5")]
    Vault(VaultKey),
    #[prost(message, tag = "6")]
    Age(AgeKey),
    #[prost(message, tag = "7")]
    HuaweiKms(HuaweiKmsKey),
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct KmsKey {
    #[prost(string, tag = "1")]
    pub(super) arn: String,
    #[prost(string, tag = "2")]
    pub(super) role: String,
    #[prost(btree_map = "string, string", tag = "3")]
    pub(super) context: BTreeMap<String, String>,
    #[prost(string, tag = "4")]
    pub(super) aws_profile: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct PgpKey {
    #[prost(string, tag = "1")]
    pub(super) fingerprint: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct GcpKmsKey {
    #[prost(string, tag = "1")]
    pub(super) resource_id: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct AzureKeyVaultKey {
    #[prost(string, tag = "1")]
    pub(super) vault_url: String,
    #[prost(string, tag = "2")]
    pub(super) name: String,
    #[prost(string, tag = "3")]
    pub(super) version: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct VaultKey {
    #[prost(string, tag = "1")]
    pub(super) vault_address: String,
    #[prost(string, tag = "2")]
    pub(super) engine_path: String,
    #[prost(string, tag = "3")]
    pub(super) key_name: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct AgeKey {
    #[prost(string, tag = "1")]
    pub(super) recipient: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct HuaweiKmsKey {
    #[prost(string, tag = "1")]
    pub(super) key_id: String,
}

/// What is to be wrapped or unwrapped: field 2 is the data key, or the wrapped key as the metadata holds it.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub(super) struct Demand {
    #[prost(message, optional, tag = "1")]
    pub(super) key: Option<Key>,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) bytes: Vec<u8>,
}

/// What became of it: the wrapped key as the metadata holds it, or the data key.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub(super) struct Outcome {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) bytes: Vec<u8>,
}

impl fmt::Debug for Demand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Demand {{ key: {:?}, {} bytes }}", self.key, self.bytes.len())
    }
}

impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Outcome {{ {} bytes }}", self.bytes.len())
    }
}

impl Drop for Demand {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

impl Drop for Outcome {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}
