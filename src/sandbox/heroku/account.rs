//! The account that the token belongs to.

use serde_json::{Value, json};

use super::{Answer, Heroku, moment};

impl Heroku<'_> {
    /// `GET /account`.
    pub(super) fn account(&self) -> Answer {
        Answer::ok(self.view_account())
    }

    /// The account as other answers have it, too.
    pub(super) fn view_account(&self) -> Value {
        let created_at = moment(self.state.about.created_at);
        json!({
            "allow_tracking": false,
            "beta": false,
            "country_of_residence": null,
            "created_at": created_at,
            "default_organization": null,
            "default_team": null,
            "delinquent_at": null,
            "email": self.state.about.email,
            "federated": false,
            "id": self.state.id_of("account"),
            "identity_provider": null,
            "last_login": created_at,
            "name": null,
            "sms_number": null,
            "suspended_at": null,
            "two_factor_authentication": false,
            "updated_at": created_at,
            "verified": true,
        })
    }

    /// `GET /account/features/{name}`: every feature is there and on.
    pub(super) fn account_feature(&self, name: &str) -> Answer {
        let created_at = moment(self.state.about.created_at);
        Answer::ok(json!({
            "created_at": created_at,
            "description": "A feature of the account.",
            "display_name": name,
            "doc_url": "https://devcenter.heroku.com/",
            "enabled": true,
            "feedback_email": "feedback@example.org",
            "id": self.state.id_of(&format!("feature {name}")),
            "name": name,
            "state": "general",
            "updated_at": created_at,
        }))
    }
}
