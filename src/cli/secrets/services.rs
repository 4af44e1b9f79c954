//! Which key services a command takes keys to, and which kinds of keys it tries first.

use crate::cli::{Context, Failed};
use crate::error::Class;
use crate::keys::DecryptionOrder;

/// What flags and variables say of key services.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    /// Whether the keys of this machine count.
    pub(crate) local: bool,
    /// The addresses of other services, asked after them.
    pub(crate) remotes: Vec<String>,
    /// Which kinds are tried first.
    pub(crate) order: DecryptionOrder,
}

/// The flags of every command that wraps or unwraps a key.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Services {
    /// One more key service to ask, `unix:///PATH` or `tcp://HOST:PORT`; may be given several times.
    #[arg(long, value_name = "URI", env = "SOPS_KEYSERVICE", value_delimiter = ',', help_heading = HEADING)]
    keyservice: Vec<String>,
    /// Whether the keys of this machine are used at all.
    #[arg(
        long,
        value_name = "BOOL",
        env = "SOPS_ENABLE_LOCAL_KEYSERVICE",
        num_args = 0..=1,
        require_equals = true,
        default_value = "true",
        default_missing_value = "true",
        value_parser = truth,
        action = clap::ArgAction::Set,
        help_heading = HEADING
    )]
    enable_local_keyservice: bool,
}

/// The flags of every command that opens a file.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Opening {
    #[command(flatten)]
    services: Services,
    /// Kinds of keys to try first, such as `pgp,age,kms`.
    #[arg(
        long,
        value_name = "KINDS",
        env = "SOPS_DECRYPTION_ORDER",
        default_value = "age,pgp",
        value_parser = order,
        help_heading = HEADING
    )]
    decryption_order: DecryptionOrder,
}

const HEADING: &str = "Key services";

impl Choice {
    /// What the variables say, for commands without these flags; one that makes no sense is without effect there.
    pub(crate) fn of_variables(variable: impl Fn(&str) -> Option<String>) -> Self {
        let local = variable("SOPS_ENABLE_LOCAL_KEYSERVICE").and_then(|text| truth(&text).ok());
        let order = variable("SOPS_DECRYPTION_ORDER").and_then(|text| order(&text).ok());
        Self {
            local: local.unwrap_or(true),
            remotes: addresses(variable("SOPS_KEYSERVICE").unwrap_or_default().split(',')),
            order: order.unwrap_or_default(),
        }
    }
}

impl Services {
    /// The machine with these services chosen.
    ///
    /// # Errors
    /// None is left to ask.
    pub(crate) fn chosen(&self, context: &Context) -> Result<Context, Failed> {
        let remotes = addresses(self.keyservice.iter().map(String::as_str));
        if !self.enable_local_keyservice && remotes.is_empty() {
            return Err(Failed::new(Class::Usage, "no key service is left to ask")
                .hint("name one: `--keyservice unix:///PATH`; or let the keys of this machine count"));
        }
        let order = context.choice.order.clone();
        Ok(context.choosing(Choice { local: self.enable_local_keyservice, remotes, order }))
    }
}

impl Opening {
    /// The machine with these services and this order chosen.
    ///
    /// # Errors
    /// As for [`Services::chosen`].
    pub(crate) fn chosen(&self, context: &Context) -> Result<Context, Failed> {
        let mut context = self.services.chosen(context)?;
        context.choice.order.clone_from(&self.decryption_order);
        Ok(context)
    }
}

fn addresses<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<String> {
    texts.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned).collect()
}

/// A truth value as SOPS reads it; an empty one says no.
///
/// *Source*: the SOPS format, section 9.1.
fn truth(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true),
        "" | "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false),
        _ => Err("it is neither `true` nor `false`".to_owned()),
    }
}

fn order(text: &str) -> Result<DecryptionOrder, String> {
    if text.is_empty() {
        return Ok(DecryptionOrder::default());
    }
    DecryptionOrder::parse(text).map_err(|word| format!("`{word}` stands there twice"))
}
