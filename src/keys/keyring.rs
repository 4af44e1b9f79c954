//! The identities at hand.

use std::sync::{Arc, OnceLock};

use super::age::{self, AgeIdentity, Asking, Locked, SshIdentity};
use super::{KeyError, KeyKind, KeyService, Prompt, Recipient, WrappedKey};
use crate::secret::{SecretBytes, SecretString};

/// Where an identity came from, and whom it answers to; nothing in it is secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityOrigin {
    /// The place as the user knows it: a path, or the name of a variable.
    pub origin: String,
    /// The recipient of the identity, or what it is where that is not known.
    pub recipient: Result<String, &'static str>,
}

/// Identities in memory. It reads no file and no environment: the caller brings texts and says where they came from.
#[derive(Clone, Default)]
pub struct Keyring {
    held: Vec<Held>,
    problems: Vec<(String, String)>,
    absent: Vec<String>,
    asking: Asking,
}

/// One identity as it was brought.
#[derive(Clone)]
struct Held {
    identity: AgeIdentity,
    origin: String,
    /// Computed when somebody asks, because that takes longer than to open a small file.
    recipient: OnceLock<Result<String, &'static str>>,
    /// Whether one before it is the same.
    again: bool,
}

impl Held {
    fn recipient(&self) -> &Result<String, &'static str> {
        self.recipient.get_or_init(|| self.identity.recipient())
    }
}

impl Keyring {
    /// An empty keyring.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks `prompt` for passphrases and what plugins want to know; without it nobody is asked.
    #[must_use]
    pub fn asking(mut self, prompt: Arc<dyn Prompt>) -> Self {
        self.asking = Asking(Some(prompt));
        self
    }

    /// Adds the identities of an age key file: one a line, empty lines and lines that start with `#` skipped; or all of
    /// them under a passphrase, which is asked for when nothing else has opened a key. Gives the number of identities.
    ///
    /// # Errors
    /// [`KeyError::Identity`] with the line that is none, whereupon none is added.
    pub fn add_age_file(&mut self, content: SecretBytes, origin: &str) -> Result<usize, KeyError> {
        if Locked::is_one(content.expose_secret()) {
            self.add(AgeIdentity::Locked(Arc::new(Locked::new(content, origin))), origin);
            return Ok(1);
        }
        let Ok(text) = std::str::from_utf8(content.expose_secret()) else {
            return Err(KeyError::Unusable { origin: origin.to_owned(), reason: "it is no text" });
        };
        let mut added = self.clone();
        for (index, line) in text.lines().enumerate() {
            if !line.is_empty() && !line.starts_with('#') {
                added.add_age_line(line, origin, index + 1)?;
            }
        }
        self.take(added)
    }

    /// Adds the identities of a text, as [`Keyring::add_age_file`] does those of a file.
    ///
    /// # Errors
    /// As there.
    pub fn add_age_text(&mut self, text: &SecretString, origin: &str) -> Result<usize, KeyError> {
        self.add_age_file(SecretBytes::new(text.expose_secret().as_bytes().to_vec()), origin)
    }

    /// Adds a private SSH key; one under a passphrase is asked for when a key is wrapped for it. `public` is the content of
    /// the `.pub` file beside it, which counts only where the key itself does not tell: under a passphrase of OpenSSL.
    ///
    /// # Errors
    /// [`KeyError::Unusable`].
    pub fn add_ssh(&mut self, text: &SecretString, public: Option<&str>, origin: &str) -> Result<(), KeyError> {
        let identity = SshIdentity::parse(text, public, origin)?;
        self.add(AgeIdentity::Ssh(Arc::new(identity)), origin);
        Ok(())
    }

    /// Adds identities that stand between blanks, as SOPS allows inside `SOPS_AGE_KEY` only.
    ///
    /// # Errors
    /// As for [`Keyring::add_age_text`].
    pub fn add_age_inline(&mut self, text: &SecretString, origin: &str) -> Result<usize, KeyError> {
        if Locked::is_one(text.expose_secret().as_bytes()) {
            return self.add_age_text(text, origin);
        }
        let mut added = self.clone();
        for (index, line) in text.expose_secret().lines().enumerate() {
            if line.trim_start().starts_with('#') {
                continue;
            }
            for word in line.split_whitespace() {
                added.add_age_line(word, origin, index + 1)?;
            }
        }
        self.take(added)
    }

