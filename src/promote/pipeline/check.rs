//! What can only be checked once the whole file is read: stages, circles, and that every variable has a value in every
//! stage that uses it.

use std::collections::BTreeSet;

use super::error::{PipelineError, PipelineFault, nearest};
use super::node::{At, Node};
use super::steps::{targets, texts};
use super::template::{Part, parts};
use super::{Per, Pipeline, Stage, StepRule};

const BUILD: &[&str] = &["commit", "tag", "version", "slug", "image"];

pub(super) fn check(pipeline: &Pipeline) -> Result<(), PipelineError> {
    for stage in &pipeline.stages {
        after(pipeline, stage)?;
        circle(pipeline, stage)?;
        circular_variables(pipeline, stage)?;
        if let Some(node) = &stage.file {
            let mut found = Vec::new();
            node.texts(&mut found);
            used(pipeline, stage, &[], &found)?;
        }
        let steps = pipeline.steps_of(&stage.name).chain(pipeline.verify.iter().filter(|s| s.runs_in(&stage.name)));
        for step in steps {
            step_variables(pipeline, stage, &[], step)?;
        }
        for task in &pipeline.tasks {
            let runs = task.only.as_ref().is_none_or(|only| only.contains(&stage.name));
            for step in task.steps.iter().filter(|step| runs && step.runs_in(&stage.name)) {
                step_variables(pipeline, stage, &task.asks, step)?;
            }
        }
    }
    for step in pipeline.steps.iter().chain(&pipeline.verify) {
        facts(pipeline, step)?;
    }
    Ok(())
}

fn after(pipeline: &Pipeline, stage: &Stage) -> Result<(), PipelineError> {
    let Some(before) = &stage.after else { return Ok(()) };
    if pipeline.stage(before).is_some() {
        return Ok(());
    }
    let nearest = nearest(before, pipeline.stages.iter().map(|stage| stage.name.as_str()));
    Err(pipeline.error(stage.after_at, PipelineFault::Undeclared { kind: "stage", name: before.clone(), nearest }))
}

fn circle(pipeline: &Pipeline, stage: &Stage) -> Result<(), PipelineError> {
    let mut seen = vec![stage.name.clone()];
    let mut here = stage;
    while let Some(before) = here.after.as_deref().and_then(|name| pipeline.stage(name)) {
        if let Some(start) = seen.iter().position(|name| *name == before.name) {
            let mut stages = seen.split_off(start);
            stages.push(before.name.clone());
            stages.reverse();
            return Err(pipeline.error(stage.after_at, PipelineFault::Cycle { stages }));
        }
        seen.push(before.name.clone());
        here = before;
    }
    Ok(())
}

fn circular_variables(pipeline: &Pipeline, stage: &Stage) -> Result<(), PipelineError> {
    for (name, node) in &stage.vars {
        let mut found = Vec::new();
        node.texts(&mut found);
        used(pipeline, stage, &[], &found)?;
        let mut open = vec![name.as_str()];
        let mut reached = BTreeSet::new();
        while let Some(next) = open.pop() {
            for inner in stage.vars.iter().filter(|(known, _)| known == next).flat_map(|(_, node)| names(node)) {
                if inner == name {
                    return Err(pipeline.error(node.at, PipelineFault::Circular { name: name.clone() }));
                }
                if reached.insert(inner) {
                    open.push(inner);
                }
            }
        }
    }
    Ok(())
}

fn names(node: &Node) -> Vec<&str> {
    let mut found = Vec::new();
    node.texts(&mut found);
    found
        .into_iter()
        .flat_map(|(text, _)| parts(text).unwrap_or_default())
        .filter_map(|part| if let Part::Variable(name) = part { Some(name) } else { None })
        .collect()
}

fn step_variables(pipeline: &Pipeline, stage: &Stage, asks: &[String], step: &StepRule) -> Result<(), PipelineError> {
    used(pipeline, stage, asks, &texts(step))?;
    for name in targets(step) {
        if let Some(target) = pipeline.target(name) {
            let mut found = Vec::new();
            target.address.texts(&mut found);
            target.options.iter().for_each(|(_, node)| node.texts(&mut found));
            used(pipeline, stage, asks, &found)?;
        }
    }
    Ok(())
}

/// Every variable of these texts has a value in this stage.
fn used(pipeline: &Pipeline, stage: &Stage, asks: &[String], texts: &[(&str, At)]) -> Result<(), PipelineError> {
    for (text, at) in texts {
        let unclosed = || pipeline.error(*at, PipelineFault::Unclosed { text: (*text).to_owned() });
        for part in parts(text).ok_or_else(unclosed)? {
            let Part::Variable(name) = part else { continue };
            if asks.iter().any(|ask| ask == name) || has_value(pipeline, stage, name) {
                continue;
            }
            if let Some(secret) = name.strip_prefix("secret.") {
                let nearest = nearest(secret, pipeline.secrets.keys().map(String::as_str));
                let fault = PipelineFault::Undeclared { kind: "secret", name: secret.to_owned(), nearest };
                return Err(pipeline.error(*at, fault));
            }
            let known = stage.vars.iter().map(|(name, _)| name.as_str()).chain(asks.iter().map(String::as_str));
            let nearest = nearest(name, known.chain(["stage", "build", "instance"]));
            let stage = stage.name.clone();
            return Err(pipeline.error(*at, PipelineFault::Unset { stage, name: name.to_owned(), nearest }));
        }
    }
    Ok(())
}

fn has_value(pipeline: &Pipeline, stage: &Stage, name: &str) -> bool {
    if let Some((before, after)) = name.split_once('.') {
        return match before {
            "build" => BUILD.contains(&after),
            "secret" => pipeline.secrets.contains_key(after),
            target => pipeline.target(target).is_some(),
        };
    }
    match name {
        "stage" | "build" => true,
        "instance" => stage.per.is_some(),
        "developer" if stage.per == Some(Per::Developer) => true,
        "pull-request" if stage.per == Some(Per::PullRequest) => true,
        _ => stage.vars.iter().any(|(known, _)| known == name),
    }
}

/// Every `${target.fact}` is a fact that the target's backend has.
fn facts(pipeline: &Pipeline, step: &StepRule) -> Result<(), PipelineError> {
    for (text, at) in texts(step) {
        for part in parts(text).unwrap_or_default() {
            let Part::Variable(name) = part else { continue };
            let Some((before, fact)) = name.split_once('.') else { continue };
            let Some(target) = pipeline.target(before) else { continue };
            if !target.backend.facts.iter().any(|known| is(known, fact)) {
                let nearest = nearest(fact, target.backend.facts.iter().copied());
                return Err(
                    pipeline.error(at, PipelineFault::Undeclared { kind: "fact", name: name.to_owned(), nearest })
                );
            }
        }
    }
    Ok(())
}

/// Whether `fact` is the one that `known` names; `*` stands for any text.
fn is(known: &str, fact: &str) -> bool {
    match known.split_once('*') {
        None => known == fact,
        Some((start, end)) => fact.len() >= start.len() + end.len() && fact.starts_with(start) && fact.ends_with(end),
    }
}
