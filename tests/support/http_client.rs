//! A blocking HTTPS client, one connection a request, for what the tests ask of the parts.

use std::fmt::Write as _;
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::ca::{Identity, certificates};

const TIMEOUT: Duration = Duration::from_secs(40);

#[derive(Clone)]
pub struct HttpClient {
    /// None: plain HTTP.
    tls: Option<Arc<ClientConfig>>,
    authorization: Option<String>,
    agent: &'static str,
    /// Where to connect, unless it is where the host's name leads.
    address: Option<String>,
}

#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl HttpClient {
    /// Trusts only this CA.
    pub fn new(ca: &str) -> Self {
        let tls = builder(ca).with_no_client_auth();
        Self {
            tls: Some(Arc::new(tls)),
            authorization: None,
            agent: "cotter-tests",
            address: None,
        }
    }

    /// Speaks plain HTTP.
    pub fn plain() -> Self {
        Self {
            tls: None,
            authorization: None,
            agent: "cotter-tests",
            address: None,
        }
    }

    /// The same with a client certificate.
    pub fn with_identity(ca: &str, me: &Identity) -> Self {
        let tls = builder(ca)
            .with_client_auth_cert(me.chain(), me.private_key())
            .expect("a client certificate");
        Self {
            tls: Some(Arc::new(tls)),
            authorization: None,
            agent: "cotter-tests",
            address: None,
        }
    }

    /// Calls itself so in the registry's log.
    pub fn agent(mut self, name: &'static str) -> Self {
        self.agent = name;
        self
    }

    /// Connects to this address, whatever the host is called.
    pub fn at(mut self, address: &str) -> Self {
        self.address = Some(address.to_owned());
        self
    }

    pub fn basic(mut self, user: &str, password: &str) -> Self {
        self.authorization = Some(format!(
            "Basic {}",
            STANDARD.encode(format!("{user}:{password}"))
        ));
        self
    }

    pub fn bearer(mut self, token: &str) -> Self {
        self.authorization = Some(format!("Bearer {token}"));
        self
    }

    pub fn get(&self, host: &str, path: &str) -> io::Result<Reply> {
        self.send("GET", host, path, &[], b"")
    }

    /// `host` is `name:port`.
    pub fn send(
        &self,
        method: &str,
        host: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> io::Result<Reply> {
        let name = host
            .rsplit_once(':')
            .map_or(host, |(name, _)| name)
            .to_owned();
        let name = ServerName::try_from(name).map_err(io::Error::other)?;
        let tcp = TcpStream::connect(self.address.as_deref().unwrap_or(host))?;
        tcp.set_nodelay(true)?;
        tcp.set_read_timeout(Some(TIMEOUT))?;
        tcp.set_write_timeout(Some(TIMEOUT))?;
        let head = self.head(method, host, path, headers, body.len());
        let request = [head.as_bytes(), body].concat();
        match &self.tls {
            None => exchange(tcp, &request),
            Some(tls) => {
                let tls = ClientConnection::new(Arc::clone(tls), name).map_err(io::Error::other)?;
                exchange(StreamOwned::new(tls, tcp), &request)
            }
        }
    }

    // HTTP/1.0: the answer comes without chunks and ends with the connection.
    fn head(
        &self,
        method: &str,
        host: &str,
        path: &str,
        headers: &[(&str, &str)],
        length: usize,
    ) -> String {
        let agent = self.agent;
        let mut head = format!(
            "{method} {path} HTTP/1.0\r\nHost: {host}\r\nUser-Agent: {agent}\r\nContent-Length: {length}\r\n"
        );
        let authorization = self
            .authorization
            .iter()
            .map(|value| ("Authorization", value.as_str()));
        for (name, value) in headers.iter().copied().chain(authorization) {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        head.push_str("\r\n");
        head
    }
}

fn exchange(mut stream: impl Read + Write, request: &[u8]) -> io::Result<Reply> {
    stream.write_all(request)?;
    stream.flush()?;
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        // Closed without the TLS goodbye: some servers do.
        Err(e) if e.kind() == ErrorKind::UnexpectedEof => {}
        read => drop(read?),
    }
    Reply::parse(&answer)
}

impl Reply {
    fn parse(answer: &[u8]) -> io::Result<Self> {
        let cut = || io::Error::new(ErrorKind::UnexpectedEof, "the answer is cut");
        let end = answer
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .ok_or_else(cut)?;
        let head = String::from_utf8_lossy(&answer[..end]);
        let mut lines = head.split("\r\n");
        let status = lines
            .next()
            .and_then(|line| line.split(' ').nth(1))
            .and_then(|code| code.parse().ok())
            .ok_or_else(cut)?;
        let headers = lines.filter_map(|line| line.split_once(':'));
        let headers = headers
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        Ok(Self {
            status,
            headers,
            body: answer[end + 4..].to_vec(),
        })
    }

    /// The header of this name, which is given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// All headers of this name, which is given in lower case.
    pub fn headers(&self, name: &str) -> Vec<String> {
        let named = self.headers.iter().filter(|(known, _)| known == name);
        named.map(|(_, value)| value.clone()).collect()
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }
}

fn builder(ca: &str) -> rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(ca) {
        roots.add(certificate).expect("a CA");
    }
    ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("TLS versions")
        .with_root_certificates(roots)
}
