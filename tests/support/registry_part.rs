//! The CNCF registry over TLS with a CA of its own, with Basic or with token authentication.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::ca::Ca;
use super::command::{self, Outcome};
use super::http_client::HttpClient;
use super::image::Artifact;
use super::process::{Process, Program};
use super::push::{self, Pusher};
use super::scratch::Scratch;
use super::token_server::{Grant, ISSUER, SERVICE, TokenServer};
use super::{parts, ports};

pub const ALICE: (&str, &str) = ("alice", "rabbit-hole");
pub const BOB: (&str, &str) = ("bob", "builder");
const PUSHER: (&str, &str) = ("pusher", "uphill");

// bcrypt of the passwords above, at its lowest cost (4).
const HTPASSWD: &str = "\
alice:$2b$04$zDzt2x5RakpD5YxsSVERf.gpT8TwHKxToJDnJd2ssm4uSzxSQdI6u
bob:$2b$04$ggGMnfmaelOTek/WWekDz.iNmDA1Zp9I.zY5wLASr33C6.bLh2N7C
";
const START: Duration = Duration::from_secs(30);

pub struct Registry {
    host: String,
    ca: Ca,
    process: Process,
    tokens: Option<TokenServer>,
    scratch: Scratch,
}

/// A line of the access log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub status: u16,
    pub agent: String,
}

impl Registry {
    /// HTTP Basic: [`ALICE`] and [`BOB`] may do everything, nobody else anything.
    pub fn basic() -> Self {
        Self::start(None)
    }

    /// Bearer tokens: alice pulls `acme/*`, bob `beta/*`, both `shared/*`, everybody `public/*`.
    pub fn token() -> Self {
        let pull = |user, repositories| Grant::new(user, repositories, &["pull"]);
        let mut grants = vec![
            pull("alice", "acme/"),
            pull("bob", "beta/"),
            pull("", "public/"),
        ];
        grants.extend([pull("alice", "shared/"), pull("bob", "shared/")]);
        Self::with_tokens(&[ALICE, BOB], grants)
    }

    /// Bearer tokens for these users (name, password) and grants.
    pub fn with_tokens(users: &[(&str, &str)], mut grants: Vec<Grant>) -> Self {
        let users: Vec<_> = users.iter().copied().chain([PUSHER]).collect();
        grants.push(Grant::new(PUSHER.0, "", &["pull", "push", "delete"]));
        Self::start(Some(TokenServer::start(&users, grants)))
    }

    fn start(tokens: Option<TokenServer>) -> Self {
        let ca = Ca::new("registry");
        let scratch = Scratch::new("registry");
        let host = format!("127.0.0.1:{}", ports::free());
        let me = ca.local_server();
        scratch.write("tls.pem", &me.cert);
        scratch.write("tls.key", &me.key);
        scratch.write("htpasswd", HTPASSWD);
        scratch.write("tokens.pem", tokens.as_ref().map_or("", TokenServer::ca));
        scratch.write(
            "cas.pem",
            format!(
                "{}{}",
                ca.pem(),
                tokens.as_ref().map_or("", TokenServer::ca)
            ),
        );
        let auth = tokens.as_ref().map_or_else(
            || json!({"htpasswd": {"realm": "registry", "path": "htpasswd"}}),
            |server| {
                json!({"token": {"realm": server.realm(), "service": SERVICE, "issuer": ISSUER, "rootcertbundle": "tokens.pem"}})
            },
        );
        // JSON is YAML.
        let config = json!({
            "version": "0.1",
            "log": {"level": "info", "accesslog": {"disabled": false}},
            "storage": {"filesystem": {"rootdirectory": scratch.path().join("data")}, "delete": {"enabled": true}},
            "http": {"addr": host, "relativeurls": true, "secret": "one", "tls": {"certificate": "tls.pem", "key": "tls.key"}},
            "auth": auth,
        });
        scratch.write("config.yaml", config.to_string());
        let process = serve(&scratch, &host, &ca);
        Self {
            host,
            ca,
            process,
            tokens,
            scratch,
        }
    }

    /// `127.0.0.1:port`, as an image names it.
    pub fn host(&self) -> &str {
        &self.host
    }

    pub fn image(&self, rest: &str) -> String {
        format!("{}/{rest}", self.host)
    }

    pub fn ca(&self) -> &str {
        self.ca.pem()
    }

    /// The CAs of the registry and of its token server, in one file.
    pub fn ca_file(&self) -> std::path::PathBuf {
        self.scratch.path().join("cas.pem")
    }

    /// Where its tokens come from, if it wants any.
    pub fn auth_host(&self) -> Option<String> {
        self.tokens.as_ref().map(TokenServer::host)
    }

