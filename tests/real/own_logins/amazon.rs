//! The endpoints that give a Pod at AWS the keys of a role: the agent of EKS Pod Identity, and the metadata server of an EC2
//! instance.

use axum::{
    Router,
    http::{HeaderMap, HeaderName, StatusCode},
    routing::{get, put},
};
use serde_json::{Value, json};

use super::clouds::Plain;

/// What both keep to themselves.
pub const SECRET_KEY: &str = "the secret key of a role";
/// What the agent knows a Pod by.
pub const POD_TOKEN: &str = "the token of a Pod";

/// What the metadata server knows an asker by.
const SESSION: &str = "the token of a session";
const SESSION_HEADER: &str = "x-aws-ec2-metadata-token";
const ROLE: &str = "cotter";

pub struct Amazon(Plain);

impl Amazon {
    pub fn start() -> Self {
        let roles = "/latest/meta-data/iam/security-credentials/";
        let session = || async { ([("x-aws-ec2-metadata-token-ttl-seconds", "21600")], SESSION) };
        let role = |headers| async move {
            to_those_who_say(&headers, SESSION_HEADER, SESSION, ROLE.into())
        };
        let of_instance = |headers| async move {
            let mut keys = keys();
            keys["Code"] = "Success".into();
            keys["Type"] = "AWS-HMAC".into();
            keys["LastUpdated"] = "2026-01-01T00:00:00Z".into();
            to_those_who_say(&headers, SESSION_HEADER, SESSION, keys.to_string())
        };
        let of_pod = |headers| async move {
            to_those_who_say(&headers, "authorization", POD_TOKEN, keys().to_string())
        };
        let router = Router::new()
            .route("/v1/credentials", get(of_pod))
            .route("/latest/api/token", put(session))
            .route(roles, get(role))
            .route(&format!("{roles}{ROLE}"), get(of_instance));
        Self(Plain::start(router))
    }

    /// For `AWS_CONTAINER_CREDENTIALS_FULL_URI`.
    pub fn agent(&self) -> String {
        format!("{}/v1/credentials", self.metadata())
    }

    /// For `AWS_EC2_METADATA_SERVICE_ENDPOINT`.
    pub fn metadata(&self) -> String {
        format!("http://{}", self.0.host)
    }
}

fn keys() -> Value {
    json!({"AccessKeyId": "ASIAEXAMPLE", "SecretAccessKey": SECRET_KEY, "Token": "of the role", "Expiration": "2099-01-01T00:00:00Z"})
}

fn to_those_who_say(
    headers: &HeaderMap,
    name: &'static str,
    wanted: &str,
    answer: String,
) -> (StatusCode, String) {
    let said = headers.get(HeaderName::from_static(name));
    if said.is_some_and(|said| said == wanted) {
        (StatusCode::OK, answer)
    } else {
        (StatusCode::UNAUTHORIZED, String::new())
    }
}
