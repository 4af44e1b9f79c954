//! `.sops.yaml`: which files are encrypted, for whom, and what in them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_saphyr::Spanned;

use crate::keys::{KeyError, Recipient};

use super::SopsError;
use super::pattern::Pattern;
use super::scope::Selector;

/// The creation rules of one file, first match wins.
#[derive(Clone, Debug, Default)]
pub struct RuleSet {
    rules: Option<Vec<Rule>>,
}

/// One creation rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Which paths it is for; all if absent.
    pub path_regex: Option<Pattern>,
    /// For whom; a rule without keys has one empty group.
    pub groups: Vec<RuleGroup>,
    /// What is encrypted.
    pub selector: Selector,
    /// Whether the authentication code covers encrypted values only.
    pub mac_only_encrypted: bool,
    /// How many groups it takes to open a file.
    pub shamir_threshold: Option<usize>,
    /// 1-based line of the rule.
    pub line: usize,
}

/// Keys of which one is enough.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleGroup {
    /// Its keys.
    pub keys: Vec<RuleKey>,
}

/// A key that a rule names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleKey {
    /// One that a data key can be wrapped for.
    Recipient(Recipient),
    /// One of a kind that is not supported yet.
    Other {
        /// The word of its kind, such as `kms`.
        word: &'static str,
        /// What names it.
        id: String,
    },
}

impl RuleSet {
    /// Reads a `.sops.yaml`; `shown_path` is how errors name it.
    ///
    /// # Errors
    /// [`SopsError::Rules`] with line and column; an invalid pattern or recipient is one, whether or not its rule would
    /// ever be reached.
    pub fn parse(text: &str, shown_path: &str) -> Result<Self, SopsError> {
        let mut bytes = text.as_bytes();
        // SOPS reads the first document and looks at no other.
        let first = serde_saphyr::read::<_, RawFile>(&mut bytes).next();
        let file = match first {
            None => RawFile::default(),
            Some(Ok(file)) => file,
            Some(Err(error)) => {
                let at = error.location();
                let part = |number: u64| usize::try_from(number).unwrap_or(0);
                return Err(SopsError::Rules {
                    path: shown_path.to_owned(),
                    line: at.map_or(1, |at| part(at.line())),
                    column: at.map_or(1, |at| part(at.column())),
                    problem: first_sentence(&error.without_snippet().to_string()),
                });
            }
        };
        let rules = file.creation_rules.map(|rules| {
            rules
                .into_iter()
                .map(|raw| {
                    let part = |number: u64| usize::try_from(number).unwrap_or(0);
                    let (line, column) = (part(raw.referenced.line()), part(raw.referenced.column()));
                    raw.value.into_rule(line).map_err(|problem| SopsError::Rules {
                        path: shown_path.to_owned(),
                        line,
                        column,
                        problem,
                    })
                })
                .collect::<Result<Vec<_>, _>>()
        });
        Ok(Self { rules: rules.transpose()? })
    }

    /// The rule for a path: relative to the folder of the rules, with `/`; a path outside of it as a whole.
    #[must_use]
    pub fn rule_for(&self, path: &str) -> Option<&Rule> {
        self.rules()?.iter().find(|rule| rule.path_regex.as_ref().is_none_or(|regex| regex.is_match(path.as_bytes())))
    }

    /// The rules in order; `None` if the file has no `creation_rules`, which SOPS takes for no configuration at all.
    #[must_use]
    pub fn rules(&self) -> Option<&[Rule]> {
        self.rules.as_deref()
    }
}

impl Rule {
    /// Every key of every group.
    pub fn keys(&self) -> impl Iterator<Item = &RuleKey> {
        self.groups.iter().flat_map(|group| &group.keys)
    }
}

/// The reader's own words without the place, which stands before them already.
fn first_sentence(problem: &str) -> String {
    let line = problem.lines().next().unwrap_or_default();
    line.split(" at line ").next().unwrap_or_default().to_owned()
}

#[derive(Default, Deserialize)]
struct RawFile {
    creation_rules: Option<Vec<Spanned<RawRule>>>,
}

#[derive(Deserialize)]
struct RawRule {
    path_regex: Option<String>,
    age: Option<Words>,
    pgp: Option<Words>,
    kms: Option<Words>,
    gcp_kms: Option<Words>,
    hckms: Option<Vec<String>>,
    azure_keyvault: Option<Words>,
    hc_vault_transit_uri: Option<Words>,
    key_groups: Option<Vec<RawGroup>>,
    shamir_threshold: Option<usize>,
    mac_only_encrypted: Option<bool>,
    encrypted_suffix: Option<String>,
    unencrypted_suffix: Option<String>,
    encrypted_regex: Option<String>,
    unencrypted_regex: Option<String>,
    encrypted_comment_regex: Option<String>,
    unencrypted_comment_regex: Option<String>,
}

