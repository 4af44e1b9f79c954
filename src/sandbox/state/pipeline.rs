//! A pipeline and what moves through it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Status;

/// A pipeline.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct Pipeline {
    pub(in crate::sandbox) id: String,
    pub(in crate::sandbox) name: String,
    pub(in crate::sandbox) created_at: Timestamp,
    pub(in crate::sandbox) updated_at: Timestamp,
}

/// An app's place in a pipeline.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct Coupling {
    pub(in crate::sandbox) id: String,
    pub(in crate::sandbox) app: String,
    pub(in crate::sandbox) pipeline: String,
    pub(in crate::sandbox) stage: String,
    pub(in crate::sandbox) created_at: Timestamp,
    pub(in crate::sandbox) updated_at: Timestamp,
}

/// One pipeline promotion.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct Promotion {
    pub(in crate::sandbox) id: String,
    pub(in crate::sandbox) pipeline: String,
    pub(in crate::sandbox) app: String,
    pub(in crate::sandbox) release: String,
    pub(in crate::sandbox) targets: Vec<PromotionTarget>,
    pub(in crate::sandbox) created_at: Timestamp,
    pub(in crate::sandbox) updated_at: Timestamp,
}

/// One target of a promotion.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct PromotionTarget {
    pub(in crate::sandbox) id: String,
    pub(in crate::sandbox) app: String,
    /// The release made on the target at once; told from the second question on.
    pub(in crate::sandbox) release: Option<String>,
    pub(in crate::sandbox) told: bool,
    pub(in crate::sandbox) status: Status,
    pub(in crate::sandbox) error: Option<String>,
}

/// A review app.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct ReviewApp {
    pub(in crate::sandbox) id: String,
    pub(in crate::sandbox) app: String,
    pub(in crate::sandbox) pipeline: String,
    pub(in crate::sandbox) branch: String,
    pub(in crate::sandbox) pr_number: Option<u64>,
    pub(in crate::sandbox) created_at: Timestamp,
    pub(in crate::sandbox) updated_at: Timestamp,
}

/// How a pipeline makes its review apps.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct ReviewAppConfig {
    pub(in crate::sandbox) pipeline: String,
    pub(in crate::sandbox) automatic: bool,
    pub(in crate::sandbox) destroy_stale: bool,
    pub(in crate::sandbox) stale_days: u32,
    pub(in crate::sandbox) wait_for_ci: bool,
}

/// One run of a pipeline's tests.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct TestRun {
    pub(in crate::sandbox) id: String,
    pub(in crate::sandbox) pipeline: String,
    /// Counts up within the pipeline.
    pub(in crate::sandbox) number: u64,
    pub(in crate::sandbox) branch: String,
    pub(in crate::sandbox) message: String,
    pub(in crate::sandbox) commit: String,
    pub(in crate::sandbox) url: String,
    pub(in crate::sandbox) status: Status,
    /// How many more questions find it going on.
    pub(in crate::sandbox) left: u32,
    /// Whether it will fail.
    pub(in crate::sandbox) doomed: bool,
    pub(in crate::sandbox) created_at: Timestamp,
    pub(in crate::sandbox) updated_at: Timestamp,
}
