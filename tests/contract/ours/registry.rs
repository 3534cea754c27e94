//! A registry that knows every tag but `missing`, and shows `private/` to alice alone.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use crate::support::ca::Ca;
use crate::support::https_server::HttpsServer;
use crate::support::ports;

/// Who may read `private/`.
pub const ALICE: (&str, &str) = ("alice", "correct-horse-battery");

pub struct Registry {
    pub ca: Ca,
    /// A place where nobody listens.
    pub down: String,
    server: HttpsServer,
}

impl Registry {
    pub fn start() -> Self {
        let ca = Ca::new("contract registry");
        let router = Router::new().fallback(answer);
        let server = HttpsServer::start(0, &ca.local_server(), router);
        let down = format!("127.0.0.1:{}", ports::free());
        Self { ca, down, server }
    }

    /// `127.0.0.1:port`.
    pub fn host(&self) -> String {
        self.server.address().to_string()
    }
}

/// The `auth` of alice.
pub fn auth() -> String {
    STANDARD.encode(format!("{}:{}", ALICE.0, ALICE.1))
}

async fn answer(uri: Uri, headers: HeaderMap) -> Response {
    let private = uri.path().contains("/private/");
    let authorized = headers
        .get("authorization")
        .is_some_and(|value| value.as_bytes() == format!("Basic {}", auth()).as_bytes());
    let response = Response::builder();
    let response = if private && !authorized {
        response
            .status(StatusCode::UNAUTHORIZED)
            .header("www-authenticate", "Basic realm=\"contract\"")
    } else if uri.path().ends_with("/missing") {
        response.status(StatusCode::NOT_FOUND)
    } else {
        let digest = Sha256::digest(uri.path());
        let digit = |half: u8| char::from_digit(u32::from(half), 16);
        let digits = digest
            .iter()
            .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]);
        let hex: String = digits.flatten().collect();
        response
            .header("docker-content-digest", format!("sha256:{hex}"))
            .header("content-type", "application/vnd.oci.image.index.v1+json")
    };
    response.body(Body::empty()).expect("a response")
}
