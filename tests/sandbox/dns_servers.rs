//! BIND and Knot from the system's packages, each with a zone of its own on a free loopback port.

use std::net::{TcpListener, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::common::peer;

/// The secret of the key `deploy`, as base64.
pub(crate) const SECRET: &str = "Q0FOQVJZLWhlcm9uLUNBTkFSWS1oZXJvbi0zMmJ5dGVz";

const ZONE: &str = "$ORIGIN example.org.\n$TTL 300\n\
    @ SOA ns1 hostmaster 1 3600 600 86400 60\n@ NS ns1\n@ NS ns2\nns1 A 127.0.0.1\nns2 A 127.0.0.2\n\
    old A 192.0.2.1\nwww CNAME old\n";

/// A running server; ended when dropped.
pub(crate) struct NameServer {
    pub(crate) address: String,
    child: Child,
    _folder: TempDir,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    Bind,
    Knot,
}

pub(crate) const KINDS: [Kind; 2] = [Kind::Bind, Kind::Knot];

impl NameServer {
    /// A primary of `example.org` that takes updates signed with `deploy`; tells `secondary` of each change.
    pub(crate) async fn primary(kind: Kind, secondary: Option<u16>) -> Option<Self> {
        match kind {
            Kind::Bind => {
                let also = secondary.map_or(String::new(), |port| format!("also-notify {{ 127.0.0.1 port {port}; }};"));
                Self::bind(free_port(), &format!(
                    "type primary; file \"zone\"; notify explicit; notify-delay 0; allow-transfer {{ any; }}; {also}\n\
                     update-policy {{ grant deploy zonesub A AAAA CNAME TXT; }};"
                )).await
            }
            Kind::Knot => Self::knot().await,
        }
    }

    /// A BIND server on `port` with this `zone` clause.
    pub(crate) async fn bind(port: u16, zone: &str) -> Option<Self> {
        Self::bind_at("127.0.0.1", port, zone).await
    }

    /// The same at another address of this machine.
    pub(crate) async fn bind_at(ip: &str, port: u16, zone: &str) -> Option<Self> {
        let named = peer("named")?;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().display();
        let config = format!(
            "options {{ directory \"{path}\"; listen-on port {port} {{ {ip}; }}; listen-on-v6 {{ none; }};\n\
             pid-file \"{path}/pid\"; session-keyfile \"{path}/session.key\"; recursion no; dnssec-validation no;\n\
             allow-notify {{ any; }}; }};\n\
             controls {{ }};\nkey deploy {{ algorithm hmac-sha256; secret \"{SECRET}\"; }};\n\
             zone \"example.org\" {{ {zone} }};\n"
        );
        std::fs::write(folder.path().join("zone"), ZONE).unwrap();
        std::fs::write(folder.path().join("named.conf"), config).unwrap();
        let mut command = Command::new(named);
        command.arg("-g").arg("-c").arg(folder.path().join("named.conf"));
        Some(Self::start(command, folder, ip, port).await)
    }

    async fn knot() -> Option<Self> {
        let knotd = peer("knotd")?;
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let path = folder.path().display();
        let config = format!(
            "server:\n  listen: 127.0.0.1@{port}\n  rundir: {path}\n\
             key:\n  - id: deploy\n    algorithm: hmac-sha256\n    secret: {SECRET}\n\
             acl:\n  - id: deploy\n    key: deploy\n    action: [update, transfer]\n\
             database:\n  storage: {path}\n\
             zone:\n  - domain: example.org\n    storage: {path}\n    file: zone\n    acl: deploy\n    zonefile-load: difference\n"
        );
        std::fs::write(folder.path().join("zone"), ZONE).unwrap();
        std::fs::write(folder.path().join("knot.conf"), config).unwrap();
        let mut command = Command::new(knotd);
        command.arg("-c").arg(folder.path().join("knot.conf"));
        Some(Self::start(command, folder, "127.0.0.1", port).await)
    }

    async fn start(mut command: Command, folder: TempDir, ip: &str, port: u16) -> Self {
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        command.current_dir(folder.path()).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let mut server = Self { address: format!("{ip}:{port}"), child: command.spawn().unwrap(), _folder: folder };
        for _ in 0..1000 {
            if serves(ip, port) {
                return server;
            }
            if let Some(status) = server.child.try_wait().unwrap() {
                panic!("the server ended with {status}: {}", log_of(server._folder.path()));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the server does not answer: {}", log_of(server._folder.path()));
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that is free for UDP and TCP.
pub(crate) fn free_port() -> u16 {
    loop {
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = tcp.local_addr().unwrap().port();
        if UdpSocket::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// Whether the zone is loaded: the SOA record is answered with NOERROR.
fn serves(ip: &str, port: u16) -> bool {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    socket.connect((ip, port)).unwrap();
    let question = b"\x12\x34\0\0\0\x01\0\0\0\0\0\0\x07example\x03org\0\0\x06\0\x01";
    let mut answer = [0; 512];
    let count = socket.send(question).and_then(|_| socket.recv(&mut answer)).unwrap_or(0);
    count > 12 && answer[3] & 15 == 0 && answer[7] > 0
}

fn log_of(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("log")).unwrap_or_default()
}
