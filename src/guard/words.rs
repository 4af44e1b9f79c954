//! Names that speak of secrets, and names that look like one.

use crate::document::{KeyPath, PathPart};

/// Words that say that what is named so is secret.
const SECRET_WORDS: &[&str] = &[
    "password",
    "passwords",
    "passwd",
    "passphrase",
    "pwd",
    "pw",
    "pass",
    "token",
    "tokens",
    "secret",
    "secrets",
    "key",
    "keys",
    "apikey",
    "apikeys",
    "secretkey",
    "privatekey",
    "accesskey",
    "credential",
    "credentials",
];

/// Whether one lower-case word says that what it names is secret.
pub(super) fn says_secret(word: &str) -> bool {
    SECRET_WORDS.contains(&word)
}

/// Whether a name holds such a word, with `public` before it not counting (`public_key`).
pub(super) fn names_secret(name: &str) -> bool {
    let words = split(name);
    words.iter().enumerate().any(|(at, word)| {
        let public = at > 0 && matches!(words[at - 1].as_str(), "public" | "pub");
        says_secret(word) && !public
    })
}

/// The lower-case words of a name in any of the usual spellings (`dbPassword`, `db-password`, `DB_PASSWORD`).
fn split(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for letter in name.chars() {
        let hump = letter.is_uppercase() && before.is_lowercase();
        if (hump || !letter.is_alphanumeric()) && words.last().is_some_and(|word| !word.is_empty()) {
            words.push(String::new());
        }
        if letter.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(letter.to_lowercase());
        }
        before = letter;
    }
    words
}

/// A path as a message may show it: a key that could be a secret itself stands as `…`.
pub(super) fn shown(path: &KeyPath) -> String {
    let part = |part: &PathPart| match part {
        PathPart::Key(key) if looks(key) != Looks::Name => PathPart::Key("…".into()),
        other => other.clone(),
    };
    format!("`{}`", KeyPath::new(path.parts().iter().map(part).collect()))
}

/// How a key of a mapping looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Looks {
    /// Like a name.
    Name,
    /// Like words and a number, as people make passwords, but also as hosts are numbered.
    Numbered,
    /// Like a password or a token.
    Secret,
}

/// Letters that passwords have and names of things do not.
const PASSWORD_MARKS: &[char] = &['!', '@', '#', '$', '%', '^', '&', '*', '+', '=', '?', '~'];

/// Judges a key by its letters alone.
pub(super) fn looks(key: &str) -> Looks {
    let letters = key.chars().any(char::is_alphabetic);
    let digits = key.chars().filter(char::is_ascii_digit).count();
    if !letters || digits == 0 || key.contains(['/', '{', '}', ':', ',']) || is_hexadecimal(key) {
        return Looks::Name;
    }
    if key.len() >= 8 && key.contains(PASSWORD_MARKS) && !key.contains(' ') && !is_address(key) {
        return Looks::Secret;
    }
    let run = key.split(['-', '_', '.', ' ']).max_by_key(|part| part.len()).unwrap_or_default();
    if run.len() >= 12 && pieces(run) * 5 >= run.len() * 2 {
        return Looks::Secret;
    }
    let parts: Vec<&str> = key.split(['-', ' ']).collect();
    let (words, last) = (&parts[..parts.len() - 1], parts[parts.len() - 1]);
    let number = last.len() >= 2 && last.chars().all(|letter| letter.is_ascii_digit());
    let plain = words.iter().all(|word| word.len() >= 2 && word.chars().all(|letter| letter.is_ascii_alphabetic()));
    if number && words.len() >= 2 && plain { Looks::Numbered } else { Looks::Name }
}

/// How many words and numbers a run is made of, as camel case divides it: few and long in a name, many and short in
/// what a generator made.
fn pieces(run: &str) -> usize {
    let class = |letter: char| match letter {
        'a'..='z' => 0,
        'A'..='Z' => 1,
        '0'..='9' => 2,
        _ => 3,
    };
    let classes: Vec<u8> = run.chars().map(class).collect();
    1 + classes.windows(2).filter(|pair| pair[0] != pair[1] && *pair != [1, 0]).count()
}

/// Digests, UUIDs and other identifiers that are written in hexadecimal digits.
fn is_hexadecimal(key: &str) -> bool {
    key.chars().all(|letter| letter.is_ascii_hexdigit() || letter == '-')
}

/// `user@host.example`, as keys that name accounts are.
fn is_address(key: &str) -> bool {
    let Some((user, host)) = key.split_once('@') else { return false };
    !user.is_empty() && host.contains('.') && !key.contains(&PASSWORD_MARKS[2..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_speak_of_secrets() {
        for name in ["password", "dbPassword", "DB_PASSWORD", "api-key", "auth.token", "clientSecret"] {
            assert!(names_secret(name), "{name}");
        }
        for name in ["name", "monkey", "keyboard", "public_key", "tokenizer", "compass", "host"] {
            assert!(!names_secret(name), "{name}");
        }
    }

    #[test]
    fn keys_that_look_like_a_secret() {
        for key in ["aB3xK9mQ2vR7tY5w", "P@ssw0rd1", "ghp_16C7e42F292c6912E7710c838347Ae178B4a", "x9Kd82mQpL3z"] {
            assert_eq!(looks(key), Looks::Secret, "{key}");
        }
        for key in ["blue-house-42", "correct horse 17"] {
            assert_eq!(looks(key), Looks::Numbered, "{key}");
        }
        let names = [
            "password",
            "dbPassword",
            "DB_PASSWORD_2",
            "tls.crt",
            "server-1",
            "s3BucketName",
            "oauth2ClientSecret",
            "application-prod.properties",
            "550e8400-e29b-41d4-a716-446655440000",
            "ana1@example.org",
            "ssh_host_ed25519_key",
            "AWS_S3_ACCESS_KEY_ID",
            "base64EncodedSha256Digest",
            "https://example.org:8443/",
            "10.0.0.1",
        ];
        for key in names {
            assert_eq!(looks(key), Looks::Name, "{key}");
        }
    }
}
