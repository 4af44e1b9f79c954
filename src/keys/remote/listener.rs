//! The socket on which a key service is offered.

use std::fs;
use std::io;
use std::net::ToSocketAddrs as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use futures_util::stream::{self, Stream, StreamExt as _};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

use super::ServiceAddress;

/// A bound socket; one in the file system goes away with it.
pub(super) enum Listener {
    Unix(UnixListener, SocketFile),
    Tcp(TcpListener),
}

/// Removes the socket file at the end, if it is still the one that was made here.
pub(super) struct SocketFile {
    path: PathBuf,
    identity: Option<(u64, u64)>,
}

impl Listener {
    /// Binds; must run on the runtime that will serve.
    pub(super) fn bind(address: &ServiceAddress) -> io::Result<Self> {
        match address {
            ServiceAddress::Unix(path) => {
                clear_stale(path)?;
                let listener = UnixListener::bind(path)?;
                let file = SocketFile { path: path.clone(), identity: identity(path) };
                // Nobody but the owner may ask; the data keys pass in clear.
                fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
                Ok(Self::Unix(listener, file))
            }
            ServiceAddress::Tcp(host) => {
                let found = host.to_socket_addrs()?.next().ok_or(io::ErrorKind::AddrNotAvailable)?;
                let listener = std::net::TcpListener::bind(found)?;
                listener.set_nonblocking(true)?;
                Ok(Self::Tcp(TcpListener::from_std(listener)?))
            }
        }
    }

    /// Where it is bound, with the port that the system chose where none was asked for.
    pub(super) fn address(&self) -> io::Result<ServiceAddress> {
        match self {
            Self::Unix(_, file) => Ok(ServiceAddress::Unix(file.path.clone())),
            Self::Tcp(listener) => Ok(ServiceAddress::Tcp(listener.local_addr()?.to_string())),
        }
    }
}

/// The connections that come in.
pub(super) fn unix(listener: UnixListener) -> impl Stream<Item = io::Result<UnixStream>> {
    stream::unfold(listener, |listener| async {
        let came = listener.accept().await.map(|(stream, _)| stream);
        Some((came, listener))
    })
    .boxed()
}

/// The connections that come in.
pub(super) fn tcp(listener: TcpListener) -> impl Stream<Item = io::Result<TcpStream>> {
    stream::unfold(listener, |listener| async {
        let came = listener.accept().await.map(|(stream, _)| stream);
        Some((came, listener))
    })
    .boxed()
}

/// A socket whose owner was killed stands in the way of the next one; one that answers is left alone.
fn clear_stale(path: &Path) -> io::Result<()> {
    let Ok(found) = fs::symlink_metadata(path) else { return Ok(()) };
    let refused = |error: io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
    if found.file_type().is_socket() && std::os::unix::net::UnixStream::connect(path).is_err_and(refused) {
        fs::remove_file(path)?;
    }
    Ok(())
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::symlink_metadata(path).ok().map(|found| (found.dev(), found.ino()))
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if self.identity.is_some() && identity(&self.path) == self.identity {
            let _ = fs::remove_file(&self.path);
        }
    }
}
