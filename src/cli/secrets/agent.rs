//! GnuPG's agent, which remembers passphrases of age identities under the same names for us as for SOPS.
//!
//! *Source*: the real program, for where the agent is looked for and what it is asked; GnuPG's manual of the agent for
//! its protocol.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::FileTypeExt as _;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use zeroize::Zeroizing;

use crate::cli::Context;
use crate::secret::SecretString;

/// The longest line of the protocol, with its line break.
const LINE: u64 = 1002;

/// A connection to the agent.
pub(super) struct Agent {
    stream: BufReader<UnixStream>,
    display: Option<String>,
    terminal: Option<String>,
    kind: Option<String>,
}

/// What the agent has.
pub(super) enum Remembered {
    Passphrase(SecretString),
    /// It was cancelled, or the agent knows none and may not ask: its own words.
    Nothing(String),
}

impl Agent {
    /// The agent of this user, if it listens.
    pub(super) fn reach(context: &Context) -> Option<Self> {
        let path = socket(context)?;
        let mut agent = Self {
            stream: BufReader::new(UnixStream::connect(path).ok()?),
            display: context.variable("DISPLAY").map(str::to_owned),
            terminal: terminal(context),
            kind: context.variable("TERM").map(str::to_owned),
        };
        agent.line()?.starts_with("OK").then_some(agent)
    }

    /// The passphrase under a name; the agent asks whoever sits there if it knows none, and may.
    pub(super) fn passphrase(&mut self, question: &str, cache_id: &str, may_ask: bool) -> Remembered {
        let options =
            [("display", self.display.take()), ("ttyname", self.terminal.take()), ("ttytype", self.kind.take())];
        for (name, value) in options {
            if let Some(value) = value.filter(|value| !value.contains(['\n', '\r'])) {
                let _ = self.ask(&format!("OPTION {name}={value}"));
            }
        }
        let quiet = if may_ask { "" } else { "--no-ask " };
        let asked = self.ask(&format!("GET_PASSPHRASE {quiet}{cache_id} X Passphrase {}", escaped(question)));
        let Some(answer) = asked else { return Remembered::Nothing("it does not answer".to_owned()) };
        let Some(digits) = answer.strip_prefix("OK") else { return Remembered::Nothing(answer.as_str().to_owned()) };
        match of_hex(digits.trim()) {
            // An empty one shall not be remembered.
            Some(text) if text.is_empty() => {
                self.forget(cache_id);
                Remembered::Passphrase(SecretString::new(String::new()))
            }
            Some(text) => Remembered::Passphrase(SecretString::new(text.to_string())),
            None => Remembered::Nothing("its answer is no text".to_owned()),
        }
    }

    /// Makes it forget a passphrase that was wrong.
    pub(super) fn forget(&mut self, cache_id: &str) {
        if self.ask(&format!("CLEAR_PASSPHRASE {cache_id}")).is_none_or(|answer| !answer.starts_with("OK")) {
            tracing::warn!("gpg-agent keeps a passphrase that was wrong");
        }
    }

    fn ask(&mut self, line: &str) -> Option<Zeroizing<String>> {
        self.stream.get_mut().write_all(format!("{line}\n").as_bytes()).ok()?;
        loop {
            let answer = self.line()?;
            // Comments and the progress of the question.
            if !answer.starts_with('#') && !answer.starts_with("S ") {
                return Some(answer);
            }
        }
    }

    fn line(&mut self) -> Option<Zeroizing<String>> {
        let mut line = Zeroizing::new(String::with_capacity(LINE as usize));
        self.stream.by_ref().take(LINE).read_line(&mut line).ok()?;
        let end = line.trim_end().len();
        (line.ends_with('\n')).then(|| {
            line.truncate(end);
            line
        })
    }
}

/// `GPG_AGENT_INFO`, which may say that there is none; else GnuPG's two standard places.
fn socket(context: &Context) -> Option<PathBuf> {
    if let Some(info) = context.set_variable("GPG_AGENT_INFO") {
        return info.split(':').next().filter(|path| !path.is_empty()).map(PathBuf::from);
    }
    let in_home = context.home()?.join(".gnupg/S.gpg-agent");
    let is_socket = in_home.metadata().is_ok_and(|metadata| metadata.file_type().is_socket());
    match context.variable("XDG_RUNTIME_DIR") {
        Some(folder) if !is_socket => Some(PathBuf::from(folder).join("gnupg/S.gpg-agent")),
        _ => Some(in_home),
    }
}

/// The terminal at which the agent may ask.
fn terminal(context: &Context) -> Option<String> {
    use std::io::IsTerminal as _;
    if let Some(named) = context.variable("GPG_TTY") {
        return Some(named.to_owned());
    }
    let (stdin, stderr) = (std::io::stdin(), std::io::stderr());
    let name = match stdin.is_terminal() {
        true => rustix::termios::ttyname(stdin, Vec::new()),
        false => rustix::termios::ttyname(stderr, Vec::new()),
    };
    name.ok()?.into_string().ok()
}

/// A text as one word of the protocol.
fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut word, byte| {
        match byte {
            b' ' => word.push('+'),
            b'!'..=b'~' if !b"%+\"".contains(&byte) => word.push(char::from(byte)),
            _ => word.push_str(&format!("%{byte:02X}")),
        }
        word
    })
}

fn of_hex(digits: &str) -> Option<Zeroizing<String>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(digits.len() / 2));
    for at in (0..digits.len()).step_by(2) {
        bytes.push(u8::from_str_radix(digits.get(at..at + 2)?, 16).ok()?);
    }
    std::str::from_utf8(&bytes).ok().map(|text| Zeroizing::new(text.to_owned()))
}
