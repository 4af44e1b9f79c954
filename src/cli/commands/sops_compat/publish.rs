//! `sops publish`.

use super::call::Call;
use super::exit::Exit;

pub(super) fn run(call: &Call) -> Result<u8, Exit> {
    call.rules(None)?.ok_or_else(|| Exit::new(1, "config file not found"))?;
    Err(Exit::new(1, "lockage does not answer `sops publish`"))
}
