//! Data keys on their way: who works on a file waits for the key of that file, while those of further files are asked for.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};

use crate::cli::Failed;
use crate::error::Class;
use crate::system::at_once::{KEYS_AT_ONCE, at_once};

/// What comes of asking for the key of each file, told once.
pub(crate) struct Fetching {
    asked: Vec<(usize, Mutex<Option<SyncSender<Answer>>>)>,
    answers: HashMap<usize, Mutex<Receiver<Answer>>>,
}

type Answer = Result<(), Failed>;

impl Fetching {
    /// The keys of these files, of which none has been asked for.
    pub(crate) fn of(files: &[usize]) -> Self {
        let (mut asked, mut answers) = (Vec::with_capacity(files.len()), HashMap::with_capacity(files.len()));
        for file in files {
            let (sender, receiver) = sync_channel(1);
            asked.push((*file, Mutex::new(Some(sender))));
            answers.insert(*file, Mutex::new(receiver));
        }
        Self { asked, answers }
    }

    /// Asks for all of them, in their order, as many at once as is allowed.
    pub(crate) fn all(&self, ask: impl Fn(usize) -> Answer + Sync) {
        at_once(&self.asked, KEYS_AT_ONCE, |(file, sender)| {
            // Taken out first: nobody waits for an answer that does not come because asking broke down.
            let sender = sender.lock().unwrap_or_else(PoisonError::into_inner).take();
            let answer = ask(*file);
            sender.map(|sender| sender.send(answer))
        });
    }

    /// Waits until the key of a file is there.
    ///
    /// # Errors
    /// It could not be had.
    pub(crate) fn wait(&self, file: usize) -> Answer {
        let answer = self.answers.get(&file).and_then(|receiver| {
            let receiver = receiver.lock().unwrap_or_else(PoisonError::into_inner);
            receiver.recv().ok()
        });
        answer.unwrap_or_else(|| Err(Failed::new(Class::Bug, "a data key was not asked for")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_has_the_answer_for_that_file_or_an_error() {
        let fetching = Fetching::of(&[4, 2]);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                fetching.all(|file| if file == 2 { Ok(()) } else { Err(Failed::new(Class::World, "away")) });
            });
            assert!(fetching.wait(2).is_ok());
            assert_eq!(fetching.wait(4).map_err(|failed| failed.message), Err("away".to_owned()));
        });
        assert!(fetching.wait(3).is_err());
        let broken = Fetching::of(&[0]);
        std::thread::scope(|scope| {
            let asking = scope.spawn(|| broken.all(|_| panic!("of the test")));
            assert!(broken.wait(0).is_err());
            assert!(asking.join().is_err());
        });
    }
}
