//! The shared configuration: `~/.aws/config` and `~/.aws/credentials`.

use std::collections::BTreeMap;
use std::path::Path;

use crate::keys::Surroundings;
use crate::keys::cloud::trouble::Trouble;
use crate::secret::SecretString;
use crate::system::files;

/// The settings of one section. A setting below another one (`kms =` with `endpoint_url = …` under it) is `kms.endpoint_url`.
#[derive(Clone, Debug, Default)]
pub(super) struct Section(BTreeMap<String, SecretString>);

/// Both files, by section: `profile NAME`, `sso-session NAME`, `services NAME`.
#[derive(Clone, Debug, Default)]
pub(super) struct Shared(BTreeMap<String, Section>);

impl Section {
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.secret(name).map(SecretString::expose_secret)
    }

    pub(super) fn secret(&self, name: &str) -> Option<&SecretString> {
        self.0.get(name).filter(|value| !value.expose_secret().is_empty())
    }
}

impl Shared {
    /// Reads both files where the variables, or their defaults, say they are; one that is not there is empty.
    pub(super) fn read(surroundings: &Surroundings) -> Result<Self, Trouble> {
        let mut shared = Self::default();
        let places = [("AWS_CONFIG_FILE", "config"), ("AWS_SHARED_CREDENTIALS_FILE", "credentials")];
        for (variable, name) in places {
            let named = surroundings.text(variable).map(|path| surroundings.path(path));
            let Some(path) = named.or_else(|| Some(surroundings.home()?.join(".aws").join(name))) else { continue };
            if path.exists() {
                let bytes = files::read(&path).map_err(|error| Trouble::usage(error.to_string()))?;
                let text = std::str::from_utf8(&bytes).map_err(|_| not_text(&path))?;
                shared.add(text, name == "credentials");
            }
        }
        Ok(shared)
    }

    /// A profile; what the file of credentials says comes before the configuration.
    pub(super) fn profile(&self, name: &str) -> Option<&Section> {
        self.0.get(&format!("profile {name}"))
    }

    pub(super) fn sso_session(&self, name: &str) -> Option<&Section> {
        self.0.get(&format!("sso-session {name}"))
    }

    pub(super) fn services(&self, name: &str) -> Option<&Section> {
        self.0.get(&format!("services {name}"))
    }

    fn add(&mut self, text: &str, credentials: bool) {
        let mut section: Option<String> = None;
        let mut outer = String::new();
        for line in text.lines() {
            let indented = line.starts_with([' ', '\t']);
            let line = without_comment(line).trim();
            if line.is_empty() {
                continue;
            }
            if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                section = section_name(name.trim(), credentials);
                outer.clear();
                continue;
            }
            let (Some(section), Some((name, value))) = (&section, line.split_once('=')) else { continue };
            let name = name.trim().to_ascii_lowercase();
            let name = if indented && !outer.is_empty() { format!("{outer}.{name}") } else { name };
            if !indented {
                outer.clone_from(&name);
            }
            let value = SecretString::new(value.trim().to_owned());
            self.0.entry(section.clone()).or_default().0.insert(name, value);
        }
    }
}

fn section_name(name: &str, credentials: bool) -> Option<String> {
    let mut words = name.split_whitespace();
    let (first, second) = (words.next()?, words.next().map(|word| word.trim_matches(['"', '\''])));
    match (first, second) {
        ("profile", Some(name)) if !credentials => Some(format!("profile {name}")),
        ("sso-session" | "services", Some(name)) if !credentials => Some(format!("{first} {name}")),
        ("default", None) => Some("profile default".to_owned()),
        (name, None) if credentials => Some(format!("profile {name}")),
        _ => None,
    }
}

fn without_comment(line: &str) -> &str {
    if line.trim_start().starts_with(['#', ';']) {
        return "";
    }
    let end = [" #", " ;", "\t#", "\t;"].iter().filter_map(|mark| line.find(mark)).min();
    end.map_or(line, |end| &line[..end])
}

fn not_text(path: &Path) -> Trouble {
    Trouble::usage(format!("`{}` is no text", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_comments_and_nested_settings() {
        let mut shared = Shared::default();
        let config = "# c\n[default]\nregion = a ; c\n[profile \"dev\"]\nservices = s\naws_access_key_id=1\n\
                      [services s]\nkms =\n  endpoint_url = http://h:1\ns3 =\n  endpoint_url = x\n[dev]\nregion = no\n";
        shared.add(config, false);
        shared.add("[dev]\naws_access_key_id = 2\n[default]\naws_secret_access_key=a#b\n", true);
        assert_eq!(shared.profile("dev").unwrap().get("aws_access_key_id"), Some("2"));
        assert_eq!(shared.profile("dev").unwrap().get("region"), None);
        assert_eq!(shared.profile("default").unwrap().get("region"), Some("a"));
        assert_eq!(shared.profile("default").unwrap().get("aws_secret_access_key"), Some("a#b"));
        assert_eq!(shared.services("s").unwrap().get("kms.endpoint_url"), Some("http://h:1"));
    }
}
