//! The endpoints that say who a Pod is: Google's metadata server, Microsoft Entra ID and Azure's metadata server.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    extract::RawQuery,
    http::{HeaderMap, StatusCode},
    routing::{get, post},
};
use percent_encoding::percent_decode_str;
use serde_json::json;
use tokio::task::JoinHandle;

use crate::support::{
    ca::Ca,
    https_server::{self, HttpsServer},
    ports,
};

/// A server without TLS, as metadata servers are.
pub struct Plain {
    pub host: String,
    task: JoinHandle<()>,
}

/// Google's metadata server.
pub struct Google {
    server: Plain,
    refusal: Arc<Mutex<Option<String>>>,
}

/// Entra, and Azure's metadata server.
pub struct Entra {
    host: String,
    ca: Ca,
    _server: HttpsServer,
    metadata: Plain,
}

/// What Entra gives, by either way.
pub const ENTRA_TOKEN: &str = "eyJ-of-entra";
const AUDIENCE: &str = "https://containerregistry.azure.net";

impl Plain {
    pub fn start(router: Router) -> Self {
        let (listener, address) = https_server::listen(0);
        let task = https_server::runtime().spawn(async move {
            axum::serve(listener, router).await.unwrap();
        });
        let host = address.to_string();
        Self { host, task }
    }
}

impl Drop for Plain {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Google {
    /// One that gives this access token.
    pub fn start(token: &'static str) -> Self {
        let refusal = Arc::<Mutex<Option<String>>>::default();
        let known = Arc::clone(&refusal);
        let answer = move |headers: HeaderMap| async move {
            if headers
                .get("metadata-flavor")
                .is_none_or(|flavor| flavor != "Google")
            {
                return (StatusCode::FORBIDDEN, "Missing Metadata-Flavor".to_owned());
            }
            let refusal = known.lock().unwrap().clone();
            let granted =
                json!({"access_token": token, "expires_in": 3_599, "token_type": "Bearer"});
            refusal.map_or_else(
                || (StatusCode::OK, granted.to_string()),
                |said| (StatusCode::FORBIDDEN, said),
            )
        };
        let path = "/computeMetadata/v1/instance/service-accounts/default/token";
        Self {
            server: Plain::start(Router::new().route(path, get(answer))),
            refusal,
        }
    }

    pub fn host(&self) -> String {
        self.server.host.clone()
    }

    pub fn refuse(&self, said: &str) {
        *self.refusal.lock().unwrap() = Some(said.to_owned());
    }

    pub fn grant(&self) {
        *self.refusal.lock().unwrap() = None;
    }
}

impl Entra {
    /// One that knows the application `client` of `tenant` by this token of its cluster.
    pub fn start(assertion: &'static str) -> Self {
        let (ca, port) = (Ca::new("entra"), ports::free());
        let token = post(move |form: String| async move {
            let wanted = [
                ("grant_type", "client_credentials"),
                ("client_id", "client"),
                ("scope", &format!("{AUDIENCE}/.default")),
                (
                    "client_assertion_type",
                    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                ),
                ("client_assertion", assertion),
            ];
            answer(&parts(&form), &wanted)
        });
        let router = Router::new().route("/tenant/oauth2/v2.0/token", token);
        let metadata = Router::new().route("/metadata/identity/oauth2/token", get(managed));
        Self {
            host: format!("localhost:{port}"),
            _server: HttpsServer::start(port, &ca.local_server(), router),
            ca,
            metadata: Plain::start(metadata),
        }
    }

    pub fn host(&self) -> String {
        self.host.clone()
    }

    pub fn url(&self) -> String {
        format!("https://{}/", self.host)
    }

    pub fn metadata(&self) -> String {
        format!("http://{}", self.metadata.host)
    }

    pub fn ca(&self) -> &Ca {
        &self.ca
    }
}

async fn managed(headers: HeaderMap, RawQuery(query): RawQuery) -> (StatusCode, String) {
    if headers.get("metadata").is_none_or(|value| value != "true") {
        return (StatusCode::BAD_REQUEST, String::new());
    }
    let wanted = [
        ("api-version", "2018-02-01"),
        ("resource", AUDIENCE),
        ("client_id", "client"),
    ];
    answer(&parts(&query.unwrap()), &wanted)
}

fn answer(given: &HashMap<String, String>, wanted: &[(&str, &str)]) -> (StatusCode, String) {
    let wrong = wanted
        .iter()
        .find(|(name, value)| given.get(*name).is_none_or(|v| v != value));
    match wrong {
        None => {
            let token =
                json!({"access_token": ENTRA_TOKEN, "expires_in": 3_599, "token_type": "Bearer"});
            (StatusCode::OK, token.to_string())
        }
        Some((name, _)) => {
            let error = json!({"error": "invalid_request", "error_description": format!("AADSTS90014: {name}")});
            (StatusCode::BAD_REQUEST, error.to_string())
        }
    }
}

/// What a form or a query holds.
pub fn parts(text: &str) -> HashMap<String, String> {
    let decoded = |text: &str| percent_decode_str(text).decode_utf8().unwrap().into_owned();
    let pairs = text.split('&').filter_map(|part| part.split_once('='));
    pairs
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
}