    /// Whether an identity at hand answers to `recipient`.
    #[must_use]
    pub fn holds(&self, recipient: &Recipient) -> bool {
        let Recipient::Age(recipient) = recipient else { return false };
        self.held.iter().any(|held| held.recipient().as_ref().is_ok_and(|mine| recipient.is(mine)))
    }

    /// Notes a place that was named and gave no identity, with the reason in our words and in those of SOPS.
    pub fn note_problem(&mut self, ours: String, sops: String) {
        self.problems.push((ours, sops));
    }

    /// Notes a place in which there is nothing, as SOPS names it.
    pub fn note_absent(&mut self, place: String) {
        self.absent.push(place);
    }

    /// Every identity that was added, with its origin.
    #[must_use]
    pub fn origins(&self) -> Vec<IdentityOrigin> {
        let origin = |held: &Held| IdentityOrigin { origin: held.origin.clone(), recipient: held.recipient().clone() };
        self.held.iter().map(origin).collect()
    }

    /// Whether there is no usable identity.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    fn add_age_line(&mut self, line: &str, origin: &str, number: usize) -> Result<(), KeyError> {
        let error = || KeyError::Identity { origin: origin.to_owned(), line: number };
        self.add(AgeIdentity::parse(line).ok_or_else(error)?, origin);
        Ok(())
    }

    fn add(&mut self, identity: AgeIdentity, origin: &str) {
        let mut held = Held { identity, origin: origin.to_owned(), recipient: OnceLock::new(), again: false };
        held.again = self.held.iter().any(|one| one.recipient() == held.recipient() && one.recipient().is_ok());
        self.held.push(held);
    }

    fn take(&mut self, added: Self) -> Result<usize, KeyError> {
        let count = added.held.len() - self.held.len();
        *self = added;
        Ok(count)
    }
}

impl KeyService for Keyring {
    fn wrap(&self, recipient: &Recipient, share: &SecretBytes) -> Result<String, KeyError> {
        match recipient {
            Recipient::Age(recipient) => age::wrap(recipient, share, &self.asking),
            other => Err(KeyError::NoService { kind: other.kind(), id: other.id() }),
        }
    }

    fn unwrap(&self, wrapped: &WrappedKey) -> Result<Option<SecretBytes>, KeyError> {
        let Recipient::Age(recipient) = &wrapped.recipient else { return Ok(None) };
        let mut damaged = None;
        // Nobody is asked for anything while another identity may do.
        let once = self.held.iter().filter(|held| !held.again);
        let (asking, quiet): (Vec<_>, Vec<_>) = once.partition(|held| held.identity.may_ask());
        for held in quiet.into_iter().chain(asking) {
            match held.identity.unwrap(&wrapped.enc, recipient, &self.asking) {
                Ok(Some(share)) => return Ok(Some(share)),
                Ok(None) => {}
                Err(error) => damaged = Some(error),
            }
        }
        damaged.map_or(Ok(None), Err)
    }

    fn identities(&self) -> Vec<String> {
        let shown = |held: &Held| match held.recipient() {
            Ok(recipient) => format!("{recipient} from {}", held.origin),
            Err(kind) => format!("{kind} from {}", held.origin),
        };
        self.held.iter().map(shown).collect()
    }

    fn problems(&self) -> Vec<String> {
        self.problems.iter().map(|(ours, _)| ours.clone()).collect()
    }

    /// *Source*: the real program.
    fn said_by_sops(&self, recipient: &Recipient) -> String {
        if recipient.kind() != KeyKind::Age {
            return format!("no key for {recipient} is available");
        }
        let mut text = if self.held.is_empty() {
            "failed to load age identities".to_owned()
        } else {
            "failed to create reader for decrypting sops data key with age: identity did not match any of the \
             recipients: incorrect identity for recipient block"
                .to_owned()
        };
        if !self.problems.is_empty() {
            let problems: Vec<&str> = self.problems.iter().map(|(_, sops)| sops.as_str()).collect();
            text.push_str(&format!(". Errors while loading age identities: {}", problems.join("; ")));
        }
        match self.absent.as_slice() {
            [] => {}
            [place] => text.push_str(&format!(". Did not find keys in location '{place}'")),
            [places @ .., last] => {
                let places: Vec<String> = places.iter().map(|place| format!("'{place}'")).collect();
                let comma = if places.len() > 1 { "," } else { "" };
                text.push_str(&format!(". Did not find keys in locations {}{comma} and '{last}'", places.join(", ")));
            }
        }
        text + "."
    }
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.origins()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::published;

