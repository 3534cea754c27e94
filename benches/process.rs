//! The servers under measurement: cotter and the echo, each a process of its own, ended when dropped.

use std::{
    env,
    ffi::OsStr,
    fmt::Write as _,
    fs,
    io::{Read, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, bail, ensure};
use rustls::{ClientConfig, ClientConnection, pki_types::ServerName};
use tempfile::TempDir;

use crate::{
    load::Target,
    manifests,
    reviews::NAMESPACE,
    support::{ca::Ca, oci_registry::OciRegistry},
    tls,
};

/// The hidden argument that makes this program the echo.
pub(crate) const ECHO: &str = "--echo";

/// 10,000 pull secrets are read before cotter is ready.
const PATIENCE: Duration = Duration::from_mins(1);

const POLL: Duration = Duration::from_millis(1);

// Far less than the second after which TCP asks again: it would be part of the figure.
const CONNECT: Duration = Duration::from_millis(100);

/// How much of a server's log is kept for the message about its end.
const LOG_TAIL: usize = 4 << 10;

/// A running server.
pub(crate) struct Server {
    child: Child,
    address: SocketAddr,
    ca: String,
    tls: Arc<ClientConfig>,
    pub(crate) started: Started,
}

/// Times since exec.
#[derive(Clone, Copy)]
pub(crate) struct Started {
    /// Until the server said that it was ready.
    pub(crate) said: Duration,
    /// Until it also completed a TLS handshake: a server that says so too early gains nothing.
    pub(crate) ready: Duration,
}

/// The folder of one cotter: its certificates, its configuration, its pull secrets.
pub(crate) struct Home {
    dir: TempDir,
}

impl Home {
    /// With these registries in its configuration, and a pull secret for each.
    pub(crate) fn new(registries: &[OciRegistry]) -> Result<Self> {
        let home = Self {
            dir: tempfile::tempdir()?,
        };
        for folder in ["secrets", "certs"] {
            fs::create_dir(home.path().join(folder))?;
        }
        let mut config = "registries:\n".to_owned();
        for (n, registry) in registries.iter().enumerate() {
            let (host, ca) = (
                registry.host(),
                home.path().join(format!("registry-{n}.pem")),
            );
            fs::write(&ca, registry.ca_pem())?;
            let ca = ca.display();
            writeln!(
                config,
                r#"- {{ host: "{host}", caFile: "{ca}", allowPrivate: true }}"#
            )?;
            let secret = manifests::pull_secret(NAMESPACE, &format!("registry-{n}"), &host);
            home.add_secrets(&format!("registry-{n}.yaml"), &secret)?;
        }
        if registries.is_empty() {
            config.clear();
        }
        fs::write(home.path().join("cotter.yaml"), config)?;
        Ok(home)
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Writes a manifest of pull secrets.
    pub(crate) fn add_secrets(&self, file: &str, manifest: &str) -> Result<()> {
        Ok(fs::write(self.path().join("secrets").join(file), manifest)?)
    }

    /// All manifests of pull secrets.
    pub(crate) fn secrets(&self) -> Result<String> {
        let files = fs::read_dir(self.path().join("secrets"))?;
        let texts = files.map(|file| Ok(fs::read_to_string(file?.path())?));
        texts.collect()
    }

    /// Starts cotter without a cluster and returns when it is ready.
    pub(crate) fn start(&self) -> Result<Server> {
        let secrets = self.path().join("secrets");
        self.start_for(&[
            "--standalone".as_ref(),
            "--pull-secrets".as_ref(),
            secrets.as_ref(),
        ])
    }

    /// Starts cotter with a cluster and returns when it is ready.
    pub(crate) fn start_with(&self, kubeconfig: &Path) -> Result<Server> {
        self.start_for(&["--kubeconfig".as_ref(), kubeconfig.as_ref()])
    }

    /// Starts the cotter that looks after `Registry` objects, and returns when it is ready.
    pub(crate) fn start_leading(&self, kubeconfig: &Path, namespace: &str) -> Result<Server> {
        self.start_for(&[
            "--kubeconfig".as_ref(),
            kubeconfig.as_ref(),
            "--registries".as_ref(),
            "--namespace".as_ref(),
            namespace.as_ref(),
        ])
    }

    fn start_for(&self, source: &[&OsStr]) -> Result<Server> {
        let (address, ops) = (free_address()?, free_address()?);
        let mut command = Command::new(env!("CARGO_BIN_EXE_cotter"));
        let certs = self.path().join("certs");
        command
            .arg("serve")
            .args(source)
            .arg("--listen")
            .arg(address.to_string())
            .arg("--ops")
            .arg(ops.to_string())
            .arg("--config")
            .arg(self.path().join("cotter.yaml"))
            .arg("--certs-dir")
            .arg(&certs);
        let ca = certs.join("ca.pem");
        Server::start(command, address, &ca, || is_ready(ops))
    }
}

/// Starts the echo.
pub(crate) fn start_echo(dir: &Path) -> Result<Server> {
    start_echo_of(dir, "")
}

/// Starts the echo with a patch for its path `/patch`.
pub(crate) fn start_echo_of(dir: &Path, patch: &str) -> Result<Server> {
    let authority = Ca::new("the echo's CA");
    let identity = authority.local_server();
    let write = |name: &str, text: &str| -> Result<PathBuf> {
        let file = dir.join(name);
        fs::write(&file, text)?;
        Ok(file)
    };
    let address = free_address()?;
    let mut command = Command::new(env::current_exe()?);
    command
        .arg(ECHO)
        .arg(address.to_string())
        .arg(write("echo.pem", &identity.cert)?)
        .arg(write("echo.key", &identity.key)?)
        .arg(write("echo.patch", patch)?);
    let ca = write("echo-ca.pem", authority.pem())?;
    Server::start(command, address, &ca, || {
        TcpStream::connect(address).is_ok()
    })
}

impl Server {
    fn start(
        mut command: Command,
        address: SocketAddr,
        ca: &Path,
        is_ready: impl Fn() -> bool,
    ) -> Result<Self> {
        // A proxy or a COTTER_ variable of this shell is not what is measured.
        command.env_clear().stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let start = Instant::now();
        let mut child = command.spawn()?;
        let log = Arc::new(Mutex::new(Vec::new()));
        drain(child.stdout.take(), &log);
        drain(child.stderr.take(), &log);
        while !is_ready() {
            if let Some(status) = child.try_wait()? {
                bail!("the server ended with {status}: {}", tail(&log));
            }
            if start.elapsed() > PATIENCE {
                child.kill()?;
                child.wait()?;
                bail!("the server is not ready after {PATIENCE:?}: {}", tail(&log));
            }
            thread::sleep(POLL);
        }
        let said = start.elapsed();
        // From here on, dropping it ends the process.
        let mut server = Self {
            child,
            address,
            ca: fs::read_to_string(ca).unwrap_or_default(),
            tls: tls::client("")?,
            started: Started { said, ready: said },
        };
        while server.shake_hands(ca).is_err() {
            ensure!(
                start.elapsed() < PATIENCE,
                "no TLS handshake: {}",
                tail(&log)
            );
            thread::sleep(POLL);
        }
        server.started.ready = start.elapsed();
        Ok(server)
    }

    fn shake_hands(&mut self, ca: &Path) -> Result<()> {
        self.ca = fs::read_to_string(ca)?;
        self.tls = tls::client(&self.ca)?;
        let mut tcp = TcpStream::connect(self.address)?;
        tcp.set_read_timeout(Some(Duration::from_secs(1)))?;
        let name = ServerName::from(self.address.ip());
        let mut tls = ClientConnection::new(Arc::clone(&self.tls), name)?;
        while tls.is_handshaking() {
            tls.complete_io(&mut tcp)?;
        }
        Ok(())
    }

    /// Where its reviews go.
    pub(crate) fn target(&self, path: &str) -> Target {
        Target {
            address: self.address,
            path: format!("{path}?timeout=10s"),
            tls: Arc::clone(&self.tls),
        }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whose certificate it shows, PEM.
    pub(crate) fn ca(&self) -> &str {
        &self.ca
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _killed = self.child.kill();
        let _waited = self.child.wait();
    }
}

/// Reads what a server writes, as whoever collects its log does, and keeps the end.
fn drain(pipe: Option<impl Read + Send + 'static>, log: &Arc<Mutex<Vec<u8>>>) {
    let Some(mut pipe) = pipe else { return };
    let log = Arc::clone(log);
    thread::spawn(move || {
        let mut buffer = vec![0; 64 << 10];
        while let Ok(read @ 1..) = pipe.read(&mut buffer) {
            let (Ok(mut log), Some(new)) = (log.lock(), buffer.get(..read)) else {
                return;
            };
            log.extend_from_slice(new);
            let surplus = log.len().saturating_sub(LOG_TAIL);
            log.drain(..surplus);
        }
    });
}

fn tail(log: &Mutex<Vec<u8>>) -> String {
    // The last lines may still be on their way.
    thread::sleep(Duration::from_millis(100));
    let text = log
        .lock()
        .map(|log| String::from_utf8_lossy(&log).into_owned());
    text.unwrap_or_default()
}

/// Whether `/readyz` at this address says so.
pub(crate) fn is_ready(ops: SocketAddr) -> bool {
    let ask = || -> Result<()> {
        let mut tcp = TcpStream::connect_timeout(&ops, CONNECT)?;
        tcp.set_read_timeout(Some(Duration::from_secs(1)))?;
        let request = format!("GET /readyz HTTP/1.1\r\nHost: {ops}\r\nConnection: close\r\n\r\n");
        tcp.write_all(request.as_bytes())?;
        let mut answer = [0; 12];
        tcp.read_exact(&mut answer)?;
        ensure!(&answer == b"HTTP/1.1 200", "not ready");
        Ok(())
    };
    ask().is_ok()
}

/// An address that is free now; nobody else is expected to take it in the millisecond until it is used.
fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}
