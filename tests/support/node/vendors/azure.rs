//! ACR takes a token of Microsoft Entra and gives one of its own, which is a password (Azure/acr, `docs/AAD-OAuth.md`).

use std::time::{SystemTime, UNIX_EPOCH};

use axum::extract::Request;
use axum::http::Method;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::super::super::http_client::HttpClient;
use super::super::{ADDRESS, Lab};
use super::ask::{json_reply, status};
use super::table::{EXCHANGING, Vendor, ZERO_GUID};
use super::{Account, Shared, Vendors};

pub(super) const EXCHANGE: &str = "/oauth2/exchange";
/// Of an identity that may pull.
const ENTRA: &str = "entra-token";
const THREE_HOURS: u64 = 3 * 60 * 60;

impl Vendors {
    /// A refresh token of the registry that is there for it: the password of nobody in particular, for three hours.
    pub fn exchanged(&self, lab: &Lab, repositories: &str) -> String {
        self.open(EXCHANGING, ("", ENTRA), repositories);
        let form = format!("grant_type=access_token&service={EXCHANGING}&access_token={ENTRA}");
        let headers = [("Content-Type", "application/x-www-form-urlencoded")];
        let client = HttpClient::new(lab.registry.ca()).at(&format!("{ADDRESS}:443"));
        let reply = client.send("POST", EXCHANGING, EXCHANGE, &headers, form.as_bytes());
        let reply = reply.expect("ACR");
        assert_eq!(reply.status, 200, "{}", reply.text());
        let token = &reply.json()["refresh_token"];
        token.as_str().expect("a refresh token").to_owned()
    }
}

impl Shared {
    pub(super) async fn exchange(&self, vendor: &'static Vendor, request: Request) -> Response {
        if request.method() != Method::POST {
            return status(405, "");
        }
        let body = axum::body::to_bytes(request.into_body(), 1 << 20).await;
        let form = String::from_utf8(body.expect("a form").to_vec()).expect("text");
        let field = |name: &str| form.split('&').find_map(|pair| pair.strip_prefix(name));
        let (service, entra) = (field("service="), field("access_token="));
        let is_asked =
            field("grant_type=") == Some("access_token") && service == Some(vendor.service);
        let login = (String::new(), entra.unwrap_or_default().to_owned());
        match self.account_of(vendor, &login) {
            _ if !is_asked => status(400, ""),
            None => vendor.refuse(),
            Some(account) => {
                let password = refresh_token(vendor);
                self.accounts.lock().expect("accounts").push(Account {
                    user: ZERO_GUID.to_owned(),
                    password: password.clone(),
                    ..account
                });
                json_reply(&json!({"refresh_token": password}))
            }
        }
    }
}

fn refresh_token(vendor: &Vendor) -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970")
        .as_secs();
    let encode = |part: Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let header = encode(json!({"alg": "RS256", "typ": "JWT"}));
    let claims = json!({"aud": vendor.service, "iat": now, "exp": now + THREE_HOURS, "grant_type": "refresh_token"});
    // Nobody but this registry checks it.
    format!("{header}.{}.c2lnbmVk", encode(claims))
}
