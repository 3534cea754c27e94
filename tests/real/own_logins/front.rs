//! What a cloud has in front of a registry: its name, and at Azure the exchange of tokens.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::StatusCode,
    response::Response,
    routing::post,
};
use serde_json::json;

use super::clouds::parts;
use crate::support::{
    ca::Ca, http_client::HttpClient, https_server::HttpsServer, ports, registry_part::Registry,
};

/// `name:port`, over TLS.
pub struct Front {
    name: String,
    ca: Ca,
    shared: Arc<Shared>,
    _server: HttpsServer,
}

struct Shared {
    name: String,
    registry: String,
    registry_ca: String,
    /// A token of Entra, and the one that it is exchanged for.
    exchange: Mutex<Option<(String, String)>>,
}

impl Front {
    pub fn start(name: &str, registry: &Registry) -> Self {
        let (ca, port) = (Ca::new("front"), ports::free());
        let host = format!("{name}:{port}");
        let shared = Arc::new(Shared {
            name: host.clone(),
            registry: registry.host().to_owned(),
            registry_ca: registry.ca().to_owned(),
            exchange: Mutex::default(),
        });
        let router = Router::new()
            .route("/oauth2/exchange", post(exchange))
            .fallback(forward)
            .with_state(Arc::clone(&shared));
        Self {
            _server: HttpsServer::start(port, &ca.server(&[name]), router),
            name: host,
            ca,
            shared,
        }
    }

    pub fn host(&self) -> &str {
        &self.name
    }

    pub fn ca(&self) -> &str {
        self.ca.pem()
    }

    /// Exchanges one token for another from now on.
    pub fn exchanges(&self, token: &str, refresh_token: &str) {
        let pair = (token.to_owned(), refresh_token.to_owned());
        *self.shared.exchange.lock().unwrap() = Some(pair);
    }
}

/// As Azure documents it for docker and others.
async fn exchange(State(shared): State<Arc<Shared>>, form: String) -> (StatusCode, String) {
    let form = parts(&form);
    let is = |name: &str, value: &str| form.get(name).is_some_and(|found| found == value);
    let known = shared.exchange.lock().unwrap().clone();
    match known {
        Some((token, refresh_token))
            if is("grant_type", "access_token")
                && is("service", &shared.name)
                && is("access_token", &token) =>
        {
            (
                StatusCode::OK,
                json!({"refresh_token": refresh_token}).to_string(),
            )
        }
        _ => {
            let errors =
                json!({"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]});
            (StatusCode::UNAUTHORIZED, errors.to_string())
        }
    }
}

async fn forward(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let asked = tokio::task::spawn_blocking(move || {
        let headers: Vec<_> = request
            .headers()
            .iter()
            .filter(|(name, _)| matches!(name.as_str(), "accept" | "authorization"))
            .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
            .collect();
        let path = request.uri().path_and_query().unwrap().as_str();
        let client = HttpClient::new(&shared.registry_ca);
        client.send(
            request.method().as_str(),
            &shared.registry,
            path,
            &headers,
            b"",
        )
    });
    let reply = asked.await.unwrap().unwrap();
    let mut response = Response::builder().status(reply.status);
    for name in [
        "content-type",
        "content-length",
        "docker-content-digest",
        "www-authenticate",
    ] {
        if let Some(value) = reply.header(name) {
            response = response.header(name, value);
        }
    }
    response.body(Body::from(reply.body)).unwrap()
}
