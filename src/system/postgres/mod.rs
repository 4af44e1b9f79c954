//! A PostgreSQL to which lines are added: where it is said in the words of Go's driver, which is what SOPS reads.

mod settings;
mod tls;

use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Config, SimpleQueryMessage};

pub use settings::{Settings, SettingsError};
use tls::Tls;

use super::background::Background;

/// Nobody waits longer for a connection, or for a line to be taken.
const LIMIT: Duration = Duration::from_secs(30);

/// An open connection.
pub struct Postgres {
    background: Background,
    client: Arc<Client>,
}

/// Why a database was not reached, or did not take a line. Never holds a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PostgresError {
    /// What was said of it cannot be used.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// It did not answer as a database does.
    #[error("{0}")]
    Refused(String),
}

impl Postgres {
    /// Connects and asks for a sign of life, by one of the ways that the settings allow.
    ///
    /// # Errors
    /// [`PostgresError`].
    pub fn connect(settings: &Settings, background: &Background) -> Result<Self, PostgresError> {
        let mut refused = None;
        for (config, tls) in settings.attempts()? {
            match background.run(open(config, tls)).map_err(refusal)? {
                Ok(client) => return Ok(Self { background: background.clone(), client: Arc::new(client) }),
                Err(error) => refused = Some(error),
            }
        }
        Err(refused.unwrap_or_else(|| PostgresError::Refused("no way to the database is allowed".to_owned())))
    }

    /// Runs a statement with these texts in the places of `$1`, `$2` and so on.
    ///
    /// # Errors
    /// [`PostgresError::Refused`].
    pub fn execute(&self, statement: &'static str, texts: &[&str]) -> Result<(), PostgresError> {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        let client = Arc::clone(&self.client);
        let run = async move {
            let parameters: Vec<(&(dyn ToSql + Sync), Type)> =
                texts.iter().map(|text| (text as &(dyn ToSql + Sync), Type::TEXT)).collect();
            let done = tokio::time::timeout(LIMIT, client.query_typed(statement, &parameters)).await;
            done.map_err(|_| late())?.map(drop).map_err(refusal)
        };
        self.background.run(run).map_err(refusal)?
    }
}

async fn open(config: Config, tls: Tls) -> Result<Client, PostgresError> {
    let connected = tokio::time::timeout(LIMIT, config.connect(tls)).await.map_err(|_| late())?;
    let (client, connection) = connected.map_err(refusal)?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!("the connection to the database ended: {error}");
        }
    });
    let answer = tokio::time::timeout(LIMIT, client.simple_query("SELECT 1")).await.map_err(|_| late())?;
    let one = |message: &SimpleQueryMessage| matches!(message, SimpleQueryMessage::Row(row) if row.get(0) == Some("1"));
    match answer.map_err(refusal)?.iter().any(one) {
        true => Ok(client),
        false => Err(PostgresError::Refused("it does not know that 1 is 1".to_owned())),
    }
}

fn late() -> PostgresError {
    PostgresError::Refused(format!("no answer within {} s", LIMIT.as_secs()))
}

/// An error with what it comes from.
fn refusal(error: impl std::error::Error) -> PostgresError {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text.push_str(&format!(": {inner_text}"));
        }
        source = inner.source();
    }
    PostgresError::Refused(text)
}
