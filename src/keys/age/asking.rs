//! The age crate's questions, passed on.

use std::sync::Arc;

use ::age::Callbacks;
use ::age::secrecy::SecretString as AgeSecret;

use crate::keys::Prompt;

/// Whom to ask, if there is somebody.
#[derive(Clone, Default)]
pub(in crate::keys) struct Asking(pub(in crate::keys) Option<Arc<dyn Prompt>>);

impl Callbacks for Asking {
    fn display_message(&self, message: &str) {
        if let Some(prompt) = &self.0 {
            prompt.show(message);
        }
    }

    fn confirm(&self, message: &str, yes_string: &str, no_string: Option<&str>) -> Option<bool> {
        self.0.as_ref()?.confirm(message, yes_string, no_string)
    }

    fn request_public_string(&self, description: &str) -> Option<String> {
        self.0.as_ref()?.line(description)
    }

    fn request_passphrase(&self, description: &str) -> Option<AgeSecret> {
        Some(AgeSecret::from(self.0.as_ref()?.passphrase(description)?.expose_secret().to_owned()))
    }
}
