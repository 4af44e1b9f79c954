//! `.sops.yaml`: which files are encrypted, for whom, and what in them.

mod destination;
pub(super) mod loose;
pub(super) mod node;
mod raw;

use serde_saphyr::Spanned;

use crate::document::Dialect;
use crate::keys::Recipient;

use self::destination::RawDestination;
pub use self::destination::{DestinationRule, Stores};
use self::raw::RawFile;
use super::SopsError;
use super::pattern::Pattern;
use super::scope::Selector;

/// The creation rules of one file, first match wins.
#[derive(Clone, Debug, Default)]
pub struct RuleSet {
    rules: Option<Vec<Rule>>,
    destinations: Vec<DestinationRule>,
    stores: Stores,
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
    /// How the quotes of dotenv files are read: our extension, which SOPS passes over.
    pub dialect: Option<Dialect>,
    /// 1-based line of the rule.
    pub line: usize,
}

/// Keys of which one is enough.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleGroup {
    /// Its keys.
    pub keys: Vec<Recipient>,
}

/// What becomes of a rule while the rules are read.
enum Reach {
    /// It is one of them.
    Kept,
    /// It is the one that was looked for.
    Last,
    /// It is not looked at.
    Left,
}

impl RuleSet {
    /// Reads a `.sops.yaml`; `shown_path` is how errors name it.
    ///
    /// # Errors
    /// [`SopsError::Rules`] with line and column; an invalid pattern or recipient is one, whether or not its rule would
    /// ever be reached.
    pub fn parse(text: &str, shown_path: &str) -> Result<Self, SopsError> {
        Self::read(text, shown_path, true, |_| Ok(Reach::Kept))
    }

    /// Reads a `.sops.yaml` as SOPS does: of its rules only the one for `path`, so that what is wrong with another one
    /// goes unnoticed, and an invalid pattern that chooses leaves never matches.
    ///
    /// # Errors
    /// As for [`Self::parse`], but for what is not reached.
    pub fn parse_for(text: &str, shown_path: &str, path: Option<&str>) -> Result<Self, SopsError> {
        Self::read(text, shown_path, false, |regex| match (path, regex) {
            (None, _) => Ok(Reach::Left),
            (Some(_), None | Some("")) => Ok(Reach::Last),
            (Some(path), Some(regex)) => {
                let regex = Pattern::new(regex).map_err(|error| format!("can not compile regexp: {error}"))?;
                Ok(if regex.is_match(path.as_bytes()) { Reach::Last } else { Reach::Left })
            }
        })
    }

    fn read(
        text: &str,
        shown_path: &str,
        strict: bool,
        reach: impl Fn(Option<&str>) -> Result<Reach, String>,
    ) -> Result<Self, SopsError> {
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
        let place = |at: serde_saphyr::Location| {
            let part = |number: u64| usize::try_from(number).unwrap_or(0);
            (part(at.line()), part(at.column()))
        };
        let failed = |(line, column), problem| SopsError::Rules { path: shown_path.to_owned(), line, column, problem };
        let destination = |raw: Spanned<RawDestination>| {
            let at = place(raw.referenced);
            raw.value.into_rule(at.0, strict).map_err(|problem| failed(at, problem))
        };
        let rules = file.creation_rules.map(|raw_rules| {
            let mut rules = Vec::new();
            for raw in raw_rules.0 {
                let at = place(raw.referenced);
                let reached = reach(raw.value.path_regex.as_deref()).map_err(|problem| failed(at, problem))?;
                if matches!(reached, Reach::Left) {
                    continue;
                }
                rules.push(raw.value.into_rule(at.0, strict).map_err(|problem| failed(at, problem))?);
                if matches!(reached, Reach::Last) {
                    break;
                }
            }
            Ok::<_, SopsError>(rules)
        });
        let destinations = file.destination_rules.0.into_iter().map(destination);
        Ok(Self {
            rules: rules.transpose()?,
            destinations: destinations.collect::<Result<_, _>>()?,
            stores: file.stores.unwrap_or_default().into_stores(),
        })
    }

    /// The rules of `publish`, in order.
    #[must_use]
    pub fn destinations(&self) -> &[DestinationRule] {
        &self.destinations
    }

    /// How `sops` shall indent.
    #[must_use]
    pub const fn stores(&self) -> Stores {
        self.stores
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
    pub fn keys(&self) -> impl Iterator<Item = &Recipient> {
        self.groups.iter().flat_map(|group| &group.keys)
    }
}

/// The reader's own words without the place, which stands before them already.
fn first_sentence(problem: &str) -> String {
    let line = problem.lines().next().unwrap_or_default();
    line.split(" at line ").next().unwrap_or_default().to_owned()
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
        assert_eq!(other.groups[0].keys[1], Recipient::parse_pgp("AB"));
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
        assert_eq!(rule.groups[1].keys[0].id(), "A+R|k:");
    }

    #[test]
    fn every_kind_is_read_with_all_its_fields() {
        let set = rules(
            "creation_rules:\n  - path_regex: flat\n    kms: 'arn:aws:kms:x:1:key/a+arn:aws:iam::1:role/r, arn:b'\n    \
             aws_profile: dev\n    gcp_kms: [projects/p]\n    hckms: ['r:u']\n    azure_keyvault: \
             https://v/keys/n/1\n    hc_vault_transit_uri: https://v/v1/e/keys/k\n  - key_groups:\n      - kms: [{arn: \
             A, role: R, context: {k: v, n: 1}, aws_profile: p}, {arn: A, role: R, context: {k: v, n: 1}, aws_profile: \
             p}]\n        gcp_kms: [{resource_id: g}]\n        hckms: [{key_id: 'r:u'}]\n        azure_keyvault: \
             [{vaultUrl: 'https://v', key: n, version: '1'}]\n        hc_vault: ['https://v/v1/e/keys/k']\n",
        );
        let ids = |rule: usize| -> Vec<String> { set.rules().unwrap()[rule].keys().map(Recipient::id).collect() };
        let flat = ["arn:aws:kms:x:1:key/a+arn:aws:iam::1:role/r||dev", "arn:b||dev", "projects/p", "r:u"];
        let both = ["https://v/keys/n/1", "https://v/v1/e/keys/k"];
        assert_eq!(ids(0), [&flat[..], &both].concat());
        assert_eq!(ids(1), [&["A+R|k:v,n:1|p", "g", "r:u"][..], &both].concat());
    }

    #[test]
    fn destinations_and_stores_are_read() {
        let set = rules(&format!(
            "creation_rules: []\nstores: {{yaml: {{indent: 2}}, json: {{indent: -1}}}}\ndestination_rules:\n  - s3_bucket: b\n    \
             path_regex: ^a\n    recreation_rule: {{age: {RECIPIENT}}}\n  - vault_path: p\n    vault_kv_version: 1\n    \
             omit_extensions: true\n"
        ));
        assert_eq!(set.stores(), Stores { json: Some(-1), json_binary: None, yaml: Some(2) });
        let [first, second] = set.destinations() else { panic!("two") };
        assert_eq!((first.s3_bucket.as_str(), first.line), ("b", 4));
        assert_eq!(first.recreation_rule.as_ref().map(|rule| rule.keys().count()), Some(1));
        assert_eq!((second.vault_kv_version, second.omit_extensions), (Some(1), true));
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
