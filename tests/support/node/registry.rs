//! The lab's registry: the CNCF registry behind a front that speaks TLS, gives tokens, and can be slow.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::json;

use super::super::ca::Ca;
use super::super::command::{self, Outcome};
use super::super::http_client::HttpClient;
use super::super::https_server::{HttpsServer, runtime};
use super::super::image::{Artifact, Image};
use super::super::process::{Process, Program};
use super::super::push::{self, Pusher};
use super::super::scratch::Scratch;
use super::super::token_server::{Grant, ISSUER, SERVICE, TokenServer};
use super::super::{parts, ports};
use super::ADDRESS;

const PORT: u16 = 5000;
const START: Duration = Duration::from_secs(30);

pub const ALICE: (&str, &str) = ("alice", "rabbit-hole");
pub const BOB: (&str, &str) = ("bob", "builder");
/// May pull and push everything.
pub const ADMIN: (&str, &str) = ("admin", "uphill");

pub struct LabRegistry {
    host: String,
    front: HttpsServer,
    delay: Arc<AtomicU64>,
    process: Process,
    tokens: TokenServer,
    ca: Ca,
    scratch: Scratch,
}

#[derive(Clone)]
struct Behind {
    client: Client<HttpConnector, Body>,
    host: String,
    delay: Arc<AtomicU64>,
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
            Grant::new(ADMIN.0, "", &["pull", "push", "delete"]),
        ];
        let tokens = TokenServer::start(&[ALICE, BOB, ADMIN], grants);
        let scratch = Scratch::new("registry");
        let host = format!("127.0.0.1:{}", ports::free());
        let process = serve(&scratch, &host, &tokens);
        let (ca, delay) = (Ca::new("lab registry"), Arc::<AtomicU64>::default());
        let behind = Behind {
            client: Client::builder(TokioExecutor::new()).build_http(),
            host,
            delay: Arc::clone(&delay),
        };
        let router = Router::new().fallback(pass).with_state(behind);
        let router = tokens.router().merge(router);
        let me = ca.server(&[&ADDRESS.to_string()]);
        let front = HttpsServer::start_at(SocketAddr::from((ADDRESS, PORT)), &me, router);
        scratch.write("ca.pem", ca.pem());
        Self {
            host: front.address().to_string(),
            front,
            delay,
            process,
            tokens,
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
        let millis = u64::try_from(delay.as_millis()).expect("a short time");
        self.delay.store(millis, Ordering::SeqCst);
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

    /// What containerd has to know of this registry.
    pub(super) fn write_hosts(&self, folder: &Path) {
        let folder = folder.join(self.host());
        std::fs::create_dir_all(&folder).expect("a folder");
        let ca = folder.join("ca.pem");
        std::fs::write(&ca, self.ca()).expect("a file");
        let hosts = format!(
            "server = \"https://{0}\"\n[host.\"https://{0}\"]\nca = \"{1}\"\n",
            self.host(),
            ca.display()
        );
        std::fs::write(folder.join("hosts.toml"), hosts).expect("a file");
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

// Passes a request on as it is: the registry answers with relative locations.
async fn pass(State(behind): State<Behind>, mut request: Request) -> Response {
    let path = request
        .uri()
        .path_and_query()
        .map_or("/", |path| path.as_str());
    let uri = format!("http://{}{path}", behind.host).parse::<Uri>();
    *request.uri_mut() = uri.expect("a path that came in a request");
    *request.version_mut() = axum::http::Version::HTTP_11;
    let delay = Duration::from_millis(behind.delay.load(Ordering::SeqCst));
    tokio::time::sleep(delay).await;
    match behind.client.request(request).await {
        Ok(response) => response.map(Body::new),
        Err(error) => Response::builder()
            .status(StatusCode::BAD_GATEWAY)
            .body(Body::from(error.to_string()))
            .expect("a response"),
    }
}