    fn wrap(recipient: &Recipient, share: &SecretBytes) -> Result<WrappedKey, KeyError> {
        let enc = Keyring::new().wrap(recipient, share)?;
        Ok(WrappedKey { recipient: recipient.clone(), created_at: None, enc })
    }

    fn share() -> SecretBytes {
        SecretBytes::new((0..32).collect())
    }

    fn identity() -> (String, Recipient) {
        use ::age::secrecy::ExposeSecret as _;
        let identity = ::age::x25519::Identity::generate();
        let recipient = Recipient::parse_age(&identity.to_public().to_string()).unwrap();
        (identity.to_string().expose_secret().to_owned(), recipient)
    }

    fn ring(text: &str) -> Keyring {
        let mut ring = Keyring::new();
        ring.add_age_text(&SecretString::new(text.to_owned()), "keys.txt").unwrap();
        ring
    }

    #[test]
    fn mine_not_mine_and_damaged_are_three_answers() {
        let ((mine, recipient), (other, _)) = (identity(), identity());
        let key = share();
        let wrapped = wrap(&recipient, &key).unwrap();
        assert!(wrapped.enc.starts_with("-----BEGIN AGE ENCRYPTED FILE-----\n"));
        assert!(wrapped.enc.ends_with("-----END AGE ENCRYPTED FILE-----\n"));

        let both = ring(&format!("# created\n\n{other}\n{mine}\n"));
        assert_eq!(both.unwrap(&wrapped).unwrap().unwrap().expose_secret(), key.expose_secret());
        assert!(both.holds(&recipient));
        assert!(ring(&other).unwrap(&wrapped).unwrap().is_none());
        assert!(Keyring::new().unwrap(&wrapped).unwrap().is_none());

        for (from, to) in [("\n-----END", "\nAAAA\n-----END"), ("-----BEGIN AGE", "-----BEGIN RAGE")] {
            let broken = WrappedKey { enc: wrapped.enc.replacen(from, to, 1), ..wrapped.clone() };
            assert!(matches!(ring(&mine).unwrap(&broken), Err(KeyError::Damaged { .. })), "{to}");
        }
        let foreign = WrappedKey { recipient: wrapped.recipient.clone(), ..wrap(&identity().1, &key).unwrap() };
        assert!(matches!(ring(&mine).unwrap(&foreign), Err(KeyError::Damaged { .. })));
    }

    #[test]
    fn a_recipient_is_only_a_label() {
        let ((mine, recipient), (_, other)) = (identity(), identity());
        let key = share();
        let wrapped = WrappedKey { recipient: other, ..wrap(&recipient, &key).unwrap() };
        assert!(ring(&mine).unwrap(&wrapped).unwrap().is_some());
    }

    #[test]
    fn a_bad_line_rejects_the_whole_source() {
        let (mine, _) = identity();
        let mut keyring = Keyring::new();
        let text = SecretString::new(format!("{mine}\n {mine}\n"));
        assert_eq!(
            keyring.add_age_text(&text, "keys.txt"),
            Err(KeyError::Identity { origin: "keys.txt".into(), line: 2 })
        );
        assert!(keyring.is_empty());
        assert_eq!(keyring.add_age_inline(&text, "SOPS_AGE_KEY"), Ok(2));
        let locked = SecretString::new("-----BEGIN AGE ENCRYPTED FILE-----".into());
        assert_eq!(keyring.add_age_text(&locked, "keys.txt"), Ok(1));
        let plugin = SecretString::new("AGE-PLUGIN-YUBIKEY-1QQ".into());
        assert!(keyring.add_age_text(&plugin, "keys.txt").is_err(), "its checksum is wrong");
        assert_eq!(keyring.origins()[2].recipient, Err("an identity under a passphrase"));
    }

    #[test]
    fn recipients() {
        assert!(published::is_published(&Recipient::parse_age(&format!(" {} ", published::RECIPIENT)).unwrap()));
        let secret = identity().0;
        let shown = Recipient::parse_age(&secret).unwrap_err().to_string();
        assert!(!shown.contains(&secret), "{shown}");
        assert!(matches!(Recipient::parse_age("age1x"), Err(KeyError::Recipient { .. })));
    }
}
