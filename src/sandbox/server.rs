//! The serving process: everything that listens, around one state.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::Notify;

use super::authority::Authority;
use super::dns::{NameServer, tsig_key};
use super::endpoint::{Endpoint, POLL, TSIG_NAME};
use super::error::SandboxError;
use super::rate::Bucket;
use super::requests::{LoggedRequest, RequestLog};
use super::state::{State, hex};
use super::store::Store;
use super::vault::Vault;
use super::{http, https};
use crate::secret::SecretString;

/// The time, given by the caller.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How often the server looks whether its world is still there, and after how many quiet looks it goes home.
const LOOK_EVERY: Duration = Duration::from_secs(2);
const QUIET_LOOKS: u32 = 900;

/// What all listeners share.
pub(super) struct Shared {
    pub(super) vault: Vault,
    pub(super) authority: Authority,
    pub(super) endpoint: Endpoint,
    pub(super) clock: Clock,
    pub(super) stop: Notify,
    inner: Mutex<Inner>,
    bucket: Mutex<Bucket>,
}

/// A request as the log has it, but for its answer.
pub(super) struct Asked<'a> {
    pub(super) service: &'static str,
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    /// The outermost names of the body.
    pub(super) names: Vec<String>,
}

struct Inner {
    state: State,
    store: Store,
    requests: RequestLog,
    answered: u64,
}

impl Shared {
    /// Lets `change` work on the state, and makes the result durable before it is given back.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> Result<T, SandboxError> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let Inner { state, store, answered, .. } = &mut *inner;
        *answered += 1;
        let before = state.clone();
        let result = change(state);
        if let Err(error) = store.keep(state) {
            // What is not on the disk has not happened.
            *state = before;
            return Err(error);
        }
        Ok(result)
    }

    /// Lets `look` see the state.
    pub(super) fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.answered += 1;
        look(&inner.state)
    }

    /// The same for a request of a client, which is in the log that tests read when its answer leaves, and only then.
    /// `change` gives the status of the answer as well.
    pub(super) fn serve<T>(
        &self,
        request: Asked<'_>,
        change: impl FnOnce(&mut State) -> (T, Option<String>),
    ) -> Result<T, SandboxError> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let Inner { state, store, requests, answered } = &mut *inner;
        *answered += 1;
        let before = state.clone();
        let (result, status) = change(state);
        let Asked { service, method, path, names } = request;
        let (service, method, path) = (service.to_owned(), method.to_owned(), path.to_owned());
        let line = LoggedRequest { service, method, path, names, status, at: (self.clock)() };
        let kept = requests.add(&line).and_then(|()| store.keep(state).inspect_err(|_| requests.take_back()));
        if let Err(error) = kept {
            *state = before;
            return Err(error);
        }
        Ok(result)
    }

    /// The account's requests: what is left of them now.
    pub(super) fn bucket(&self) -> MutexGuard<'_, Bucket> {
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An id for one answer, as the vendor puts it on each.
    pub(super) fn request_id(&self) -> String {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.state.id_of(&format!("request {}", inner.answered))
    }

    fn answered(&self) -> u64 {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).answered
    }
}

/// A world with all its listeners open.
pub struct Server {
    dir: PathBuf,
    shared: Arc<Shared>,
    heroku: TcpListener,
    https: TcpListener,
    dns: Vec<(UdpSocket, TcpListener)>,
    /// Held for as long as the world is served.
    _serving: File,
}

