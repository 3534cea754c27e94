//! The lab's registry: the CNCF registry behind a front that speaks TLS, gives tokens, and can be slow.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::super::ca::Ca;
use super::super::command::{self, Outcome};
use super::super::http_client::HttpClient;
use super::super::https_server::HttpsServer;
use super::super::image::{Artifact, Image};
use super::super::process::{Process, Program};
use super::super::push::{self, Pusher};
use super::super::scratch::Scratch;
use super::super::token_server::{Grant, ISSUER, SERVICE, TokenServer};
use super::super::{parts, ports};
use super::ADDRESS;
use super::behind::Behind;

const PORT: u16 = 5000;
const START: Duration = Duration::from_secs(30);

pub const ALICE: (&str, &str) = ("alice", "rabbit-hole");
pub const BOB: (&str, &str) = ("bob", "builder");
/// May pull and push everything.
pub const ADMIN: (&str, &str) = ("admin", "uphill");
/// For whom the servers before it ask, once they have seen a login: no password is its.
pub(super) const PULLER: &str = "puller";

pub struct LabRegistry {
    host: String,
    front: HttpsServer,
    pub(super) behind: Behind,
    process: Process,
    pub(super) tokens: Arc<TokenServer>,
    pub(super) ca: Ca,
    scratch: Scratch,
}

impl LabRegistry {
    /// Alice pulls `bytequester/*` and `acme/*`, bob `beta/*`, both `shared/*`, everybody `public/*`.
    pub fn start() -> Self {
        let pull = |user, repositories| Grant::new(user, repositories, &["pull"]);
        let grants = vec![
            pull("alice", "bytequester/"),
            pull("alice", "acme/"),
            pull("bob", "beta/"),
            pull("alice", "shared/"),
            pull("bob", "shared/"),
            pull("", "public/"),
            pull(PULLER, ""),
            Grant::new(ADMIN.0, "", &["pull", "push", "delete"]),
        ];
        let tokens = TokenServer::start(&[ALICE, BOB, ADMIN], grants);
        let scratch = Scratch::new("registry");
        let host = format!("127.0.0.1:{}", ports::free());
        let process = serve(&scratch, &host, &tokens);
        let (ca, behind) = (Ca::new("lab registry"), Behind::new(host));
        let pass =
            |State(behind): State<Behind>, request| async move { behind.pass(request).await };
        let router = Router::new().fallback(pass).with_state(behind.clone());
        let router = tokens.router().merge(router);
        let me = ca.server(&[&ADDRESS.to_string()]);
        let front = HttpsServer::start_at(SocketAddr::from((ADDRESS, PORT)), &me, router);
        scratch.write("ca.pem", ca.pem());
        Self {
            host: front.address().to_string(),
            front,
            behind,
            process,
            tokens: Arc::new(tokens),
            ca,
            scratch,
        }
    }

    /// As an image names it.
    pub fn host(&self) -> &str {
        &self.host
    }

    pub fn image(&self, rest: &str) -> String {
        format!("{}/{rest}", self.host())
    }

    pub fn ca(&self) -> &str {
        self.ca.pem()
    }

    /// Every answer is late by this much.
    pub fn delay(&self, delay: Duration) {
        self.behind.delay(delay);
    }

    /// Pushes an image whose containers wait until they are told to end; another seed gives another digest, which is returned.
    pub fn push(&self, repository: &str, seed: &str, tags: &[&str]) -> String {
        self.push_artifact(repository, &waiting(seed), tags)
    }

    pub fn push_artifact(&self, repository: &str, artifact: &Artifact, tags: &[&str]) -> String {
        self.pusher(repository).push(repository, artifact, tags)
    }

    /// What a tag means now.
    pub fn digest(&self, repository: &str, tag: &str) -> String {
        self.pusher(repository).digest(repository, tag)
    }

    fn pusher(&self, repository: &str) -> Pusher<'_> {
        let token = self.tokens.mint(ADMIN.0, repository);
        let client = HttpClient::new(self.ca()).agent(push::AGENT);
        Pusher {
            client: client.bearer(&token),
            host: &self.host,
        }
    }

    /// The `.dockerconfigjson` of a pull secret for this registry.
    pub fn docker_config(&self, (user, password): (&str, &str)) -> String {
        let auth = STANDARD.encode(format!("{user}:{password}"));
        json!({"auths": {&self.host: {"username": user, "password": password, "auth": auth}}})
            .to_string()
    }

    /// The environment in which crane may do everything here.
    pub fn environment(&self) -> Vec<(String, String)> {
        self.scratch.write("config.json", self.docker_config(ADMIN));
        let folder = self.scratch.path().to_string_lossy().into_owned();
        let ca = format!("{folder}/ca.pem");
        vec![
            ("DOCKER_CONFIG".to_owned(), folder),
            ("SSL_CERT_FILE".to_owned(), ca),
        ]
    }

    /// Runs crane as one who may do everything.
    pub fn crane(&self, args: &[&str]) -> Outcome {
        let env = self.environment();
        let env: Vec<_> = env
            .iter()
            .map(|(name, value)| (&**name, &**value))
            .collect();
        command::run(
            &parts::program("crane"),
            args,
            &env,
            self.scratch.path(),
            b"",
        )
    }
}

/// An image whose containers wait until they are told to end.
pub fn waiting(seed: &str) -> Artifact {
    let program = std::fs::read(parts::program("pause")).expect("pause");
    Image::new(seed).program("pause", program).build()
}

fn serve(scratch: &Scratch, host: &str, tokens: &TokenServer) -> Process {
    scratch.write("tokens.pem", tokens.ca());
    let realm = format!("https://{ADDRESS}:{PORT}/token");
    // JSON is YAML.
    let config = json!({
        "version": "0.1",
        "log": {"level": "info", "accesslog": {"disabled": false}},
        "storage": {"filesystem": {"rootdirectory": scratch.path().join("data")}, "delete": {"enabled": true}},
        "http": {"addr": host, "relativeurls": true, "secret": "one"},
        "auth": {"token": {"realm": realm, "service": SERVICE, "issuer": ISSUER, "rootcertbundle": "tokens.pem"}},
    });
    scratch.write("config.yaml", config.to_string());
    let mut process = Program::new("registry", parts::program("registry"))
        .args(["serve", "config.yaml"])
        .env("OTEL_TRACES_EXPORTER", "none")
        .grace(Duration::from_secs(1))
        .start(scratch.path());
    let client = HttpClient::plain().agent(push::AGENT);
    process.ready(START, |_| push::answers(&client, host).then_some(()));
    process
}
