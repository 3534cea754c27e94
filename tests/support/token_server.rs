//! A token server as distribution's registries expect it: `GET /token` with Basic or nobody's credentials, RS256 with `x5c`.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use percent_encoding::percent_decode_str;
use rcgen::{KeyPair, PKCS_RSA_SHA256, SigningKey as _};
use serde_json::{Value, json};

use super::ca::Ca;
use super::https_server::HttpsServer;
use super::ports;

pub const SERVICE: &str = "registry.test";
pub const ISSUER: &str = "tokens.test";

/// Who may do what: a user (nobody is the empty name), a prefix of repositories, and actions.
#[derive(Clone)]
pub struct Grant {
    pub user: String,
    pub repositories: String,
    pub actions: Vec<String>,
}

/// A token request as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRequest {
    /// The name of the credentials, right or wrong; nothing for an anonymous request.
    pub user: Option<String>,
    pub scopes: Vec<String>,
    pub status: u16,
}

pub struct TokenServer {
    ca: Ca,
    port: u16,
    server: Mutex<Option<HttpsServer>>,
    shared: Arc<Shared>,
}

type Refusal = (StatusCode, Vec<(String, String)>);

struct Shared {
    key: KeyPair,
    certificate_der: Vec<u8>,
    users: Vec<(String, String)>,
    grants: Vec<Grant>,
    lifetime: Mutex<Duration>,
    refusal: Mutex<Option<Refusal>>,
    requests: Mutex<Vec<TokenRequest>>,
}

impl Grant {
    pub fn new(user: &str, repositories: &str, actions: &[&str]) -> Self {
        let actions = actions.iter().map(|&action| action.to_owned()).collect();
        Self {
            user: user.to_owned(),
            repositories: repositories.to_owned(),
            actions,
        }
    }
}

impl TokenServer {
    /// `users` are names and passwords.
    pub fn start(users: &[(&str, &str)], grants: Vec<Grant>) -> Self {
        let ca = Ca::new("token server");
        let key = KeyPair::generate_for(&PKCS_RSA_SHA256).expect("an RSA key");
        let signer = ca.certify("token signer", &key);
        let shared = Arc::new(Shared {
            key,
            certificate_der: signer.chain()[0].to_vec(),
            users: users
                .iter()
                .map(|&(name, password)| (name.to_owned(), password.to_owned()))
                .collect(),
            grants,
            lifetime: Mutex::new(Duration::from_mins(5)),
            refusal: Mutex::default(),
            requests: Mutex::default(),
        });
        let server = Self {
            ca,
            port: ports::free(),
            server: Mutex::default(),
            shared,
        };
        server.resume();
        server
    }

    pub fn realm(&self) -> String {
        format!("https://{}/token", self.host())
    }

    /// `localhost:port`: crane refuses a realm whose host is a private address.
    pub fn host(&self) -> String {
        format!("localhost:{}", self.port)
    }

    /// The CA of its certificate and of the tokens' signer: what the registry's `rootcertbundle` holds.
    pub fn ca(&self) -> &str {
        self.ca.pem()
    }

    /// A token that nobody asked for, with all that `user` may do in this repository.
    pub fn mint(&self, user: &str, repository: &str) -> String {
        let scope = format!("repository:{repository}:pull,push,delete");
        self.shared.token(user, &[scope])
    }

    pub fn requests(&self) -> Vec<TokenRequest> {
        self.shared.requests.lock().expect("requests").clone()
    }

    /// How long the next tokens live; the registry itself adds a leeway of 60 s.
    pub fn lifetime(&self, lifetime: Duration) {
        *self.shared.lifetime.lock().expect("lifetime") = lifetime;
    }

