//! `lockage keyservice`: the keys of this user, offered to other programs over the key service of SOPS.

use std::io::{BufRead as _, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};

use crate::cli::secrets::identities::Identities;
use crate::cli::{Context, Failed, report};
use crate::error::Class;
use crate::keys::{Consent, ConsentError, KeyServer, KeyService, Question, ServiceAddress};

/// Offer the keys of this user to other programs, over the key service of SOPS.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Whoever reaches the socket can unwrap every data key that you can; there is no encryption and no \
authorisation in this protocol. The socket of `unix://` is open to you alone; `tcp://` is open to everybody who can connect."
)]
pub(crate) struct Keyservice {
    /// Where to listen: `unix:///PATH` or `tcp://HOST:PORT` [default: a socket in XDG_RUNTIME_DIR]
    #[arg(long, value_name = "URI")]
    listen: Option<String>,
    /// Ask on this terminal before each request is answered.
    #[arg(long)]
    prompt: bool,
}

impl Keyservice {
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failed> {
        let address = match &self.listen {
            Some(uri) => ServiceAddress::parse(uri).map_err(|error| Failed::new(Class::Usage, error.to_string()))?,
            None => default_address(context)?,
        };
        if self.prompt && !context.interactive {
            return Err(Failed::new(Class::Usage, "nobody can be asked here whether to answer")
                .hint("start it on a terminal, or without `--prompt`"));
        }
        if let ServiceAddress::Tcp(host) = &address
            && !host.starts_with("127.")
            && !host.starts_with("[::1]")
            && !host.starts_with("localhost:")
        {
            report::say(&format!(
                "lockage: warning: everybody who reaches {host} can use your keys, and reads them in clear"
            ));
        }
        let consent = self.prompt.then(|| Arc::new(Asking { stdout: false }) as Arc<dyn Consent>);
        serve(context, &address, consent)
    }
}

/// Serves until SIGINT or SIGTERM, then ends in peace: 0. Where it listens is said on stderr, in the words of SOPS.
pub(crate) fn serve(
    context: &Context,
    address: &ServiceAddress,
    consent: Option<Arc<dyn Consent>>,
) -> Result<u8, Failed> {
    let background = &context.background;
    let keys: Arc<dyn KeyService> = Arc::new(Identities::of_service(context));
    let server = KeyServer::bind(address, background)?;
    let failed = |error: std::io::Error| Failed::new(Class::World, format!("signals cannot be waited for: {error}"));
    let handle = background.handle().map_err(|error| Failed::new(Class::World, error.to_string()))?;
    let (mut terminate, mut interrupt) = {
        let _entered = handle.enter();
        (signal(SignalKind::terminate()).map_err(failed)?, signal(SignalKind::interrupt()).map_err(failed)?)
    };
    report::say(&format!("Listening on {}", server.address()));
    server.serve(keys, consent, async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })?;
    Ok(0)
}

fn default_address(context: &Context) -> Result<ServiceAddress, Failed> {
    let folder = context.variable("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|folder| folder.is_absolute());
    let folder = folder.ok_or_else(|| {
        Failed::new(Class::Usage, "there is no folder for the key service's socket: `XDG_RUNTIME_DIR` is not set")
            .hint("say where: `lockage keyservice --listen unix:///PATH`")
    })?;
    Ok(ServiceAddress::Unix(folder.join("lockage-keyservice.sock")))
}

/// Asks on the terminal, in the words of SOPS.
///
/// *Source*: the notes on the wire, section 7: an empty line is an error, any other word repeats the question.
pub(crate) struct Asking {
    /// Whether the question goes to stdout, as that of SOPS does.
    pub(crate) stdout: bool,
}

impl Consent for Asking {
    fn ask(&self, question: Question<'_>) -> Result<bool, ConsentError> {
        let Question { operation, key } = question;
        let text = format!("\nReceived {operation} request using {key}. Respond to request? (y/n): ");
        loop {
            let shown = if self.stdout {
                let mut stdout = std::io::stdout();
                stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush())
            } else {
                std::io::stderr().write_all(text.as_bytes())
            };
            shown.map_err(|_| ConsentError("the question cannot be shown".into()))?;
            let mut line = String::new();
            match std::io::stdin().lock().read_line(&mut line) {
                Ok(0) => return Err(ConsentError("EOF".into())),
                Ok(_) => {}
                Err(_) => return Err(ConsentError("the answer cannot be read".into())),
            }
            match line.trim() {
                "" => return Err(ConsentError("unexpected newline".into())),
                "y" | "Y" => return Ok(true),
                "n" | "N" => return Ok(false),
                _ => {}
            }
        }
    }
}
