//! What goes back over the wire.

use serde_json::{Value, json};

use crate::sandbox::error::{FULL_DISK, SandboxError};

/// An answer of the vendor's API.
#[derive(Debug)]
pub(in crate::sandbox) struct Answer {
    pub(in crate::sandbox) status: u16,
    pub(in crate::sandbox) headers: Vec<(&'static str, String)>,
    pub(in crate::sandbox) body: Body,
}

/// The body of an answer.
#[derive(Debug)]
pub(in crate::sandbox) enum Body {
    Empty,
    Json(Value),
    /// Plain text or HTML, by its content type.
    Text(&'static str, String),
}

impl Answer {
    /// 200 with this body.
    pub(in crate::sandbox) const fn ok(body: Value) -> Self {
        Self::json(200, body)
    }

    /// This status with this body.
    pub(in crate::sandbox) const fn json(status: u16, body: Value) -> Self {
        Self { status, headers: Vec::new(), body: Body::Json(body) }
    }

    /// 200 with text.
    pub(in crate::sandbox) const fn text(text: String) -> Self {
        Self { status: 200, headers: Vec::new(), body: Body::Text("text/plain", text) }
    }

    /// This status and nothing else.
    pub(in crate::sandbox) const fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Body::Empty }
    }
}

/// A request that the vendor turns down: status, error id and message.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::sandbox) struct Refusal {
    pub(in crate::sandbox) status: u16,
    pub(in crate::sandbox) id: &'static str,
    pub(in crate::sandbox) message: String,
}

impl Refusal {
    /// 404 for a thing of this kind.
    pub(in crate::sandbox) fn not_found(what: &str) -> Self {
        Self { status: 404, id: "not_found", message: format!("Couldn't find that {what}.") }
    }

    /// 422: understood and refused.
    pub(in crate::sandbox) fn invalid(message: impl Into<String>) -> Self {
        Self { status: 422, id: "invalid_params", message: message.into() }
    }

    /// 400: not understood.
    pub(in crate::sandbox) fn malformed() -> Self {
        Self { status: 400, id: "bad_request", message: "Unable to parse the request body.".to_owned() }
    }

    /// 500: our own trouble in the vendor's shape.
    pub(in crate::sandbox) fn internal() -> Self {
        Self { status: 500, id: "internal_server_error", message: "Internal server error.".to_owned() }
    }
}

impl From<SandboxError> for Refusal {
    /// 507 where the disk is full, else [`Refusal::internal`]: nothing was done, because it could not be kept.
    fn from(error: SandboxError) -> Self {
        if !error.is_full_disk() {
            return Self::internal();
        }
        Self { status: FULL_DISK, id: "disk_full", message: "There is no room left to keep the change.".to_owned() }
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        Self::json(refusal.status, json!({ "id": refusal.id, "message": refusal.message }))
    }
}
