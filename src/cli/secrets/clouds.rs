//! Key services beyond this machine, set up from the environment.

use crate::cli::{Context, report};
use crate::keys::{
    KeyServices, LocalKeys, Publisher, RemoteKeys, ServiceAddress, ServiceAddressError, Surroundings, with_clouds,
};

/// Adds the clients of the clouds to the local key service.
pub(crate) fn local(context: &Context, keys: LocalKeys) -> LocalKeys {
    with_clouds(keys, &surroundings(context), &context.background)
}

/// The client that brings files to destinations.
pub(crate) fn publisher(context: &Context) -> Publisher {
    Publisher::new(&surroundings(context), &context.background)
}

/// Adds key services by their URIs, after those that are there; what is no URI is said and skipped, as SOPS does.
pub(crate) fn remotes_at<U: AsRef<str>>(context: &Context, mut services: KeyServices, uris: &[U]) -> KeyServices {
    for uri in uris.iter().map(AsRef::as_ref) {
        match ServiceAddress::parse(uri) {
            Ok(address) => services = services.with(RemoteKeys::new(address, context.background.clone())),
            Err(ServiceAddressError::NoUri(_)) => {
                report::say(&format!("warning: Error parsing URI for keyservice, skipping: {uri}"));
            }
            Err(error) => report::say(&format!("warning: the key service at `{uri}` is skipped: {error}")),
        }
    }
    services
}

/// The whole environment, for there is no other list of the variables that the vendors' programs take notice of.
fn surroundings(context: &Context) -> Surroundings {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let text = context.variables().into_iter();
    let text = text.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    Surroundings::new(text, jiff::Timestamp::now, name)
}