#[derive(Default, Deserialize)]
struct RawGroup {
    merge: Option<Vec<Self>>,
    age: Option<Vec<String>>,
    pgp: Option<Vec<String>>,
    hc_vault: Option<Vec<String>>,
    kms: Option<Vec<RawKey>>,
    gcp_kms: Option<Vec<RawKey>>,
    hckms: Option<Vec<RawKey>>,
    azure_keyvault: Option<Vec<RawKey>>,
}

type RawKey = BTreeMap<String, serde_json::Value>;

/// A comma-separated text or a list of them.
#[derive(Deserialize)]
#[serde(untagged)]
enum Words {
    One(String),
    Many(Vec<String>),
}

impl Words {
    fn list(self) -> Vec<String> {
        match self {
            Self::One(text) => split(&[text]),
            Self::Many(texts) => split(&texts),
        }
    }
}

fn split(texts: &[String]) -> Vec<String> {
    let words = texts.iter().flat_map(|text| text.split(',')).map(str::trim);
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

impl RawRule {
    fn into_rule(self, line: usize) -> Result<Rule, String> {
        let said = |error: SopsError| error.to_string();
        let path_regex = self.path_regex.as_deref().filter(|source| !source.is_empty());
        let path_regex = path_regex.map(Pattern::new).transpose().map_err(said)?;
        let values = [
            &self.encrypted_suffix,
            &self.unencrypted_suffix,
            &self.encrypted_regex,
            &self.unencrypted_regex,
            &self.encrypted_comment_regex,
            &self.unencrypted_comment_regex,
        ];
        let mut selector = None;
        for (field, value) in Selector::FIELDS.into_iter().zip(values) {
            let Some(value) = value.as_deref().filter(|value| !value.is_empty()) else { continue };
            if selector.is_some() {
                return Err(format!("`{field}` stands beside another selector; a rule has one"));
            }
            selector = Selector::of_field(field, value).map_err(said)?;
        }
        let (mac_only_encrypted, shamir_threshold) = (self.mac_only_encrypted, self.shamir_threshold);
        Ok(Rule {
            path_regex,
            groups: self.groups()?,
            selector: selector.unwrap_or_default(),
            mac_only_encrypted: mac_only_encrypted.unwrap_or_default(),
            shamir_threshold: shamir_threshold.filter(|threshold| *threshold != 0),
            line,
        })
    }

    /// *Source*: the SOPS format, sections 8.2 and 8.3; groups, if there are any, put the keys of the rule itself aside.
    fn groups(self) -> Result<Vec<RuleGroup>, String> {
        if let Some(groups) = self.key_groups.filter(|groups| !groups.is_empty()) {
            return groups.into_iter().map(RawGroup::into_group).collect();
        }
        let mut keys = Vec::new();
        let words = |words: Option<Words>| words.map_or_else(Vec::new, Words::list);
        recipients(words(self.age), &mut keys)?;
        others("pgp", words(self.pgp), &mut keys);
        others("kms", words(self.kms), &mut keys);
        others("gcp_kms", words(self.gcp_kms), &mut keys);
        others("hckms", self.hckms.unwrap_or_default(), &mut keys);
        others("azure_kv", words(self.azure_keyvault), &mut keys);
        others("hc_vault", words(self.hc_vault_transit_uri), &mut keys);
        Ok(vec![RuleGroup { keys }])
    }
}

impl RawGroup {
    fn into_group(self) -> Result<RuleGroup, String> {
        let mut keys = Vec::new();
        for merged in self.merge.unwrap_or_default() {
            keys.extend(merged.into_group()?.keys);
        }
        recipients(split(&self.age.unwrap_or_default()), &mut keys)?;
        others("pgp", split(&self.pgp.unwrap_or_default()), &mut keys);
        for (word, list, naming) in [
            ("kms", self.kms, &["arn"][..]),
            ("gcp_kms", self.gcp_kms, &["resource_id"]),
            ("hckms", self.hckms, &["key_id"]),
            ("azure_kv", self.azure_keyvault, &["vaultUrl", "key", "version"]),
        ] {
            let ids = list.unwrap_or_default().into_iter().map(|key| {
                let parts = naming.iter().filter_map(|name| key.get(*name)?.as_str());
                parts.collect::<Vec<_>>().join("/")
            });
            others(word, ids.collect(), &mut keys);
        }
        others("hc_vault", split(&self.hc_vault.unwrap_or_default()), &mut keys);
        let mut unique: Vec<RuleKey> = Vec::with_capacity(keys.len());
        for key in keys {
            if !unique.contains(&key) {
                unique.push(key);
            }
        }
        Ok(RuleGroup { keys: unique })
    }
}

fn recipients(texts: Vec<String>, keys: &mut Vec<RuleKey>) -> Result<(), String> {
    for text in texts {
        keys.push(match Recipient::parse_age(&text) {
            Ok(recipient) => RuleKey::Recipient(recipient),
            Err(KeyError::UnsupportedRecipient { text, .. }) => RuleKey::Other { word: "age", id: text },
            Err(error) => return Err(error.to_string()),
        });
    }
    Ok(())
}

fn others(word: &'static str, ids: Vec<String>, keys: &mut Vec<RuleKey>) {
    keys.extend(ids.into_iter().map(|id| RuleKey::Other { word, id }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::published::RECIPIENT;

    fn rules(text: &str) -> RuleSet {
        RuleSet::parse(text, ".sops.yaml").unwrap()
    }

    #[test]
    fn the_first_match_wins_and_knows_its_line() {
        let set = rules(&format!(
            "creation_rules:\n  - path_regex: ^secrets/prod\n    age: {RECIPIENT}\n    encrypted_regex: ^data$\n\n  # all\n  - age: \
             '{RECIPIENT}, ,'\n    pgp: [A B, C]\n    mac_only_encrypted: true\n---\nnonsense\n"
        ));
        let prod = set.rule_for("secrets/prod.yaml").unwrap();
        assert_eq!((prod.line, prod.selector.field()), (2, Some(("encrypted_regex", "^data$"))));
        let other = set.rule_for("x").unwrap();
        assert_eq!((other.line, other.mac_only_encrypted, other.selector.clone()), (7, true, Selector::default()));
        assert_eq!(other.keys().count(), 3);
        assert_eq!(other.groups[0].keys[1], RuleKey::Other { word: "pgp", id: "A B".into() });
    }

    #[test]
    fn groups_merge_and_put_the_rules_own_keys_aside() {
        let set = rules(&format!(
            "base: &base\n  age: [{RECIPIENT}]\ncreation_rules:\n  - pgp: X\n    shamir_threshold: 2\n    key_groups:\n      - merge: \
             [*base, {{pgp: [P]}}]\n        age: [{RECIPIENT}]\n      - kms: [{{arn: A, role: R, context: {{k: null}}}}]\n"
        ));
        let rule = &set.rules().unwrap()[0];
        let kinds: Vec<usize> = rule.groups.iter().map(|group| group.keys.len()).collect();
        assert_eq!((kinds, rule.shamir_threshold), (vec![2, 1], Some(2)));
        assert_eq!(rule.groups[1].keys[0], RuleKey::Other { word: "kms", id: "A".into() });
    }

    #[test]
    fn no_rules_and_an_empty_list_are_two_things() {
        assert!(rules("stores: {yaml: {indent: 2}}\n").rules().is_none());
        assert!(rules("").rules().is_none());
        assert!(rules("creation_rules: []\n").rules().unwrap().is_empty());
        assert!(rules("creation_rules: [{}]\n").rule_for("x").unwrap().groups[0].keys.is_empty());
    }

    #[test]
    fn what_is_refused_has_a_line() {
        for (text, line, word) in [
            ("creation_rules:\n  - path_regex: a\n  - path_regex: '('\n", 3, "regular"),
            ("creation_rules:\n  - encrypted_regex: '['\n", 2, "class"),
            ("creation_rules:\n  - encrypted_regex: a\n    unencrypted_suffix: b\n", 2, "selector"),
            ("creation_rules:\n  - age: age1nonsense\n", 2, "age1nonsense"),
            ("creation_rules:\n  - path_regex: [a]\n", 2, ""),
            ("creation_rules:\n  - age: x\n    age: y\n", 3, "age"),
            ("a: [\n", 1, ""),
        ] {
            match RuleSet::parse(text, ".sops.yaml") {
                Err(SopsError::Rules { line: at, problem, .. }) => {
                    assert!(at == line && problem.contains(word), "{text:?}: {at} {problem}");
                }
                other => panic!("{text:?}: {other:?}"),
            }
        }
    }
}
