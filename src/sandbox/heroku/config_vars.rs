//! Config vars: one PATCH, one release.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::{Answer, Answered, Heroku, Refusal, Request};
use crate::sandbox::vault::Sealed;
use crate::secret::SecretString;

/// A value on its way into the world.
struct Plain(SecretString);

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(SecretString::new(text)))
    }
}

impl Heroku<'_> {
    /// `GET /apps/{app}/config-vars`.
    pub(super) fn show_config(&self, app: &str) -> Answered {
        let app = self.app(app)?;
        self.view_config(&app.config)
    }

    /// `GET /apps/{app}/releases/{release}/config-vars`.
    pub(super) fn show_release_config(&self, app: &str, release: &str) -> Answered {
        let app = self.app(app)?;
        let release = self.release_named(&app.id, release)?;
        self.view_config(&release.config)
    }

    /// `PATCH /apps/{app}/config-vars`. Makes a release also where no value differs, as the vendor does.
    pub(super) fn update_config(&mut self, app: &str, request: &Request) -> Answered {
        let id = self.app(app)?.id;
        let changes: BTreeMap<String, Option<Plain>> = request.body()?;
        if changes.is_empty() {
            return self.show_config(&id);
        }
        let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if let Some(name) = changes.keys().find(|name| name.is_empty() || !name.bytes().all(word)) {
            return Err(Refusal::invalid(format!("{name} is not a valid config var name.")));
        }
        let mut config = self.app(&id)?.config;
        let (mut set, mut removed) = (Vec::new(), Vec::new());
        for (name, value) in changes {
            match value {
                Some(Plain(value)) => {
                    let sealed = self.vault.seal(&name, &value).map_err(|_| Refusal::internal())?;
                    config.insert(name.clone(), sealed);
                    set.push(name);
                }
                None => {
                    config.remove(&name);
                    removed.push(name);
                }
            }
        }
        self.app_mut(&id)?.config = config;
        let mut sentence = Vec::new();
        for (verb, names) in [("Set", &set), ("Remove", &removed)] {
            if !names.is_empty() {
                sentence.push(format!("{verb} {} config vars", names.join(", ")));
            }
        }
        let artifact = self.serving_artifact(&id);
        self.release(&id, &sentence.join("; "), artifact)?;
        self.show_config(&id)
    }

    fn view_config(&self, config: &BTreeMap<String, Sealed>) -> Answered {
        let mut view = Map::new();
        for (name, sealed) in config {
            let value = self.vault.open(name, sealed).map_err(|_| Refusal::internal())?;
            view.insert(name.clone(), value.expose_secret().into());
        }
        Ok(Answer::ok(Value::Object(view)))
    }
}
