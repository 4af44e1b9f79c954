//! Reads the top-level words of a pipeline file.

use std::collections::BTreeMap;
use std::time::Duration;

use super::error::{PipelineError, PipelineFault, nearest};
use super::node::{At, Node};
use super::shape;
use super::{ArtifactRule, Origin, Per, Pipeline, SecretRule, Stage, TargetRule, Task};
use crate::promote::change::Stack;
use crate::promote::descriptor::{Descriptor, Shape};

pub(super) const TOP: &[&str] = &["about", "artifact", "targets", "secrets", "steps", "verify", "tasks", "stages"];
const ARTIFACT: &[&str] = &["git", "tags", "branch", "images", "stack"];
const STAGE: &[&str] = &["after", "file", "vars", "accepts", "approve", "soak", "per", "expires"];
const ACCEPTS: &[&str] = &["release", "prerelease", "branch", "worktree"];
const SECRET: &[&str] =
    &["about", "optional", "expires", "given", "generate", "bytes", "of", "copy", "from", "value", "render", "data"];
const ORIGINS: &[&str] = &["given", "generate", "copy", "from", "value", "render"];
const GENERATE: &[&str] = &["password", "base64", "hex", "fernet-key", "rsa-key", "bcrypt", "time"];
const RENDER: &[&str] = &["json", "yaml", "ini", "dotenv", "docker-config"];
const TASK: &[&str] = &["about", "only", "asks", "steps"];

/// One reading of one file.
pub(super) struct Reading<'a> {
    pub(super) file: &'a str,
    pub(super) descriptors: &'a [&'static Descriptor],
}

type Entry<'n> = (&'n str, &'n Node, &'n Node);