impl Server {
    /// Opens the world in `dir` and listens, on the ports it had before where they are free.
    ///
    /// # Errors
    /// When there is no world, another process serves it, or nothing can listen.
    pub async fn bind(dir: &Path, clock: Clock) -> Result<Self, SandboxError> {
        if !super::World::exists(dir) {
            return Err(SandboxError::NoWorld { dir: dir.to_owned() });
        }
        let serving = serving_lock(dir)?;
        serving.try_lock().map_err(|_| SandboxError::Served { dir: dir.to_owned() })?;
        let vault = Vault::open_key(&dir.join("key"))?;
        let authority = Authority::open(dir, &vault)?;
        let (store, state) = Store::open(dir)?;
        let before = Endpoint::read(dir).ok().flatten();
        // Until everything listens nobody shall look for this process where the last one was.
        match std::fs::remove_file(Endpoint::path(dir)) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                return Err(SandboxError::file(&Endpoint::path(dir), source));
            }
            _ => {}
        }

        let heroku = listen(before.as_ref().and_then(Endpoint::heroku_port)).await?;
        let https = listen(before.as_ref().map(|endpoint| endpoint.https.port())).await?;
        let mut dns = Vec::new();
        for number in 0..2 {
            dns.push(listen_both(before.as_ref().map(|endpoint| endpoint.dns[number].port())).await?);
        }
        let address = |listener: &TcpListener| listener.local_addr().map_err(|source| SandboxError::Listen { source });
        let token = |purpose: &str| SecretString::new(hex(&vault.derive(purpose)));
        let endpoint = Endpoint {
            world: state.about.id.clone(),
            pid: std::process::id(),
            heroku_url: format!("http://{}", address(&heroku)?),
            heroku_token: token("account"),
            admin_token: token("administration"),
            dns: [address(&dns[0].1)?, address(&dns[1].1)?],
            tsig_name: TSIG_NAME.to_owned(),
            tsig_secret: tsig_key(&vault),
            https: address(&https)?,
            authority: dir.join("authority.pem"),
            poll: POLL,
        };
        let inner = Mutex::new(Inner { state, store, requests: RequestLog::open(dir)?, answered: 0 });
        let bucket = Mutex::new(Bucket::full(clock()));
        let shared = Arc::new(Shared { vault, authority, endpoint, clock, stop: Notify::new(), inner, bucket });
        shared.endpoint.write(dir)?;
        Ok(Self { dir: dir.to_owned(), shared, heroku, https, dns, _serving: serving })
    }

    /// Where it is reached.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.shared.endpoint
    }

    /// Answers until it is told to stop, its world is gone, or half an hour long nobody asked anything.
    ///
    /// # Errors
    /// When a listener cannot be set up.
    pub async fn run(self) -> Result<(), SandboxError> {
        let mut tasks = tokio::task::JoinSet::new();
        for (number, (udp, tcp)) in self.dns.into_iter().enumerate() {
            let server = Arc::new(NameServer::new(Arc::clone(&self.shared), number)?);
            tasks.spawn(Arc::clone(&server).serve_udp(udp));
            tasks.spawn(server.serve_tcp(tcp));
        }
        tasks.spawn(https::serve(https::config(&self.shared)?, Arc::clone(&self.shared), self.https));
        tasks.spawn(http::serve(Arc::clone(&self.shared), self.heroku));
        tokio::select! {
            () = self.shared.stop.notified() => {
                // The answer to the request that stops is still on its way.
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            () = watch(&self.dir, &self.shared) => {}
        }
        Ok(())
    }
}

/// Ends when the world is gone or quiet.
async fn watch(dir: &Path, shared: &Shared) {
    let mut quiet = 0;
    let mut answered = shared.answered();
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        quiet = if shared.answered() == answered { quiet + 1 } else { 0 };
        answered = shared.answered();
        if quiet > QUIET_LOOKS || !Endpoint::path(dir).exists() {
            return;
        }
    }
}

/// The lock that a serving process holds.
pub(super) fn serving_lock(dir: &Path) -> Result<File, SandboxError> {
    let path = dir.join("serving.lock");
    File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|source| SandboxError::file(&path, source))
}

/// A listener on this port, or where it is taken on any.
async fn listen(port: Option<u16>) -> Result<TcpListener, SandboxError> {
    if let Some(port) = port
        && let Ok(listener) = TcpListener::bind(loopback(port)).await
    {
        return Ok(listener);
    }
    TcpListener::bind(loopback(0)).await.map_err(|source| SandboxError::Listen { source })
}

/// The same port for UDP and TCP: name servers have one address.
async fn listen_both(port: Option<u16>) -> Result<(UdpSocket, TcpListener), SandboxError> {
    const TRIES: usize = 20;
    let mut port = port;
    let mut last = None;
    for _ in 0..TRIES {
        let tcp = listen(port.take()).await?;
        let address = tcp.local_addr().map_err(|source| SandboxError::Listen { source })?;
        match UdpSocket::bind(address).await {
            Ok(udp) => return Ok((udp, tcp)),
            Err(error) => last = Some(error),
        }
    }
    let source = last.unwrap_or_else(|| std::io::Error::from(std::io::ErrorKind::AddrInUse));
    Err(SandboxError::Listen { source })
}

const fn loopback(port: u16) -> SocketAddr {
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}
