//! The audit of `/etc/sops/audit.yaml`.

use std::path::Path;

use super::exit::Exit;

/// Where every decryption and encryption is recorded, if the machine wants that.
#[derive(Default)]
pub(super) struct Audit {}

impl Audit {
    pub(super) fn open() -> Result<Self, Exit> {
        Ok(Self::default())
    }

    pub(super) fn record(&self, _action: &str, _file: Option<&Path>) -> Result<(), Exit> {
        Ok(())
    }
}
