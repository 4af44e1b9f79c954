//! `git cat-file --batch`: one child that answers for many objects.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::error::Cause;
use super::object::ObjectId;

/// The child and its two pipes.
pub(super) struct Batch {
    child: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Batch {
    /// Starts `git cat-file --batch` or `--batch-check`.
    pub(super) fn start(mut command: Command) -> Result<Self, Cause> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(|error| Cause::NoGit { kind: error.kind() })?;
        let (questions, answers) = (child.stdin.take(), child.stdout.take());
        Ok(Self { child, questions, answers: BufReader::new(answers.ok_or(Cause::Unknown)?) })
    }

    /// The size of an object, and its content, if the child was started to give it.
    pub(super) fn ask(&mut self, id: ObjectId, content: bool) -> Result<(usize, Vec<u8>), Cause> {
        let broken = |error: std::io::Error| Cause::NoGit { kind: error.kind() };
        let questions = self.questions.as_mut().ok_or(Cause::Unknown)?;
        writeln!(questions, "{id}").and_then(|()| questions.flush()).map_err(broken)?;
        let mut header = String::new();
        self.answers.read_line(&mut header).map_err(broken)?;
        // `<id> <kind> <size>`, or `<id> missing`.
        let size = header.trim_end().split(' ').nth(2).and_then(|size| size.parse().ok()).ok_or(Cause::Unknown)?;
        let mut bytes = Vec::new();
        if content {
            bytes.resize(size, 0);
            self.answers.read_exact(&mut bytes).map_err(broken)?;
            self.answers.read_exact(&mut [0]).map_err(broken)?;
        }
        Ok((size, bytes))
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        // Without questions it ends by itself.
        self.questions = None;
        let _ = self.child.wait();
    }
}
