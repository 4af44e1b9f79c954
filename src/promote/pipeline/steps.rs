//! Reads `steps:`, `verify:` and the steps of tasks.

use super::error::{PipelineError, PipelineFault, nearest};
use super::node::{At, Node};
use super::reading::{Reading, find};
use super::{Pipeline, StepRule, TargetRule, Verb};
use crate::promote::descriptor::{Descriptor, Shape, Word};

const VERBS: &[&str] = &["edit", "deliver", "apply", "run", "scale", "check", "together"];
const COMMON: &[&str] = &["only", "timeout", "when", "destroys", "affects", "backup", "undo", "lend"];
/// Words of any step that only some verbs' clients can honour; see [`StepRule::modifiers`].
const MODIFIERS: &[&str] = &["when", "destroys", "affects", "backup", "undo", "lend"];
const RUN: &[&str] = &["run", "in", "like", "directory", "env", "through", "forward"];

impl Reading<'_> {
    pub(super) fn steps(
        &self,
        pipeline: &Pipeline,
        node: &Node,
        word: &str,
        checks_only: bool,
    ) -> Result<Vec<StepRule>, PipelineError> {
        self.hold(word, node, &Shape::List(&Shape::Map(&Shape::Any)))?;
        let mut steps = Vec::new();
        for item in node.list().unwrap_or_default() {
            let step = self.step(pipeline, item)?;
            if checks_only && !matches!(step.verb, Verb::Check { .. }) {
                let fault = PipelineFault::Shape { word: word.to_owned(), wanted: "a list of `check`".to_owned() };
                return Err(self.error(item.at, fault));
            }
            steps.push(step);
        }
        Ok(steps)
    }

    fn step(&self, pipeline: &Pipeline, node: &Node) -> Result<StepRule, PipelineError> {
        let entries = self.entries(node, "a step")?;
        let verbs: Vec<&str> = entries.iter().map(|(word, _, _)| *word).filter(|word| VERBS.contains(word)).collect();
        let [verb] = verbs.as_slice() else {
            let first = entries.first().filter(|_| verbs.is_empty());
            let nearest = first.and_then(|(word, _, _)| nearest(word, VERBS.iter().copied()));
            let at = first.map_or(node.at, |(_, key, _)| key.at);
            return Err(self.error(at, PipelineFault::Verb { count: verbs.len(), nearest }));
        };
        let subject = find(&entries, verb).unwrap_or(node);
        let rest: Vec<(&str, &Node, &Node)> =
            entries.iter().filter(|(word, _, _)| word != verb && !COMMON.contains(word)).copied().collect();
        let verb = match *verb {
            "deliver" => self.deliver(pipeline, node, subject, &rest)?,
            "apply" => self.apply(pipeline, subject, &rest)?,
            "check" => self.check(pipeline, subject, &rest)?,
            "together" => Verb::Together(self.steps(pipeline, subject, "together", false)?),
            "edit" => {
                self.known(&rest, "`edit`", &["in", "set"])?;
                self.text(subject, "edit")?;
                let set = self.needed(node, &rest, "set", "`edit`")?;
                self.hold("set", set, &Shape::Map(&Shape::Text))?;
                if let Some(place) = find(&rest, "in") {
                    self.target_for(pipeline, place, "edit")?;
                }
                Verb::Edit
            }
            "run" => {
                self.known(&rest, "`run`", RUN)?;
                self.hold("run", subject, &Shape::Either(&[Shape::Text, Shape::List(&Shape::Text)]))?;
                let place = self.needed(node, &rest, "in", "`run`")?;
                self.target_for(pipeline, place, "run")?;
                if let Some(through) = find(&rest, "through") {
                    self.target(pipeline, through)?;
                }
                Verb::Run
            }
            _ => {
                self.known(&rest, "`scale`", &["replicas", "until"])?;
                self.target_for(pipeline, subject, "scale")?;
                let replicas = self.needed(node, &rest, "replicas", "`scale`")?;
                self.hold("replicas", replicas, &Shape::Map(&Shape::Number))?;
                if let Some(until) = find(&rest, "until") {
                    self.hold("until", until, &Shape::OneOf(&["end"]))?;
                }
                Verb::Scale
            }
        };
        let mut modifiers = Vec::new();
        for (word, key, value) in entries.iter().filter(|(word, _, _)| MODIFIERS.contains(word)) {
            self.modifier(pipeline, word, value)?;
            modifiers.push(((*word).to_owned(), key.at));
        }
        Ok(StepRule {
            verb,
            only: find(&entries, "only").map(|node| self.stage_names(pipeline, node)).transpose()?,
            timeout: find(&entries, "timeout").map(|node| self.duration(node)).transpose()?,
            modifiers,
            at: node.at,
        })
    }

    fn modifier(&self, pipeline: &Pipeline, word: &str, value: &Node) -> Result<(), PipelineError> {
        match word {
            "when" => self.hold(word, value, &Shape::OneOf(&["delivered"])),
            "destroys" => self.hold(word, value, &Shape::Text),
            "affects" => self.stage_names(pipeline, value).map(drop),
            "undo" => self.hold(word, value, &Shape::List(&Shape::Text)),
            "lend" => {
                self.hold(word, value, &Shape::Map(&Shape::Text))?;
                value
                    .map()
                    .unwrap_or_default()
                    .iter()
                    .try_for_each(|(_, name)| self.secret_name(pipeline, name).map(drop))
            }
            _ => self.hold(word, value, &Shape::Either(&[Shape::Map(&Shape::Text), Shape::OneOf(&["none"])])),
        }
    }

    fn deliver(
        &self,
        pipeline: &Pipeline,
        node: &Node,
        subject: &Node,
        rest: &[(&str, &Node, &Node)],
    ) -> Result<Verb, PipelineError> {
        self.known(rest, "`deliver`", &["to", "keys"])?;
        let target = self.target(pipeline, subject)?;
        let to = self.needed(node, rest, "to", "`deliver`")?;
        let address = self.text(to, "to")?;
        let words = target.backend.delivers;
        let Some(word) = words.iter().find(|word| word.name == address || word.name == "*") else {
            let place = format!("`deliver` to a `{}` target", target.backend.name);
            return Err(self.unknown(&address, to.at, &place, words.iter().map(|word| word.name)));
        };
        let keys = self.needed(node, rest, "keys", "`deliver`")?;
        self.hold("keys", keys, &Shape::Either(&[Shape::List(&Shape::Text), Shape::Map(&Shape::Text)]))?;
        let mut pairs = Vec::new();
        for name in keys.list().unwrap_or_default() {
            let secret = self.secret_name(pipeline, name)?;
            pairs.push((secret.clone(), secret));
        }
        for (there, name) in keys.map().unwrap_or_default() {
            pairs.push((there.scalar().unwrap_or_default(), self.secret_name(pipeline, name)?));
        }
        Ok(Verb::Deliver { target: target.name.clone(), to: address, word, keys: pairs })
    }

    fn apply(&self, pipeline: &Pipeline, subject: &Node, rest: &[(&str, &Node, &Node)]) -> Result<Verb, PipelineError> {
        let target = self.target(pipeline, subject)?;
        let mut words: Vec<(&'static Word, Node)> = Vec::new();
        for (name, key, value) in rest {
            let known: &'static [Word] = target.backend.applies;
            let Some(word) = known.iter().find(|word| word.name == *name) else {
                let place = format!("`apply` of a `{}` target", target.backend.name);
                return Err(self.unknown(
                    name,
                    key.at,
                    &place,
                    known.iter().map(|w| w.name).chain(COMMON.iter().copied()),
                ));
            };
            self.hold(name, value, &word.shape)?;
            words.push((word, (*value).clone()));
        }
        Ok(Verb::Apply { target: target.name.clone(), words })
    }

    fn check(&self, pipeline: &Pipeline, subject: &Node, rest: &[(&str, &Node, &Node)]) -> Result<Verb, PipelineError> {
        let text = self.text(subject, "check")?;
        let prober = self.descriptors.iter().find(|backend| backend.name == Descriptor::PROBER);
        let backend = match prober {
            Some(prober) if text.starts_with("https://") => prober,
            _ => self.target(pipeline, subject)?.backend,
        };
        let mut words = Vec::new();
        for (name, key, value) in rest {
            let Some(word) = backend.checks.iter().find(|word| word.name == *name) else {
                let place = format!("`check` of `{}`", backend.name);
                let known = backend.checks.iter().map(|word| word.name).chain(COMMON.iter().copied());
                return Err(self.unknown(name, key.at, &place, known));
            };
            self.hold(name, value, &word.shape)?;
            words.push(((*name).to_owned(), (*value).clone()));
        }
        Ok(Verb::Check { subject: subject.clone(), words })
    }

    fn known(&self, rest: &[(&str, &Node, &Node)], place: &str, words: &[&'static str]) -> Result<(), PipelineError> {
        match rest.iter().find(|(word, _, _)| !words.contains(word)) {
            None => Ok(()),
            Some((word, key, _)) => {
                Err(self.unknown(word, key.at, place, words.iter().copied().chain(COMMON.iter().copied())))
            }
        }
    }

    fn target<'p>(&self, pipeline: &'p Pipeline, node: &Node) -> Result<&'p TargetRule, PipelineError> {
        let name = self.text(node, "target")?;
        pipeline.target(&name).ok_or_else(|| {
            let nearest = nearest(&name, pipeline.targets.iter().map(|target| target.name.as_str()));
            self.error(node.at, PipelineFault::Undeclared { kind: "target", name: name.clone(), nearest })
        })
    }

    fn target_for(&self, pipeline: &Pipeline, node: &Node, verb: &str) -> Result<(), PipelineError> {
        let target = self.target(pipeline, node)?;
        if target.backend.verbs.contains(&verb) {
            return Ok(());
        }
        let wanted = format!("a target that `{verb}` works on");
        Err(self.error(node.at, PipelineFault::Shape { word: target.name.clone(), wanted }))
    }

    fn secret_name(&self, pipeline: &Pipeline, node: &Node) -> Result<String, PipelineError> {
        let name = node.scalar().unwrap_or_default();
        if pipeline.secrets.contains_key(&name) {
            return Ok(name);
        }
        let nearest = nearest(&name, pipeline.secrets.keys().map(String::as_str));
        Err(self.error(node.at, PipelineFault::Undeclared { kind: "secret", name, nearest }))
    }
}

/// Every text of a step that may hold variables, with its place.
pub(super) fn texts(step: &StepRule) -> Vec<(&str, At)> {
    let mut found = Vec::new();
    match &step.verb {
        Verb::Apply { words, .. } => words.iter().for_each(|(_, node)| node.texts(&mut found)),
        Verb::Check { subject, words } => {
            subject.texts(&mut found);
            words.iter().for_each(|(_, node)| node.texts(&mut found));
        }
        Verb::Deliver { keys, .. } => found.extend(keys.iter().map(|(there, _)| (there.as_str(), step.at))),
        Verb::Together(steps) => steps.iter().for_each(|step| found.extend(texts(step))),
        Verb::Edit | Verb::Run | Verb::Scale => {}
    }
    found
}

/// The targets that a step speaks with.
pub(super) fn targets(step: &StepRule) -> Vec<&str> {
    match &step.verb {
        Verb::Apply { target, .. } | Verb::Deliver { target, .. } => vec![target],
        Verb::Check { subject, .. } => subject.text().filter(|text| !text.contains("://")).into_iter().collect(),
        Verb::Together(steps) => steps.iter().flat_map(targets).collect(),
        Verb::Edit | Verb::Run | Verb::Scale => Vec::new(),
    }
}
