//! What a test can make go wrong.
//!
//! A fault waits for a request and then happens. Requests are named as in the log of requests: a method and a path,
//! `QUERY` or `UPDATE` and `/ns1/<name>/<type>` for DNS. `*` in a pattern stands for any text.

use serde::{Deserialize, Serialize};

use super::state::State;

/// One fault that waits for its request.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Fault {
    /// The request's method; any where it is not given.
    #[serde(default)]
    pub method: Option<String>,
    /// A pattern for the request's path without its query; for the last five kinds of an app's or a pipeline's name.
    #[serde(default = "anything")]
    pub path: String,
    /// How many matching requests pass before it happens.
    #[serde(default)]
    pub skip: u32,
    /// How often it happens.
    #[serde(default = "once")]
    pub times: u32,
    /// What happens.
    #[serde(flatten)]
    pub kind: FaultKind,
}

fn anything() -> String {
    "*".to_owned()
}

const fn once() -> u32 {
    1
}

/// What happens to a request, or later to what it started.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FaultKind {
    /// Answers with an error instead of doing anything.
    Status {
        /// The HTTP status.
        status: u16,
        /// The vendor's error id.
        #[serde(default)]
        id: String,
        /// The vendor's message.
        #[serde(default)]
        message: String,
        /// Seconds in a `Retry-After` header.
        #[serde(default)]
        retry_after: Option<u32>,
        /// An HTML page as body, as the vendor's edge sends it.
        #[serde(default)]
        html: bool,
    },
    /// Resets the connection before anything is done.
    ResetBefore,
    /// Does what is asked, then resets the connection instead of answering.
    ResetAfter,
    /// Never answers and does nothing.
    HangBefore,
    /// Does what is asked and never answers.
    HangAfter,
    /// The DNS server refuses.
    DnsRefused,
    /// The DNS server says NOERROR and changes nothing.
    DnsIgnored,
    /// The DNS server says nothing.
    DnsSilent,
    /// The next build of the app fails.
    BuildFails,
    /// The next test run of the pipeline fails.
    TestsFail,
    /// The next release command of the app fails.
    ReleaseFails,
    /// The next promotion to the app fails.
    PromotionFails {
        /// What the vendor says about it.
        message: String,
    },
    /// The certificate of the app's next domain keeps failing until its status is refreshed.
    AcmFails {
        /// What the vendor says about it.
        reason: String,
    },
}

impl FaultKind {
    /// Whether it happens to the request itself, not to what an app does afterwards.
    pub(super) const fn on_request(&self) -> bool {
        !matches!(
            self,
            Self::BuildFails
                | Self::TestsFail
                | Self::ReleaseFails
                | Self::PromotionFails { .. }
                | Self::AcmFails { .. }
        )
    }
}

impl State {
    /// The fault that happens to this request, if one does; it is counted.
    pub(super) fn fault_on(&mut self, method: &str, path: &str) -> Option<FaultKind> {
        self.take_fault(|fault| {
            fault.kind.on_request()
                && fault.method.as_deref().is_none_or(|wanted| wanted == method)
                && matches(&fault.path, path)
        })
    }

    /// The fault of this sort that waits for this app, if one does; it is counted.
    pub(super) fn fault_of(&mut self, app: &str, sort: impl Fn(&FaultKind) -> bool) -> Option<FaultKind> {
        self.take_fault(|fault| sort(&fault.kind) && matches(&fault.path, app))
    }

    fn take_fault(&mut self, wanted: impl Fn(&Fault) -> bool) -> Option<FaultKind> {
        let mut happening = None;
        for (key, fault) in &mut self.faults {
            if !wanted(fault) {
                continue;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
                continue;
            }
            if happening.is_none() {
                fault.times = fault.times.saturating_sub(1);
                happening = Some((key.clone(), fault.times == 0, fault.kind.clone()));
            }
        }
        let (key, spent, kind) = happening?;
        if spent {
            self.faults.remove(&key);
        }
        Some(kind)
    }
}

/// Whether `text` fits `pattern`, in which `*` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(tail) = text.strip_prefix(head) else {
        return false;
    };
    (0..=tail.len()).filter(|at| tail.is_char_boundary(*at)).any(|at| matches(rest, &tail[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        assert!(matches("/apps/*/config-vars", "/apps/demo/config-vars"));
        assert!(matches("*", ""));
        assert!(!matches("/apps/*/config-vars", "/apps/demo/releases"));
        assert!(!matches("/apps", "/apps/demo"));
    }

    #[test]
    fn a_fault_waits_its_turn_and_is_spent() {
        let mut state = State::default();
        let fault: Fault =
            serde_json::from_str(r#"{"method":"PATCH","path":"/apps/*","skip":1,"times":2,"kind":"reset_after"}"#)
                .unwrap();
        state.faults.insert("1".into(), fault);
        let mut happened = || state.fault_on("PATCH", "/apps/demo").is_some();
        assert_eq!([happened(), happened(), happened(), happened()], [false, true, true, false]);
        assert!(state.faults.is_empty());
    }
}
