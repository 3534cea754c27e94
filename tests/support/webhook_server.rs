//! A webhook beside cotter: a closure from the review to the operations of a patch.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::ca::Ca;
use super::https_server::HttpsServer;

// 32 MiB, above the largest review that an API server sends.
const BODY_LIMIT: usize = 32 << 20;

type Answer = dyn Fn(&Value) -> Value + Send + Sync;

pub struct WebhookServer {
    ca: Ca,
    server: HttpsServer,
    shared: Arc<Shared>,
}

struct Shared {
    answer: Box<Answer>,
    reviews: Mutex<Vec<Value>>,
}

impl WebhookServer {
    /// `answer` gets the `request` of each review and gives an array of RFC 6902 operations, which may be empty.
    pub fn start(answer: impl Fn(&Value) -> Value + Send + Sync + 'static) -> Self {
        let ca = Ca::new("second webhook");
        let shared = Arc::new(Shared {
            answer: Box::new(answer),
            reviews: Mutex::default(),
        });
        let router = Router::new()
            .route("/", post(review))
            .layer(DefaultBodyLimit::max(BODY_LIMIT))
            .with_state(Arc::clone(&shared));
        let server = HttpsServer::start(0, &ca.local_server(), router);
        Self { ca, server, shared }
    }

    pub fn url(&self) -> String {
        format!("https://{}/", self.server.address())
    }

    pub fn ca(&self) -> &str {
        self.ca.pem()
    }

    /// The requests that it was asked, oldest first.
    pub fn reviews(&self) -> Vec<Value> {
        self.shared.reviews.lock().expect("reviews").clone()
    }
}

/// An answer that adds a container of this name and image to each Pod that has none of that name.
pub fn add_sidecar(name: &str, image: &str) -> impl Fn(&Value) -> Value + Send + Sync + 'static {
    let sidecar = json!({"name": name, "image": image});
    move |request| {
        let containers = request["object"]["spec"]["containers"].as_array();
        let has_it =
            containers.is_some_and(|all| all.iter().any(|one| one["name"] == sidecar["name"]));
        if has_it {
            json!([])
        } else {
            json!([{"op": "add", "path": "/spec/containers/-", "value": sidecar}])
        }
    }
}

async fn review(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    let Ok(review) = serde_json::from_slice::<Value>(&body) else {
        return Response::builder()
            .status(StatusCode::BAD_REQUEST)
            .body(Body::empty())
            .expect("a response");
    };
    let request = &review["request"];
    let patch = (shared.answer)(request);
    shared
        .reviews
        .lock()
        .expect("reviews")
        .push(request.clone());
    let mut response = json!({"uid": request["uid"], "allowed": true});
    if patch
        .as_array()
        .is_some_and(|operations| !operations.is_empty())
    {
        response["patchType"] = json!("JSONPatch");
        response["patch"] = json!(STANDARD.encode(patch.to_string()));
    }
    let answer = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response});
    let response = Response::builder().header("content-type", "application/json");
    response
        .body(Body::from(answer.to_string()))
        .expect("a response")
}
