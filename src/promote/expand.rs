//! From words to resources: what each word of a stage's steps wants a resource to be.

use std::collections::BTreeMap;
use std::time::Duration;

use super::artifact::Artifact;
use super::change::{FactRef, RecordSet, Resource, State, Value};
use super::descriptor::{Reading, Word};
use super::pipeline::{At, Node, Origin, PipelineError, PipelineFault, Resolved, Scope, StepRule, Verb};
use super::platform::Check;
use super::repository::FileVersion;
use crate::secret::SecretRef;

/// One resource that shall be something, and the words that say so.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) resource: Resource,
    pub(crate) state: State,
    /// Read and compared, never written.
    pub(crate) compared: bool,
    pub(crate) effect: &'static str,
    pub(crate) produces: Vec<&'static str>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) at: At,
}

/// What a step comes to.
#[derive(Clone, Debug)]
pub(crate) enum Item {
    Wanted(Wanted),
    Check(Check, Option<Duration>, At),
    /// A word that is known and that nothing can do yet.
    Unserved(String, At),
}

/// Everything that expanding needs to know of the stage.
pub(crate) struct Expansion<'a> {
    pub(crate) scope: Scope<'a>,
    /// The stage's encrypted file, if HEAD has it.
    pub(crate) secrets: Option<&'a FileVersion>,
    /// The path it would have.
    pub(crate) secrets_path: &'a str,
    /// Whether an optional secret is there.
    pub(crate) has: &'a dyn Fn(&SecretRef) -> bool,
}

