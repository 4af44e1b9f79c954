//! Questions that only somebody at a terminal can answer.

use crate::secret::SecretString;

/// Asks whoever runs the program. It may be called from several threads; it asks one question at a time.
pub trait Prompt: Send + Sync {
    /// Asks for a passphrase; `None` if nobody answers.
    fn passphrase(&self, question: &str) -> Option<SecretString>;

    /// Asks for the passphrase of an identity file, which an agent may remember under `cache_id`.
    fn identity_passphrase(&self, question: &str, cache_id: &str) -> Option<SecretString> {
        let _ = cache_id;
        self.passphrase(question)
    }

    /// The remembered passphrase was wrong.
    fn forget(&self, cache_id: &str) {
        let _ = cache_id;
    }

    /// Shows what a plugin has to say.
    fn show(&self, message: &str);

    /// Asks a plugin's question that has two answers; `None` if nobody can be asked.
    fn confirm(&self, message: &str, yes: &str, no: Option<&str>) -> Option<bool>;

    /// Asks a plugin's question whose answer is no secret; `None` if nobody answers.
    fn line(&self, question: &str) -> Option<String>;
}
