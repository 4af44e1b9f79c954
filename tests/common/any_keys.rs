//! A key service on a socket that works with keys of every kind, and notes what it is asked.

use std::path::Path;
use std::sync::{Arc, Mutex};

use lockage::keys::{KeyError, KeyServer, KeyService, Recipient, ServiceAddress, WrappedKey};
use lockage::secret::SecretBytes;
use lockage::system::background::Background;

/// What it is asked: the operation, and the word of the key's kind.
pub type Asked = (&'static str, &'static str);

/// The service; it ends when it is dropped.
pub struct AnyKeys {
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
    asked: Arc<Mutex<Vec<Asked>>>,
    /// `unix:///…`.
    pub uri: String,
}

impl AnyKeys {
    /// Serves on a socket in `folder`.
    pub fn start(folder: &Path) -> Self {
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let keys = Arc::new(Noting(Arc::clone(&asked)));
        let address = ServiceAddress::Unix(folder.join("any.sock"));
        let server = KeyServer::bind(&address, &Background::default()).expect("a socket");
        let uri = server.address().to_string();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let thread = std::thread::spawn(move || drop(server.serve(keys, None, async { drop(stopped.await) })));
        Self { stop: Some(stop), thread: Some(thread), asked, uri }
    }

    /// What it was asked since the last time.
    pub fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut *self.asked.lock().expect("a lock"))
    }
}

impl Drop for AnyKeys {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Noting(Arc<Mutex<Vec<Asked>>>);

impl Noting {
    fn note(&self, operation: &'static str, recipient: &Recipient) {
        self.0.lock().expect("a lock").push((operation, recipient.type_word()));
    }
}

impl KeyService for Noting {
    fn wrap(&self, recipient: &Recipient, share: &SecretBytes) -> Result<String, KeyError> {
        self.note("wrap", recipient);
        Ok(share.expose_secret().iter().map(|byte| format!("{:02x}", byte ^ 0x5a)).collect())
    }

    fn unwrap(&self, wrapped: &WrappedKey) -> Result<Option<SecretBytes>, KeyError> {
        self.note("unwrap", &wrapped.recipient);
        let digits = wrapped.enc.as_bytes().chunks(2);
        let bytes =
            digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok().map(|byte| byte ^ 0x5a));
        Ok(bytes.collect::<Option<Vec<u8>>>().map(SecretBytes::new))
    }
}
