//! Joins the engine to the vendors: credentials from the stage's file or the environment, and each target's client.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::platforms::{self, Probe, ProbeSettings};
use crate::promote::{
    Client, Connection, Connector, Descriptor, PlatformError, PlatformFault, Reader, Source, Target, Writer,
};
use crate::secret::SecretString;

use super::rehearsal::Twins;

/// The connector of every command.
pub(crate) struct Edge {
    /// The environment variables that descriptors name, with what they hold.
    variables: BTreeMap<&'static str, SecretString>,
    /// The addresses that the vendors' own clients would be led to, by the variable that says so.
    hosts: BTreeMap<&'static str, String>,
    /// Where targets are led to instead, in a rehearsal.
    twins: Option<Twins>,
}

impl Edge {
    /// Reads the variables that descriptors name; nothing else of the environment reaches a client.
    pub(crate) fn new(context: &crate::cli::Context, twins: Option<Twins>) -> Self {
        let credentials = platforms::DESCRIPTORS.iter().flat_map(|descriptor| descriptor.credentials);
        let variables = credentials
            .filter_map(|credential| Some((credential.variable, context.variable(credential.variable)?)))
            .map(|(name, value)| (name, SecretString::new(value.to_owned())))
            .collect();
        let hosts = platforms::DESCRIPTORS.iter().filter_map(|descriptor| descriptor.host);
        let hosts = hosts.filter_map(|name| Some((name, context.variable(name)?.to_owned()))).collect();
        Self { variables, hosts, twins }
    }

    fn connection(&self, target: &Target, source: &dyn Source) -> Result<(Connection, Client), PlatformError> {
        let target = self.twins.as_ref().map_or_else(|| target.clone(), |twins| twins.target(target));
        let failed = |fault: PlatformFault| PlatformError::new(&target.name, "connect", fault);
        let no_client =
            || failed(PlatformFault::NoClient { backend: target.backend.clone(), declared: target.declared.clone() });
        let descriptor = descriptor(&target.backend).ok_or_else(no_client)?;
        let client = descriptor.client.ok_or_else(no_client)?;
        let twin = self.twins.as_ref().map(|twins| twins.connection(&target));
        let mut credentials = twin.as_ref().map(|twin| twin.credentials.clone()).unwrap_or_default();
        if twin.is_none() {
            for credential in descriptor.credentials {
                let (key, variable) = (credential.key, credential.variable);
                if let Some(reference) = target.credentials.get(key) {
                    let opened = source.secret(reference).map_err(|error| failed(error.into()))?;
                    credentials.insert(key, opened);
                } else if let Some(value) = self.variables.get(variable) {
                    credentials.insert(key, value.clone());
                } else if !credential.optional {
                    return Err(failed(PlatformFault::NoCredential { key, variable }));
                }
            }
        }
        let (endpoints, authority, interval) = twin.map_or_else(
            || {
                let host = descriptor.host.and_then(|name| self.hosts.get(name));
                (host.cloned().into_iter().collect(), None, descriptor.interval)
            },
            |twin| (twin.endpoints, twin.authority, twin.interval),
        );
        Ok((Connection { target, credentials, endpoints, authority, interval, clock: jiff::Timestamp::now }, client))
    }
}

impl Connector for Edge {
    fn descriptors(&self) -> &[&'static Descriptor] {
        platforms::DESCRIPTORS
    }

    fn reader(&self, target: &Target, source: &dyn Source) -> Result<Arc<dyn Reader>, PlatformError> {
        let (connection, client) = self.connection(target, source)?;
        (client.reader)(&connection)
    }

    fn writer(&self, target: &Target, source: &dyn Source) -> Result<Arc<dyn Writer>, PlatformError> {
        let (connection, client) = self.connection(target, source)?;
        (client.writer)(&connection)
    }

    fn prober(&self) -> Result<Arc<dyn Reader>, PlatformError> {
        let settings = self.twins.as_ref().map_or_else(ProbeSettings::default, Twins::probe);
        Ok(Arc::new(Probe::new(settings)))
    }
}

fn descriptor(name: &str) -> Option<&'static Descriptor> {
    platforms::DESCRIPTORS.iter().copied().find(|descriptor| descriptor.name == name)
}
