//! What is asked before a build may move: is the source well, is its commit on the way, does the stage take it.

use super::artifact::Artifact;
use super::change::Build;
use super::error::PromoteError;
use super::pipeline::{Pipeline, Scope, Stage};
use super::plan::Gate;
use super::platform::{Tests, Verdict};
use super::repository::Repository;
use super::stage_name::StageName;

/// Whether the source is well.
pub(super) fn healthy(stage: &StageName, verdict: Verdict) -> Result<Gate, PromoteError> {
    match verdict {
        Verdict::Good(answer) => Ok(Gate { question: format!("{stage} is healthy"), answer, asked: true }),
        Verdict::Waiting(why) | Verdict::Bad(why) => Err(PromoteError::Unhealthy { stage: stage.clone(), why }),
    }
}

/// What tests at the platform say: red and running ones stop the plan; a platform without tests is not asked, and the plan
/// says so, as it says that a commit was never tested.
pub(super) fn tested(stage: &StageName, tests: Tests) -> Result<Gate, PromoteError> {
    let gate = |answer, asked| Ok(Gate { question: "CI".to_owned(), answer, asked });
    match tests {
        Tests::None => gate("not checked".to_owned(), false),
        Tests::Absent(what) => gate(format!("not checked, {what}"), false),
        Tests::Asked(Verdict::Good(answer)) => gate(answer, true),
        Tests::Asked(Verdict::Waiting(why) | Verdict::Bad(why)) => {
            Err(PromoteError::Untested { stage: stage.clone(), why })
        }
    }
}

/// Whether a stage's builds move as the pipeline says: a slug cannot be released where images run, nor the reverse.
pub(super) fn of_stack(pipeline: &Pipeline, stage: &StageName, build: Option<&Build>) -> Result<(), PromoteError> {
    match (pipeline.artifact.stack, build.map(|build| build.stack)) {
        (Some(declared), Some(has)) if declared != has => {
            Err(PromoteError::OtherStack { stage: stage.clone(), has, declared })
        }
        _ => Ok(()),
    }
}

/// What the artifact itself has to answer.
pub(super) fn of_artifact(
    repository: &dyn Repository,
    pipeline: &Pipeline,
    from: &StageName,
    stage: &Stage,
    to: &StageName,
    artifact: &Artifact,
    head: &str,
) -> Result<Vec<Gate>, PromoteError> {
    let mut gates = Vec::new();
    let branch = pipeline.artifact.branch.as_deref().unwrap_or("HEAD");
    let question = "the commit is merged or what the target will run".to_owned();
    if artifact.commit == head {
        gates.push(Gate { question, answer: "it is checked out here".to_owned(), asked: true });
    } else if repository.merged(&artifact.commit, branch)? == Some(true) {
        gates.push(Gate { question, answer: format!("it is in `{branch}`"), asked: true });
    } else {
        return Err(PromoteError::Unmerged {
            stage: from.clone(),
            commit: artifact.commit.clone(),
            branch: branch.to_owned(),
        });
    }
    let tagged_only =
        !stage.accepts.is_empty() && !stage.accepts.iter().any(|kind| kind == "branch" || kind == "worktree");
    if tagged_only {
        match &artifact.tag {
            Some(tag) => {
                let question = format!("`{to}` takes it");
                gates.push(Gate { question, answer: format!("it is the release `{tag}`"), asked: true });
            }
            None => {
                return Err(PromoteError::NotAccepted {
                    stage: to.clone(),
                    commit: artifact.commit.clone(),
                    accepts: stage.accepts.clone(),
                });
            }
        }
    }
    Ok(gates)
}

/// The instances of a stage that HEAD has a secret file for.
pub(crate) fn instances(
    repository: &dyn Repository,
    pipeline: &Pipeline,
    stage: &Stage,
) -> Result<Vec<String>, PromoteError> {
    // No instance can be called this; it marks where the instance's name stands in the path.
    const MARK: &str = "\u{1}";
    let pattern = match &stage.file {
        Some(file) => Scope { pipeline, stage, instance: Some(MARK), artifact: None }.text(file)?,
        None => format!("secrets/{}.{MARK}.yaml", pipeline.name),
    };
    let Some((start, end)) = pattern.split_once(MARK) else { return Ok(Vec::new()) };
    let by_number = stage.per == Some(super::pipeline::Per::PullRequest);
    let mut found: Vec<String> = repository
        .paths()?
        .iter()
        .filter_map(|path| path.strip_prefix(start)?.strip_suffix(end))
        .filter(|name| {
            !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        })
        .filter_map(|name| {
            if !by_number {
                return Some(name.to_owned());
            }
            // `${pull-request}` is the number alone; the instance's name has `pr-` before it.
            let number = name.strip_prefix("pr-").unwrap_or(name);
            number.chars().all(|c| c.is_ascii_digit()).then(|| format!("pr-{number}"))
        })
        .collect();
    found.sort();
    found.dedup();
    Ok(found)
}