impl Expansion<'_> {
    /// What the steps come to, in order; adjacent wishes for one resource are one.
    pub(crate) fn items<'s>(&self, steps: impl IntoIterator<Item = &'s StepRule>) -> Result<Vec<Item>, PipelineError> {
        let mut items = Vec::new();
        for step in steps {
            self.step(step, &mut items)?;
        }
        Ok(merged(items))
    }

    fn step(&self, step: &StepRule, items: &mut Vec<Item>) -> Result<(), PipelineError> {
        if let Some((word, at)) = step.modifiers.first() {
            items.push(Item::Unserved(word.clone(), *at));
            return Ok(());
        }
        match &step.verb {
            Verb::Edit => items.push(Item::Unserved("edit".to_owned(), step.at)),
            Verb::Run => items.push(Item::Unserved("run".to_owned(), step.at)),
            Verb::Scale => items.push(Item::Unserved("scale".to_owned(), step.at)),
            Verb::Together(_) => items.push(Item::Unserved("together".to_owned(), step.at)),
            Verb::Check { subject, words } => {
                items.push(Item::Check(self.check(subject, words, step.timeout)?, step.timeout, step.at));
            }
            Verb::Deliver { target, word, keys, .. } => {
                let Some((kind, _)) = word.writes else {
                    items.push(Item::Unserved(word.name.to_owned(), step.at));
                    return Ok(());
                };
                let mut fields = BTreeMap::new();
                for (there, name) in keys {
                    let there = self.scope.text_at(there, step.at)?;
                    match self.secret(name, step.at)? {
                        Wish::Value(value) => drop(fields.insert(there, value)),
                        Wish::Missing => {}
                        Wish::Unserved(word) => {
                            items.push(Item::Unserved(word.to_owned(), self.declared_at(name, step.at)));
                            return Ok(());
                        }
                    }
                }
                items.push(self.wanted(word, target, kind, "", State::Fields(fields), step, step.at));
            }
            Verb::Apply { target, words } => {
                for (word, node) in words {
                    let Some((kind, reading)) = word.writes else {
                        items.push(Item::Unserved(word.name.to_owned(), node.at));
                        return Ok(());
                    };
                    for (name, state) in self.states(word, node, reading)? {
                        items.push(self.wanted(word, target, kind, &name, state, step, node.at));
                    }
                }
            }
        }
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "a row of a table, each column once")]
    fn wanted(
        &self,
        word: &'static Word,
        target: &str,
        kind: &str,
        name: &str,
        state: State,
        step: &StepRule,
        at: At,
    ) -> Item {
        Item::Wanted(Wanted {
            resource: Resource { target: target.to_owned(), kind: kind.to_owned(), name: name.to_owned() },
            state,
            compared: matches!(word.writes, Some((_, Reading::Compared))),
            effect: word.effect,
            produces: word.produces.to_vec(),
            timeout: step.timeout,
            at,
        })
    }

    /// What a word's value says: for each resource (by name) its state.
    fn states(&self, word: &Word, node: &Node, reading: Reading) -> Result<Vec<(String, State)>, PipelineError> {
        let resolved = self.scope.resolve(node)?;
        let wrong = |wanted: &str| self.shape(node.at, word.name, wanted);
        let one = |state| Ok(vec![(String::new(), state)]);
        match (reading, resolved) {
            (Reading::Fields, Resolved::Map(entries)) => {
                let fields =
                    entries.into_iter().map(|(name, value)| Ok((name, self.field(value, node.at, word.name)?)));
                one(State::Fields(fields.collect::<Result<_, _>>()?))
            }
            (Reading::Members, Resolved::List(items)) => {
                let mut fields = BTreeMap::new();
                for item in items {
                    let Resolved::Text(name) = item else { return Err(wrong("a list of texts that are known before")) };
                    fields.insert(name, Value::Text("present".to_owned()));
                }
                one(State::Fields(fields))
            }
            (Reading::Switch, value) => {
                one(State::Fields(BTreeMap::from([(String::new(), self.field(value, node.at, word.name)?)])))
            }
            (Reading::Build, Resolved::Build) => {
                let artifact = self.scope.artifact.ok_or_else(|| wrong("known: no build moves here"))?;
                one(State::Build(artifact.wanted()))
            }
            (Reading::Build, Resolved::Text(commit)) => {
                let known = self.scope.artifact.filter(|artifact| artifact.commit == commit);
                one(State::Build(known.map(Artifact::wanted).ok_or_else(|| wrong("`${build}`"))?))
            }
            (Reading::RecordSets, Resolved::List(items)) => self.record_sets(word, node.at, items),
            (Reading::Compared, Resolved::Map(entries)) => {
                let fields =
                    entries.into_iter().map(|(name, value)| Ok((name, self.field(value, node.at, word.name)?)));
                one(State::Fields(fields.collect::<Result<_, _>>()?))
            }
            (Reading::Compared, Resolved::List(items)) => {
                let mut fields = BTreeMap::new();
                for item in items {
                    let Resolved::Map(entries) = item else { return Err(wrong("a list of maps")) };
                    for (name, value) in entries {
                        fields.insert(name, self.field(value, node.at, word.name)?);
                    }
                }
                one(State::Fields(fields))
            }
            _ => Err(wrong("of the shape that the backend reads")),
        }
    }

    fn record_sets(&self, word: &Word, at: At, items: Vec<Resolved>) -> Result<Vec<(String, State)>, PipelineError> {
        let mut sets: Vec<(String, State)> = Vec::new();
        for item in items {
            let Resolved::Map(entries) = item else { return Err(self.shape(at, word.name, "a list of records")) };
            let find = |name: &str| entries.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
            let text = |name: &str| match find(name) {
                Some(Resolved::Text(text)) => Ok(text),
                _ => Err(self.shape(at, name, "a text that is known before anything is done")),
            };
            let kind = text("type")?.to_ascii_uppercase();
            let name = format!("{}/{kind}", text("name")?);
            let ttl = match find("ttl") {
                Some(Resolved::Number(ttl)) => u32::try_from(ttl).ok(),
                Some(Resolved::Text(ttl)) => ttl.parse().ok(),
                _ => None,
            };
            let ttl = ttl.ok_or_else(|| self.shape(at, "ttl", "a number of seconds"))?;
            let data = match find("data") {
                Some(Resolved::List(items)) => items,
                Some(one) => vec![one],
                None => Vec::new(),
            };
            let data = data.into_iter().map(|value| self.field(value, at, "data")).collect::<Result<Vec<_>, _>>()?;
            let mut set = RecordSet { ttl, data }.canonical(&kind);
            match sets.iter_mut().find(|(known, _)| *known == name) {
                Some((_, State::Records(known))) => {
                    known.data.append(&mut set.data);
                    known.data.sort();
                }
                _ => sets.push((name, State::Records(set))),
            }
        }
        Ok(sets)
    }

    fn field(&self, value: Resolved, at: At, word: &str) -> Result<Value, PipelineError> {
        Ok(match value {
            Resolved::Text(text) => Value::Text(text),
            Resolved::Number(number) => Value::Text(number.to_string()),
            Resolved::Flag(flag) => Value::Text(flag.to_string()),
            Resolved::Fact(fact) => Value::Fact(fact),
            Resolved::Null => Value::Absent,
            Resolved::Secret(name) => match self.secret(&name, at)? {
                Wish::Value(value) => value,
                Wish::Missing | Wish::Unserved(_) => {
                    return Err(self.shape(at, &name, "a secret of the stage's own file"));
                }
            },
            Resolved::Build | Resolved::Fraction(_) | Resolved::List(_) | Resolved::Map(_) => {
                return Err(self.shape(at, word, "a text"));
            }
        })
    }

    fn secret(&self, name: &str, at: At) -> Result<Wish, PipelineError> {
        let Some(rule) = self.scope.pipeline.secrets.get(name) else {
            let fault = PipelineFault::Undeclared { kind: "secret", name: name.to_owned(), nearest: None };
            return Err(self.scope.pipeline.error(at, fault));
        };
        match &rule.origin {
            Origin::Value(text) => return Ok(Wish::Value(Value::Text(text.clone()))),
            Origin::Copy(_) => return Ok(Wish::Unserved("copy")),
            Origin::From(_) => return Ok(Wish::Unserved("from")),
            Origin::Render => return Ok(Wish::Unserved("render")),
            Origin::Given | Origin::Generate => {}
        }
        let Some(file) = self.secrets else {
            if rule.optional {
                return Ok(Wish::Missing);
            }
            let wanted = format!("in `{}`: HEAD has no such file", self.secrets_path);
            return Err(self.shape(rule.at, name, &wanted));
        };
        let reference = SecretRef { file: file.path.clone(), path: name.to_owned(), blob: file.blob.clone() };
        if rule.optional && !(self.has)(&reference) {
            return Ok(Wish::Missing);
        }
        Ok(Wish::Value(Value::Secret(reference)))
    }

    pub(crate) fn check(
        &self,
        subject: &Node,
        words: &[(String, Node)],
        timeout: Option<Duration>,
    ) -> Result<Check, PipelineError> {
        let subject_text = self.scope.text(subject)?;
        let mut json = BTreeMap::new();
        for (word, node) in words {
            let value = self.scope.resolve(node)?.json();
            json.insert(word.clone(), value.ok_or_else(|| self.shape(node.at, word, "known before anything is done"))?);
        }
        Ok(Check { subject: subject_text, words: json, timeout })
    }

    fn declared_at(&self, name: &str, at: At) -> At {
        self.scope.pipeline.secrets.get(name).map_or(at, |rule| rule.at)
    }

    fn shape(&self, at: At, word: &str, wanted: &str) -> PipelineError {
        self.scope.pipeline.error(at, PipelineFault::Shape { word: word.to_owned(), wanted: wanted.to_owned() })
    }
}

enum Wish {
    Value(Value),
    Missing,
    Unserved(&'static str),
}

/// Adjacent wishes for one resource become one; what is only compared stands in nobody's way.
fn merged(items: Vec<Item>) -> Vec<Item> {
    let mut merged: Vec<Item> = Vec::new();
    for item in items {
        if let Item::Wanted(new) = &item
            && !new.compared
        {
            let last = merged.iter_mut().rev().find(|item| !matches!(item, Item::Wanted(wanted) if wanted.compared));
            if let Some(Item::Wanted(last)) = last
                && last.resource == new.resource
                && let (State::Fields(fields), State::Fields(more)) = (&mut last.state, &new.state)
            {
                fields.extend(more.iter().map(|(name, value)| (name.clone(), value.clone())));
                last.produces.extend(&new.produces);
                last.timeout = last.timeout.max(new.timeout);
                continue;
            }
        }
        merged.push(item);
    }
    merged
}

/// Whether a word that produces `pattern` makes this fact known (anew).
pub(crate) fn makes(pattern: &str, fact: &FactRef) -> bool {
    match pattern.split_once('*') {
        None => pattern == fact.fact,
        Some((start, end)) => fact.fact.starts_with(start) && fact.fact.ends_with(end),
    }
}
