//! The report on a file that no key at hand opens.

use std::fmt;

use crate::error::Failure as _;
use crate::keys::{KeyKind, Recipient, Refusal};

/// A file that no key at hand opens: for each of its keys what was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotOpened {
    /// Its groups in order.
    pub groups: Vec<TriedGroup>,
    /// How many of its groups it takes; nothing where there is but one.
    pub threshold: Option<usize>,
    /// The identities at hand, each with its origin.
    pub identities: Vec<String>,
    /// Why identities that were named could not be read.
    pub problems: Vec<String>,
}

/// One group, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TriedGroup {
    /// Whether a key of it opened.
    pub opened: bool,
    /// The keys that were tried, in that order.
    pub keys: Vec<Tried>,
}

/// One key of a file, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// Its kind.
    pub kind: KeyKind,
    /// What names it, such as a recipient.
    pub id: String,
    /// Why each service did not unwrap it; nothing if it opened.
    pub refusals: Option<Vec<Refusal>>,
}

impl Tried {
    pub(super) fn new(recipient: &Recipient, refusals: Option<Vec<Refusal>>) -> Self {
        Self { kind: recipient.kind(), id: recipient.id(), refusals }
    }

    /// Whether nothing went wrong but that it is for somebody else.
    fn is_not_mine(&self) -> bool {
        self.refusals.as_ref().is_some_and(|refusals| refusals.iter().all(|refusal| refusal.error.is_none()))
    }

    fn errors(&self) -> impl Iterator<Item = &crate::keys::KeyError> {
        self.refusals.iter().flatten().filter_map(|refusal| refusal.error.as_ref())
    }

    fn verdict(&self) -> String {
        if self.refusals.is_none() {
            return "opened".to_owned();
        }
        let errors: Vec<String> = self.errors().map(ToString::to_string).collect();
        if errors.is_empty() { "not yours".to_owned() } else { errors.join("; ") }
    }
}

impl NotOpened {
    /// How many groups opened.
    #[must_use]
    pub fn opened(&self) -> usize {
        self.groups.iter().filter(|group| group.opened).count()
    }

    /// Every key that was tried.
    pub fn tried(&self) -> impl Iterator<Item = &Tried> {
        self.groups.iter().flat_map(|group| &group.keys)
    }

    /// The report as SOPS prints it, without a line break at its end.
    ///
    /// *Source*: the SOPS format, section 9.6, and the real program.
    #[must_use]
    pub fn sops_text(&self) -> String {
        let mut text = "Failed to get the data key required to decrypt the SOPS file.\n".to_owned();
        for (number, group) in self.groups.iter().enumerate() {
            if group.opened {
                text.push_str(&format!("\nGroup {number}: SUCCESS\n"));
                continue;
            }
            text.push_str(&format!("\nGroup {number}: FAILED\n"));
            for (position, tried) in group.keys.iter().enumerate() {
                if position > 0 {
                    text.push('\n');
                }
                text.push_str(&format!("  {}: FAILED\n", tried.id));
                let refusals = tried.refusals.iter().flatten();
                let blocks: Vec<String> = refusals.map(|refusal| block(&refusal.sops)).collect();
                text.push_str(&blocks.join("\n"));
                if blocks.is_empty() {
                    text.push('\n');
                }
            }
        }
        text.push('\n');
        let reason = match self.threshold {
            None => "Recovery failed because no master key was able to decrypt the file. In order for SOPS to recover \
                     the file, at least one key has to be successful, but none were."
                .to_owned(),
            Some(threshold) => format!(
                "Recovery failed because the file was encrypted with a Shamir threshold of {threshold}, but only {} \
                 part(s) were successfully recovered, one for each successful key group. In order for SOPS to recover \
                 the file, at least {threshold} groups have to be successful. In order for a group to be successful, \
                 decryption has to succeed with any of the keys in that key group.",
                self.opened()
            ),
        };
        text.push_str(&wrap(&reason, 75).join("\n"));
        text
    }

    pub(super) fn hints(&self) -> Vec<String> {
        let mut hints = Vec::new();
        if self.identities.is_empty() && self.tried().any(|tried| tried.kind == KeyKind::Age) {
            hints.push("no age identity was found; name one: `SOPS_AGE_KEY_FILE=keys.txt`".to_owned());
        } else if !self.identities.is_empty() {
            hints.push(format!("identities at hand: {}", self.identities.join("; ")));
        }
        hints.extend(self.problems.iter().cloned());
        if self.tried().any(Tried::is_not_mine) {
            hints.push("somebody who can open the file can add you: `sops rotate -i --add-age age1… FILE`".to_owned());
        }
        for error in self.tried().flat_map(Tried::errors) {
            for hint in error.hints() {
                if !hints.contains(&hint) {
                    hints.push(hint);
                }
            }
        }
        hints
    }
}

impl std::error::Error for NotOpened {}

impl fmt::Display for NotOpened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let several = self.groups.len() > 1;
        match (self.threshold, self.tried().count()) {
            (Some(threshold), _) => {
                write!(
                    f,
                    "it takes {threshold} of its {} key groups, and {} opened",
                    self.groups.len(),
                    self.opened()
                )?;
            }
            (None, 1) => f.write_str("its only key is not available here")?,
            (None, count) => write!(f, "none of its {count} keys is available here")?,
        }
        let width = self.tried().map(|tried| tried.id.chars().count()).max().unwrap_or_default();
        for (number, group) in self.groups.iter().enumerate() {
            for tried in &group.keys {
                let lead = if several { format!("group {number}: ") } else { String::new() };
                write!(f, "\n  {lead}{} {:width$}  {}", tried.kind, tried.id, tried.verdict())?;
            }
        }
        Ok(())
    }
}

/// One error, in the frame that SOPS sets it in.
fn block(error: &str) -> String {
    let mut text = String::new();
    for (number, line) in wrap(error, 60).iter().enumerate() {
        text.push_str(if number == 0 { "    - | " } else { "      | " });
        text.push_str(line);
        text.push('\n');
    }
    text
}

/// Lines of at most `width` letters, broken at blanks; a longer word stays whole.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        for word in paragraph.split(' ') {
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines
}
