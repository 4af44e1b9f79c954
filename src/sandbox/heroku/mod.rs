//! The vendor's Platform API, as far as it is called: the same routes, states, refusals and shapes.
//!
//! *Source*: the vendor's published schema, and requests of the vendor's own client on the wire; where both are silent
//! the answer is what the vendor's documentation says.

mod account;
mod acm;
mod addons;
mod answer;
mod apps;
mod builds;
mod config_vars;
mod domains;
mod dynos;
mod formation;
mod pipelines;
mod promotions;
mod range;
mod releases;
mod request;
mod review_apps;
mod routes;
mod slugs;
mod test_runs;

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;

pub(super) use answer::{Answer, Body, Refusal};
pub(super) use request::Request;
pub(super) use routes::{Access, access};

use super::authority::Authority;
use super::state::{App, State};
use super::vault::Vault;

/// Questions that find something new still pending.
const POLLS: u32 = 2;

/// The platform for the time of one request.
pub(super) struct Heroku<'a> {
    pub(super) state: &'a mut State,
    pub(super) vault: &'a Vault,
    pub(super) authority: &'a Authority,
    pub(super) now: Timestamp,
    /// Where this server is reached, for the addresses in answers.
    pub(super) base: &'a str,
    /// What the account has left of its requests.
    pub(super) remaining: u32,
}

type Answered = Result<Answer, Refusal>;

impl Heroku<'_> {
    /// The app with this id or name.
    fn app(&self, id_or_name: &str) -> Result<App, Refusal> {
        self.state.app(id_or_name).cloned().ok_or_else(|| Refusal::not_found("app"))
    }

    /// The app's row, to change it.
    fn app_mut(&mut self, id: &str) -> Result<&mut App, Refusal> {
        let now = self.now;
        let app = self.state.apps.get_mut(id).ok_or_else(|| Refusal::not_found("app"))?;
        app.updated_at = now;
        Ok(app)
    }
}

/// A moment as the vendor writes it: whole seconds, UTC.
fn moment(time: Timestamp) -> String {
    const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(0));
    PRINTER.timestamp_to_string(&time)
}
