//! The asynchronous edge behind a synchronous door: a runtime that is built when it is first used.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use tokio::runtime::{Builder, Handle, Runtime};

/// How many threads drive the connections: the work is waiting, and the handshakes of TLS.
const THREADS: usize = 2;

/// Runs futures for callers that are not asynchronous, many at once. Clones share one runtime.
#[derive(Clone, Default)]
pub struct Background(Arc<Mutex<Held>>);

#[derive(Default)]
struct Held(Option<Runtime>);

/// The runtime is not there, or what it ran ended without a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BackgroundError {
    /// The machine gave no threads.
    #[error("no thread can be started for the network")]
    NoThreads,
    /// The work panicked or was dropped.
    #[error("the network's thread ended before the answer was there")]
    Ended,
}

impl Background {
    /// Runs `future` on the runtime and waits for what it gives; callable from any thread, another runtime's included.
    ///
    /// # Errors
    /// [`BackgroundError`].
    pub fn run<F>(&self, future: F) -> Result<F::Output, BackgroundError>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let (sender, receiver) = mpsc::sync_channel(1);
        self.handle()?.spawn(async move {
            let _ = sender.send(future.await);
        });
        receiver.recv().map_err(|_| BackgroundError::Ended)
    }

    /// The runtime's handle, which is built now if nobody needed it before.
    ///
    /// # Errors
    /// [`BackgroundError::NoThreads`].
    pub fn handle(&self) -> Result<Handle, BackgroundError> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(runtime) = &held.0 {
            return Ok(runtime.handle().clone());
        }
        let built = Builder::new_multi_thread().worker_threads(THREADS).thread_name("network").enable_all().build();
        let runtime = built.map_err(|_| BackgroundError::NoThreads)?;
        let handle = runtime.handle().clone();
        held.0 = Some(runtime);
        Ok(handle)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Waiting for its threads would panic where the last owner is itself inside a runtime.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_serves_many_threads_and_the_threads_of_another_runtime() {
        let background = Background::default();
        std::thread::scope(|scope| {
            for number in 0..8_u32 {
                let background = background.clone();
                scope.spawn(move || assert_eq!(background.run(async move { number + 1 }), Ok(number + 1)));
            }
        });
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            assert_eq!(background.run(async { 7 }), Ok(7));
            drop(background);
        });
    }

    #[test]
    fn a_panic_of_the_work_is_an_error() {
        let background = Background::default();
        assert_eq!(background.run(async { panic!("of the test") }), Err::<(), _>(BackgroundError::Ended));
    }
}
