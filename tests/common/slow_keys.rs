//! A key service on a socket that takes its time, as one across an ocean does.

use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use lockage::keys::{KeyError, KeyServer, KeyService, Keyring, Recipient, ServiceAddress, WrappedKey};
use lockage::secret::{SecretBytes, SecretString};
use lockage::system::background::Background;

/// What a request waits for before it is answered.
pub enum Wait {
    /// This long.
    For(Duration),
    /// Until so many requests are waiting at once; 20 seconds at most, which is then an error.
    Together(usize),
}

/// The service; it ends when it is dropped.
pub struct SlowKeys {
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
    /// `unix:///…`.
    pub uri: String,
}

impl SlowKeys {
    /// Serves the age identities of `key_file` on a socket in `folder`.
    pub fn start(key_file: &Path, folder: &Path, wait: Wait) -> Self {
        let mut keyring = Keyring::new();
        let text = SecretString::new(std::fs::read_to_string(key_file).expect("a key file"));
        keyring.add_age_text(&text, "the slow service").expect("identities");
        let keys = Arc::new(Waiting { keyring, wait, waiting: Mutex::new(0), more: Condvar::new() });
        let address = ServiceAddress::Unix(folder.join("slow.sock"));
        let server = KeyServer::bind(&address, &Background::default()).expect("a socket");
        let uri = server.address().to_string();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let thread = std::thread::spawn(move || drop(server.serve(keys, None, async { drop(stopped.await) })));
        Self { stop: Some(stop), thread: Some(thread), uri }
    }
}

impl Drop for SlowKeys {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Waiting {
    keyring: Keyring,
    wait: Wait,
    waiting: Mutex<usize>,
    more: Condvar,
}

impl Waiting {
    fn wait(&self, recipient: &Recipient) -> Result<(), KeyError> {
        match self.wait {
            Wait::For(time) => std::thread::sleep(time),
            Wait::Together(many) => {
                let mut waiting = self.waiting.lock().expect("a lock");
                *waiting += 1;
                self.more.notify_all();
                let limit = Duration::from_secs(20);
                let (_held, late) =
                    self.more.wait_timeout_while(waiting, limit, |waiting| *waiting < many).expect("a lock");
                if late.timed_out() {
                    return Err(KeyError::Wrap { recipient: recipient.id() });
                }
            }
        }
        Ok(())
    }
}

impl KeyService for Waiting {
    fn wrap(&self, recipient: &Recipient, share: &SecretBytes) -> Result<String, KeyError> {
        self.wait(recipient)?;
        self.keyring.wrap(recipient, share)
    }

    fn unwrap(&self, wrapped: &WrappedKey) -> Result<Option<SecretBytes>, KeyError> {
        self.wait(&wrapped.recipient)?;
        self.keyring.unwrap(wrapped)
    }
}