impl Reading<'_> {
    pub(super) fn pipeline(&self, text: &str) -> Result<Pipeline, PipelineError> {
        let root: Node = serde_saphyr::from_str(text).map_err(|error| self.not_yaml(&error))?;
        let entries = self.words(&root, "a pipeline", TOP)?;
        let stem = self.file.rsplit('/').next().unwrap_or(self.file);
        let name = stem.strip_suffix(".yaml").or_else(|| stem.strip_suffix(".yml")).unwrap_or(stem);
        let mut pipeline = Pipeline {
            name: name.to_owned(),
            file: self.file.to_owned(),
            about: self.text(self.needed(&root, &entries, "about", "a pipeline")?, "about")?,
            artifact: self.artifact(self.needed(&root, &entries, "artifact", "a pipeline")?)?,
            targets: self.targets(self.needed(&root, &entries, "targets", "a pipeline")?)?,
            secrets: BTreeMap::new(),
            steps: Vec::new(),
            verify: Vec::new(),
            tasks: Vec::new(),
            stages: self.stages(self.needed(&root, &entries, "stages", "a pipeline")?)?,
        };
        if let Some(node) = find(&entries, "secrets") {
            pipeline.secrets = self.secrets(node)?;
        }
        let steps = self.needed(&root, &entries, "steps", "a pipeline")?;
        pipeline.steps = self.steps(&pipeline, steps, "steps", false)?;
        let verify = self.needed(&root, &entries, "verify", "a pipeline")?;
        pipeline.verify = self.steps(&pipeline, verify, "verify", true)?;
        if let Some(node) = find(&entries, "tasks") {
            pipeline.tasks = self.tasks(&pipeline, node)?;
        }
        Ok(pipeline)
    }

    fn not_yaml(&self, error: &serde_saphyr::Error) -> PipelineError {
        let place = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let at = error
            .location()
            .map_or_else(At::default, |location| At { line: place(location.line()), column: place(location.column()) });
        let what = error.without_snippet().to_string();
        let what = what.lines().next().unwrap_or_default().trim_end_matches('.').to_owned();
        self.error(at, PipelineFault::NotYaml { what })
    }

    fn artifact(&self, node: &Node) -> Result<ArtifactRule, PipelineError> {
        let entries = self.words(node, "`artifact`", ARTIFACT)?;
        let optional = |word: &str| find(&entries, word).map(|node| self.text(node, word)).transpose();
        let stack = match find(&entries, "stack") {
            None => None,
            Some(node) => {
                self.hold("stack", node, &Shape::OneOf(&["container", "slug"]))?;
                Some(if node.text() == Some("slug") { Stack::Slug } else { Stack::Container })
            }
        };
        let mut images = BTreeMap::new();
        if let Some(node) = find(&entries, "images") {
            self.hold("images", node, &Shape::Map(&Shape::Text))?;
            for (key, value) in node.map().unwrap_or_default() {
                images.insert(key.scalar().unwrap_or_default(), value.scalar().unwrap_or_default());
            }
        }
        Ok(ArtifactRule {
            git: self.text(self.needed(node, &entries, "git", "`artifact`")?, "git")?,
            tags: optional("tags")?,
            branch: optional("branch")?,
            images,
            stack,
            at: node.at,
        })
    }

    fn targets(&self, node: &Node) -> Result<Vec<TargetRule>, PipelineError> {
        let mut targets = Vec::new();
        for (name, key, value) in self.entries(node, "targets")? {
            self.name("target", name, key.at)?;
            let words = self.entries(value, name)?;
            let backend = words.iter().find_map(|(word, _, address)| {
                self.descriptors.iter().find(|backend| backend.name == *word).map(|backend| (*backend, *address))
            });
            let Some((backend, address)) = backend else {
                let known = self.descriptors.iter().map(|backend| backend.name);
                let (word, at) = words.first().map_or((name, value.at), |(word, key, _)| (*word, key.at));
                return Err(self.unknown(word, at, "a target", known));
            };
            self.hold(backend.name, address, &backend.address)?;
            let mut options = Vec::new();
            for (word, key, value) in words.iter().filter(|(word, _, _)| *word != backend.name) {
                let Some(option) = backend.options.iter().find(|option| option.name == *word) else {
                    let known = backend.options.iter().map(|option| option.name);
                    return Err(self.unknown(word, key.at, &format!("a `{}` target", backend.name), known));
                };
                self.hold(word, value, &option.shape)?;
                options.push(((*word).to_owned(), (*value).clone()));
            }
            targets.push(TargetRule { name: name.to_owned(), backend, address: address.clone(), options, at: key.at });
        }
        Ok(targets)
    }

    fn secrets(&self, node: &Node) -> Result<BTreeMap<String, SecretRule>, PipelineError> {
        let mut secrets = BTreeMap::new();
        for (name, key, value) in self.entries(node, "secrets")? {
            let (origin, optional) = self.secret(name, value)?;
            secrets.insert(name.to_owned(), SecretRule { origin, optional, at: key.at });
        }
        Ok(secrets)
    }

    fn secret(&self, name: &str, node: &Node) -> Result<(Origin, bool), PipelineError> {
        if let Some(word) = node.text() {
            if word == "given" {
                return Ok((Origin::Given, false));
            }
            return Err(self.unknown(word, node.at, "a secret", ["given"]));
        }
        let entries = self.words(node, "a secret", SECRET)?;
        let origins: Vec<&Entry<'_>> = entries.iter().filter(|(word, _, _)| ORIGINS.contains(word)).collect();
        let [(origin, _, value)] = origins.as_slice() else {
            let wanted = format!("a secret of exactly one origin (`{}`)", ORIGINS.join("`, `"));
            return Err(self.error(node.at, PipelineFault::Shape { word: name.to_owned(), wanted }));
        };
        for (word, _, value) in &entries {
            match *word {
                "optional" | "given" => self.hold(word, value, &Shape::Flag)?,
                "bytes" => self.hold(word, value, &Shape::Number)?,
                "generate" => self.hold(word, value, &Shape::OneOf(GENERATE))?,
                "render" => self.hold(word, value, &Shape::OneOf(RENDER))?,
                "expires" => drop(self.duration(value)?),
                "data" => {}
                word => self.hold(word, value, &Shape::Text)?,
            }
        }
        let text = value.scalar().unwrap_or_default();
        let origin = match *origin {
            "given" => Origin::Given,
            "generate" => Origin::Generate,
            "copy" => Origin::Copy(text),
            "from" => Origin::From(text),
            "value" => Origin::Value(text),
            _ => Origin::Render,
        };
        let optional = find(&entries, "optional").and_then(Node::scalar).as_deref() == Some("true");
        Ok((origin, optional))
    }

    fn tasks(&self, pipeline: &Pipeline, node: &Node) -> Result<Vec<Task>, PipelineError> {
        let mut tasks = Vec::new();
        for (name, key, value) in self.entries(node, "tasks")? {
            self.name("task", name, key.at)?;
            let entries = self.words(value, "a task", TASK)?;
            let asks = match find(&entries, "asks") {
                None => Vec::new(),
                Some(node) => self.entries(node, "asks")?.iter().map(|(name, _, _)| (*name).to_owned()).collect(),
            };
            tasks.push(Task {
                name: name.to_owned(),
                about: self.text(self.needed(value, &entries, "about", "a task")?, "about")?,
                only: find(&entries, "only").map(|node| self.stage_names(pipeline, node)).transpose()?,
                asks,
                steps: self.steps(pipeline, self.needed(value, &entries, "steps", "a task")?, "steps", false)?,
            });
        }
        Ok(tasks)
    }

    fn stages(&self, node: &Node) -> Result<Vec<Stage>, PipelineError> {
        let mut stages = Vec::new();
        for (name, key, value) in self.entries(node, "stages")? {
            self.name("stage", name, key.at)?;
            stages.push(self.stage(name, key.at, value)?);
        }
        Ok(stages)
    }

    fn stage(&self, name: &str, at: At, node: &Node) -> Result<Stage, PipelineError> {
        let entries = self.words(node, "a stage", STAGE)?;
        let mut stage = Stage {
            name: name.to_owned(),
            after: find(&entries, "after").map(|node| self.text(node, "after")).transpose()?,
            after_at: find(&entries, "after").map_or(at, |node| node.at),
            file: find(&entries, "file").cloned(),
            vars: Vec::new(),
            accepts: Vec::new(),
            approve: None,
            soak: None,
            per: None,
            expires: find(&entries, "expires").map(|node| self.duration(node)).transpose()?,
            at,
        };
        if let Some(file) = &stage.file {
            self.hold("file", file, &Shape::Text)?;
        }
        if let Some(node) = find(&entries, "vars") {
            let vars = self.entries(node, "vars")?;
            stage.vars = vars.into_iter().map(|(name, _, value)| (name.to_owned(), value.clone())).collect();
        }
        if let Some(node) = find(&entries, "accepts") {
            self.hold("accepts", node, &Shape::List(&Shape::OneOf(ACCEPTS)))?;
            stage.accepts = node.list().unwrap_or_default().iter().filter_map(Node::scalar).collect();
        }
        if let Some(node) = find(&entries, "approve") {
            self.hold("approve", node, &Shape::Number)?;
            let count = node.scalar().and_then(|text| text.parse().ok());
            let wanted = || PipelineFault::Shape { word: "approve".to_owned(), wanted: "a count".to_owned() };
            stage.approve = Some((count.ok_or_else(|| self.error(node.at, wanted()))?, node.at));
        }
        if let Some(node) = find(&entries, "soak") {
            stage.soak = Some((self.duration(node)?, node.at));
        }
        if let Some(node) = find(&entries, "per") {
            self.hold("per", node, &Shape::OneOf(&["developer", "pull-request"]))?;
            stage.per = Some(if node.text() == Some("developer") { Per::Developer } else { Per::PullRequest });
        }
        Ok(stage)
    }

    /// The entries of a map, names as text.
    pub(super) fn entries<'n>(&self, node: &'n Node, word: &str) -> Result<Vec<Entry<'n>>, PipelineError> {
        let wanted = || PipelineFault::Shape { word: word.to_owned(), wanted: "a map".to_owned() };
        let entries = node.map().ok_or_else(|| self.error(node.at, wanted()))?;
        entries
            .iter()
            .map(|(key, value)| {
                let wanted =
                    || PipelineFault::Shape { word: word.to_owned(), wanted: "a map with texts as names".to_owned() };
                Ok((key.text().ok_or_else(|| self.error(key.at, wanted()))?, key, value))
            })
            .collect()
    }

    /// The entries of a map whose words are known.
    pub(super) fn words<'n>(
        &self,
        node: &'n Node,
        place: &str,
        known: &[&'static str],
    ) -> Result<Vec<Entry<'n>>, PipelineError> {
        let entries = self.entries(node, place.trim_matches('`'))?;
        for (word, key, _) in &entries {
            if !known.contains(word) {
                return Err(self.unknown(word, key.at, place, known.iter().copied()));
            }
        }
        Ok(entries)
    }

    pub(super) fn needed<'n>(
        &self,
        parent: &Node,
        entries: &[Entry<'n>],
        word: &str,
        place: &str,
    ) -> Result<&'n Node, PipelineError> {
        let missing = || PipelineFault::Missing { word: word.to_owned(), place: place.to_owned() };
        find(entries, word).ok_or_else(|| self.error(parent.at, missing()))
    }

    pub(super) fn text(&self, node: &Node, word: &str) -> Result<String, PipelineError> {
        self.hold(word, node, &Shape::Text)?;
        Ok(node.scalar().unwrap_or_default())
    }

    pub(super) fn stage_names(&self, pipeline: &Pipeline, node: &Node) -> Result<Vec<String>, PipelineError> {
        self.hold("only", node, &Shape::List(&Shape::Text))?;
        let items = node.list().unwrap_or_default();
        for item in items {
            let name = item.text().unwrap_or_default();
            if pipeline.stage(name).is_none() {
                let nearest = nearest(name, pipeline.stages.iter().map(|stage| stage.name.as_str()));
                let fault = PipelineFault::Undeclared { kind: "stage", name: name.to_owned(), nearest };
                return Err(self.error(item.at, fault));
            }
        }
        Ok(items.iter().filter_map(Node::scalar).collect())
    }

    /// `90s`, `5m`, `2h`, `2d`.
    pub(super) fn duration(&self, node: &Node) -> Result<Duration, PipelineError> {
        let text = node.scalar().unwrap_or_default();
        let seconds = text.char_indices().last().and_then(|(last, unit)| {
            let number: u64 = text[..last].parse().ok().filter(|_| text.starts_with(|c: char| c.is_ascii_digit()))?;
            let unit = match unit {
                's' => 1,
                'm' => 60,
                'h' => 3600,
                'd' => 86400,
                _ => return None,
            };
            number.checked_mul(unit)
        });
        seconds.map(Duration::from_secs).ok_or_else(|| self.error(node.at, PipelineFault::Duration { text }))
    }

    pub(super) fn hold(&self, word: &str, node: &Node, shape: &Shape) -> Result<(), PipelineError> {
        shape::hold(word, node, shape).map_err(|(at, fault)| self.error(at, fault))
    }

    pub(super) fn unknown<'k>(
        &self,
        word: &str,
        at: At,
        place: &str,
        known: impl IntoIterator<Item = &'k str>,
    ) -> PipelineError {
        let nearest = nearest(word, known);
        self.error(at, PipelineFault::UnknownWord { word: word.to_owned(), place: place.to_owned(), nearest })
    }

    pub(super) fn error(&self, at: At, fault: PipelineFault) -> PipelineError {
        PipelineError { file: self.file.to_owned(), at, fault }
    }

    /// Names become parts of git refs and file names.
    fn name(&self, kind: &'static str, name: &str, at: At) -> Result<(), PipelineError> {
        let good = name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if good { Ok(()) } else { Err(self.error(at, PipelineFault::Name { kind, name: name.to_owned() })) }
    }
}

pub(super) fn find<'n>(entries: &[Entry<'n>], word: &str) -> Option<&'n Node> {
    entries.iter().find(|(name, _, _)| *name == word).map(|(_, _, value)| *value)
}
