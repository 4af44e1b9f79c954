//! `sops keyservice`.

use std::path::PathBuf;
use std::sync::Arc;

use super::call::Call;
use super::exit::Exit;
use crate::cli::commands::keyservice::{Asking, serve};
use crate::keys::{Consent, ServiceAddress};

pub(super) fn run(call: &Call) -> Result<u8, Exit> {
    let network = call.flags.value("network").unwrap_or("tcp");
    let address = call.flags.value("address").unwrap_or("127.0.0.1:5000");
    let address = match network {
        "tcp" => ServiceAddress::Tcp(address.to_owned()),
        "unix" => ServiceAddress::Unix(call.context.path(&PathBuf::from(address))),
        other => return Err(Exit::fatal(format!("listen {other}: unknown network {other}"))),
    };
    let consent = call.flags.is_set("prompt").then(|| Arc::new(Asking { stdout: true }) as Arc<dyn Consent>);
    serve(&call.context, &address, consent).map_err(|failed| Exit::fatal(failed.message))
}