    /// Answers every request with this status and these headers, until [`Self::grant_again`].
    pub fn refuse(&self, status: u16, headers: &[(&str, &str)]) {
        let headers = headers
            .iter()
            .map(|&(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let status = StatusCode::from_u16(status).expect("a status");
        *self.shared.refusal.lock().expect("refusal") = Some((status, headers));
    }

    pub fn grant_again(&self) {
        *self.shared.refusal.lock().expect("refusal") = None;
    }

    /// What it answers, for a server that has more to say.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/token", get(token))
            .with_state(Arc::clone(&self.shared))
    }

    /// Nothing listens any more.
    pub fn stop(&self) {
        *self.server.lock().expect("server") = None;
    }

    /// Listens again, on the same port.
    pub fn resume(&self) {
        self.stop();
        let server = HttpsServer::start(self.port, &self.ca.local_server(), self.router());
        *self.server.lock().expect("server") = Some(server);
    }
}

impl Shared {
    fn answer(
        &self,
        user: Option<&(String, String)>,
        scopes: &[String],
    ) -> (StatusCode, Vec<(String, String)>, Value) {
        if let Some((status, headers)) = self.refusal.lock().expect("refusal").clone() {
            return (status, headers, json!({"errors": [{"code": "REFUSED"}]}));
        }
        if user.is_some_and(|user| !self.users.contains(user)) {
            return (
                StatusCode::UNAUTHORIZED,
                Vec::new(),
                json!({"errors": [{"code": "UNAUTHORIZED"}]}),
            );
        }
        let token = self.token(user.map_or("", |(name, _)| name), scopes);
        let lifetime = self.lifetime.lock().expect("lifetime").as_secs();
        (
            StatusCode::OK,
            Vec::new(),
            json!({"token": token, "expires_in": lifetime}),
        )
    }

    fn token(&self, user: &str, scopes: &[String]) -> String {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("after 1970")
            .as_secs();
        let expires = now + self.lifetime.lock().expect("lifetime").as_secs();
        let access: Vec<Value> = scopes
            .iter()
            .filter_map(|scope| self.access(user, scope))
            .collect();
        let header =
            json!({"typ": "JWT", "alg": "RS256", "x5c": [STANDARD.encode(&self.certificate_der)]});
        let claims = json!({"iss": ISSUER, "sub": user, "aud": SERVICE, "exp": expires, "nbf": now, "iat": now,
            "jti": format!("{now}-{}", self.requests.lock().expect("requests").len()), "access": access});
        let signed = format!(
            "{}.{}",
            encode(header.to_string()),
            encode(claims.to_string())
        );
        let signature = self.key.sign(signed.as_bytes()).expect("a signature");
        format!("{signed}.{}", encode(signature))
    }

    fn access(&self, user: &str, scope: &str) -> Option<Value> {
        let (name, wanted) = scope.strip_prefix("repository:")?.rsplit_once(':')?;
        let mine = self
            .grants
            .iter()
            .filter(|grant| grant.user.is_empty() || grant.user == user);
        let granted: Vec<&str> = mine
            .filter(|grant| name.starts_with(&grant.repositories))
            .flat_map(|grant| grant.actions.iter().map(String::as_str))
            .filter(|action| wanted.split(',').any(|one| one == *action))
            .collect();
        (!granted.is_empty())
            .then(|| json!({"type": "repository", "name": name, "actions": granted}))
    }
}

async fn token(
    State(shared): State<Arc<Shared>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let user = headers
        .get("authorization")
        .map(|value| basic(value.to_str().unwrap_or_default()).unwrap_or_default());
    let scopes = scopes(&query.unwrap_or_default());
    let (status, headers, body) = shared.answer(user.as_ref(), &scopes);
    let user = user.map(|(name, _)| name);
    shared
        .requests
        .lock()
        .expect("requests")
        .push(TokenRequest {
            user,
            scopes,
            status: status.as_u16(),
        });
    let mut response = Response::builder()
        .status(status)
        .header("content-type", "application/json");
    for (name, value) in headers {
        response = response.header(name, value);
    }
    response
        .body(Body::from(body.to_string()))
        .expect("a response")
}

/// The scopes of a query: one `scope` may hold several, parted by spaces, and there may be several `scope` parameters.
pub fn scopes(query: &str) -> Vec<String> {
    let values = query
        .split('&')
        .filter_map(|pair| pair.strip_prefix("scope="));
    let values = values.map(|value| {
        percent_decode_str(&value.replace('+', " "))
            .decode_utf8_lossy()
            .into_owned()
    });
    values
        .flat_map(|value| {
            value
                .split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect()
}

/// User and password of an `Authorization` header.
pub fn basic(header: &str) -> Option<(String, String)> {
    let decoded = STANDARD.decode(header.strip_prefix("Basic ")?).ok()?;
    let (user, password) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

fn encode(part: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(part)
}