    /// What a tag means now, as any client would be told.
    pub fn digest(&self, repository: &str, tag: &str) -> String {
        self.pusher(repository).digest(repository, tag)
    }

    pub fn tokens(&self) -> &TokenServer {
        self.tokens.as_ref().expect("a registry with tokens")
    }

    /// The real process, for signals.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    pub fn stop(&mut self) {
        self.process.stop();
    }

    /// Starts again on the same port with the same content.
    pub fn restart(&mut self) {
        self.process.stop();
        self.process = serve(&self.scratch, &self.host, &self.ca);
    }

    /// Pushes by plain HTTP; a tag that was elsewhere moves. Gives the digest.
    pub fn push(&self, repository: &str, artifact: &Artifact, tags: &[&str]) -> String {
        self.pusher(repository).push(repository, artifact, tags)
    }

    /// Deletes a digest and its tags.
    pub fn delete(&self, repository: &str, digest: &str) {
        self.pusher(repository).delete(repository, digest);
    }

    fn pusher(&self, repository: &str) -> Pusher<'_> {
        let client = HttpClient::new(self.ca()).agent(push::AGENT);
        let client = match &self.tokens {
            Some(tokens) => client.bearer(&tokens.mint(PUSHER.0, repository)),
            None => client.basic(ALICE.0, ALICE.1),
        };
        Pusher {
            client,
            host: &self.host,
        }
    }

    /// Pushes with the real crane. Gives the digest that crane printed.
    pub fn crane_push(&self, repository: &str, artifact: &Artifact, tag: &str) -> String {
        let layout = self
            .scratch
            .path()
            .join("layout")
            .join(artifact.digest().replace(':', "-"));
        artifact.write_layout(&layout);
        let (layout, image) = (
            layout.to_string_lossy(),
            self.image(&format!("{repository}:{tag}")),
        );
        let pushed = self.crane(&["push", &layout, &image]).ok();
        pushed
            .trim()
            .rsplit_once('@')
            .expect("a digest")
            .1
            .to_owned()
    }

    /// Runs crane as one who may push.
    pub fn crane(&self, args: &[&str]) -> Outcome {
        let (user, password) = if self.tokens.is_some() { PUSHER } else { ALICE };
        self.scratch
            .write("config.json", self.docker_config(user, password));
        let (folder, cas) = (self.scratch.path(), self.ca_file());
        let env = [
            ("DOCKER_CONFIG", &*folder.to_string_lossy()),
            ("SSL_CERT_FILE", &*cas.to_string_lossy()),
        ];
        command::run(&parts::program("crane"), args, &env, folder, b"")
    }

    /// The `.dockerconfigjson` of a pull secret for this registry.
    pub fn docker_config(&self, user: &str, password: &str) -> String {
        let auth = STANDARD.encode(format!("{user}:{password}"));
        json!({"auths": {self.host(): {"username": user, "password": password, "auth": auth}}})
            .to_string()
    }

    /// What it was asked so far, by anybody but [`Self::push`], crane and the readiness probe.
    pub fn requests(&self) -> Vec<Request> {
        // The registry writes a line after it has answered: twice the same number is the end of it.
        let mut seen = parse(&self.process.log());
        loop {
            std::thread::sleep(Duration::from_millis(50));
            let now = parse(&self.process.log());
            if now.len() == seen.len() {
                return now;
            }
            seen = now;
        }
    }
}

fn serve(scratch: &Scratch, host: &str, ca: &Ca) -> Process {
    let program = Program::new("registry", parts::program("registry"));
    let program = program
        .args(["serve", "config.yaml"])
        .env("OTEL_TRACES_EXPORTER", "none")
        .grace(Duration::from_secs(1));
    let mut process = program.start(scratch.path());
    let client = HttpClient::new(ca.pem()).agent(push::AGENT);
    process.ready(START, |_| push::answers(&client, host).then_some(()));
    process
}

// 127.0.0.1 - - [21/Nov/2026:08:00:00 +0000] "HEAD /v2/acme/app/manifests/dev HTTP/1.1" 200 123 "" "agent"
fn parse(log: &str) -> Vec<Request> {
    let requests = log.lines().filter_map(|line| {
        let mut quoted = line.split('"');
        let (_, request, status) = (quoted.next()?, quoted.next()?, quoted.next()?);
        let mut request = request.split(' ');
        let agent = quoted.nth(2)?;
        let (method, path) = (request.next()?.to_owned(), request.next()?.to_owned());
        let status = status.split_whitespace().next()?.parse().ok()?;
        path.starts_with("/v2").then(|| Request {
            method,
            path,
            status,
            agent: agent.to_owned(),
        })
    });
    requests
        .filter(|request| request.agent != push::AGENT && !request.agent.starts_with("crane/"))
        .collect()
}
