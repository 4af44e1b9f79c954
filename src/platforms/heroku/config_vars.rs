//! Config variables: one PATCH of the differences makes one release.

use std::collections::BTreeMap;

use super::App;
use super::api::Plaintext;
use crate::promote::{self, Observed, PlatformError, Query, Receipt, State, Value};
use crate::secret::SecretString;
use crate::system::http::{Body, Call, WriteClient};

type ConfigVars = BTreeMap<String, Option<Plaintext>>;

impl App {
    /// The wanted variables as they are, recognised; nothing of any other.
    pub(super) async fn observe_config(&self, query: Query<'_>) -> Result<Observed, PlatformError> {
        let release = self.current_release().await?;
        let live = self.config_vars().await?;
        let version = release.as_ref().map(|release| release.id.as_str());
        let names: Vec<&String> = match query.wanted {
            State::Fields(fields) => fields.keys().collect(),
            _ => live.keys().collect(),
        };
        let mut fields = BTreeMap::new();
        for name in names {
            let value = query
                .recognise(name, text(&live, name), version)
                .map_err(|error| PlatformError::new(&self.target, "recognise a config variable", error))?;
            fields.insert(name.clone(), value);
        }
        let state = State::Fields(fields);
        Ok(match release {
            Some(release) => super::observed_in(&release, state),
            None => Observed { state, version: None, restores: Vec::new() },
        })
    }

    /// Whether the variables are as `after` has them.
    pub(super) async fn config_is(&self, after: &State, source: &dyn promote::Source) -> Result<bool, PlatformError> {
        let live = self.config_vars().await?;
        let wanted = self.plaintexts(after, source)?;
        Ok(wanted.iter().all(|(name, value)| text(&live, name) == value.as_ref().map(SecretString::expose_secret)))
    }

    /// The release that a PATCH after number `since` made, if it arrived.
    pub(super) async fn adopt_config(
        &self,
        after: &State,
        since: u64,
        source: &dyn promote::Source,
    ) -> Result<Option<Receipt>, PlatformError> {
        if !self.config_is(after, source).await? {
            return Ok(None);
        }
        self.receipt_since(since).await.map(Some)
    }

    /// Sends the differences, values set and `null` for what shall go.
    pub(super) async fn patch_config(
        &self,
        http: &WriteClient,
        after: &State,
        source: &dyn promote::Source,
    ) -> Result<Receipt, PlatformError> {
        let action = "patch the config variables";
        let wanted = self.plaintexts(after, source)?;
        let since = self.release_watermark().await?;
        let entries: Vec<_> = wanted.iter().map(|(name, value)| (name.as_str(), value.as_ref())).collect();
        let body = Body::secrets(&entries);
        let segments = ["apps", &self.name, "config-vars"];
        http.patch(&Call::new(&segments), &body).await.map_err(|error| self.failed(action, error))?;
        // It was done: that its release cannot be found now is no failure of it.
        Ok(self.receipt_since(since).await.unwrap_or_default())
    }

    async fn receipt_since(&self, since: u64) -> Result<Receipt, PlatformError> {
        let made = self.releases_after(since).await?.into_iter().next();
        let id = made.map_or_else(String::new, |release| format!("release/{}", release.id));
        Ok(Receipt { id, notes: BTreeMap::new() })
    }

    async fn config_vars(&self) -> Result<ConfigVars, PlatformError> {
        let segments = ["apps", &self.name, "config-vars"];
        let answer = self.http.get(&Call::new(&segments)).await.and_then(|answer| answer.json());
        answer.map_err(|error| self.failed("read the config variables", error))
    }

    fn plaintexts(
        &self,
        after: &State,
        source: &dyn promote::Source,
    ) -> Result<Vec<(String, Option<SecretString>)>, PlatformError> {
        let State::Fields(fields) = after else {
            return Err(self.misconfigured("config variables are named fields"));
        };
        let open = |(name, value): (&String, &Value)| {
            let plaintext = match value {
                Value::Absent => None,
                Value::Text(text) => Some(SecretString::new(text.clone())),
                Value::Secret(reference) => Some(
                    source
                        .secret(reference)
                        .map_err(|error| PlatformError::new(&self.target, "open a secret", error))?,
                ),
                Value::Held { .. } | Value::Fact(_) => {
                    return Err(self.misconfigured(&format!("the value of `{name}` is not at hand")));
                }
            };
            Ok((name.clone(), plaintext))
        };
        fields.iter().map(open).collect()
    }
}

fn text<'a>(live: &'a ConfigVars, name: &str) -> Option<&'a str> {
    live.get(name)?.as_ref().map(|value| value.0.expose_secret())
}
