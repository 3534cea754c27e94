//! A request to a vendor: for a token, or for what the registry holds.

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{ACCEPT, AUTHORIZATION, HOST, WWW_AUTHENTICATE};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::super::super::token_server::{basic, scopes};
use super::super::registry::PULLER;
use super::azure::EXCHANGE;
use super::table::{Quirk, VENDORS, Vendor};
use super::{Account, Shared};

const DIGEST: &str = "docker-content-digest";

/// What quirks depend on.
struct Asked {
    method: Method,
    path: String,
    takes_an_index: bool,
}

pub(super) async fn answer(shared: &Shared, request: Request) -> Response {
    let host = host(&request);
    let place = format!("{host}{}", request.uri().path());
    if let Some(vendor) = VENDORS.iter().find(|vendor| vendor.realm == Some(&*place)) {
        return shared.token(vendor, &request);
    }
    match VENDORS.iter().find(|vendor| vendor.api == host) {
        Some(vendor)
            if vendor.quirk == Some(Quirk::BasicToo) && request.uri().path() == EXCHANGE =>
        {
            shared.exchange(vendor, request).await
        }
        Some(vendor) => shared.content(vendor, request).await,
        None => reply(StatusCode::MISDIRECTED_REQUEST, host),
    }
}

impl Shared {
    fn token(&self, vendor: &'static Vendor, request: &Request) -> Response {
        if request.method() != Method::GET {
            return status(vendor.post, "");
        }
        let query = request.uri().query().unwrap_or_default();
        let mut services = query
            .split('&')
            .filter_map(|pair| pair.strip_prefix("service="));
        if services.next() != Some(vendor.service) {
            return status(400, "of another service");
        }
        let Ok(account) = self.account(vendor, request.headers()) else {
            return vendor.refuse();
        };
        let scopes = scopes(query);
        let repository = scopes.first().and_then(|scope| scope.split(':').nth(1));
        let repository = repository.unwrap_or_default();
        if account.is_none() && vendor.wants_login && !repository.starts_with("public/") {
            return status(401, vendor.refusal.1);
        }
        let token = Value::from(self.mint(account.as_ref(), repository));
        let members = vendor
            .members
            .iter()
            .map(|&name| (name.to_owned(), token.clone()));
        let mut grant: Map<String, Value> = members.collect();
        grant.insert("expires_in".to_owned(), json!(300));
        json_reply(&Value::from(grant))
    }

    async fn content(&self, vendor: &'static Vendor, mut request: Request) -> Response {
        if vendor.realm.is_none() {
            let Ok(account) = self.account(vendor, request.headers()) else {
                return vendor.refuse();
            };
            if account.is_none() {
                return vendor.challenge(status(401, "Not Authorized"));
            }
            self.put_token(account.as_ref(), &mut request);
        }
        let asked = Asked::of(&request);
        let response = self.behind.pass(request).await;
        vendor.answer(&asked, response)
    }

    /// Puts a token in the place of user and password.
    fn put_token(&self, account: Option<&Account>, request: &mut Request) {
        let token = self.mint(account, repository(request.uri().path()));
        let bearer = HeaderValue::try_from(format!("Bearer {token}")).expect("a token");
        request.headers_mut().insert(AUTHORIZATION, bearer);
    }

    /// Who asks, if somebody does; an error for a login that is wrong.
    fn account(&self, vendor: &'static Vendor, headers: &HeaderMap) -> Result<Option<Account>, ()> {
        let Some(header) = headers.get(AUTHORIZATION) else {
            return Ok(None);
        };
        let login = basic(header.to_str().unwrap_or_default()).unwrap_or_default();
        self.account_of(vendor, &login).map(Some).ok_or(())
    }

    pub(super) fn account_of(
        &self,
        vendor: &'static Vendor,
        login: &(String, String),
    ) -> Option<Account> {
        let accounts = self.accounts.lock().expect("accounts");
        let is_it = |account: &&Account| {
            account.host == vendor.host
                && (&account.user, &account.password) == (&login.0, &login.1)
        };
        let found = accounts.iter().find(is_it).cloned();
        if found.is_none() {
            self.refused.lock().expect("refused").push(vendor.host);
        }
        found
    }

    /// A token for what this account may do in a repository, which may be nothing.
    fn mint(&self, account: Option<&Account>, repository: &str) -> String {
        let may = account.is_some_and(|account| repository.starts_with(&account.repositories));
        self.tokens.mint(if may { PULLER } else { "" }, repository)
    }
}

impl Vendor {
    pub(super) fn refuse(&self) -> Response {
        status(self.refusal.0, self.refusal.1)
    }

    /// The registry's answer as this vendor gives it.
    fn answer(&self, asked: &Asked, mut response: Response) -> Response {
        let is_refused = response.status() == StatusCode::UNAUTHORIZED;
        match self.quirk {
            Some(Quirk::NoIndexUnasked) if asked.looks_up_a_tag() && !asked.takes_an_index => {
                return status(404, "");
            }
            Some(Quirk::NoDigest) if asked.reads_a_manifest(&Method::GET) => {
                response.headers_mut().remove(DIGEST);
            }
            Some(Quirk::NoChallenge) if is_refused && asked.looks_up_a_tag() => {
                response.headers_mut().remove(WWW_AUTHENTICATE);
                return response;
            }
            _ => {}
        }
        if is_refused {
            self.challenge(response)
        } else {
            response
        }
    }

    /// Says what it wants, with the scope that the registry asks for.
    fn challenge(&self, mut response: Response) -> Response {
        let said = response.headers_mut().remove(WWW_AUTHENTICATE);
        let (service, scope) = (self.service, said.as_ref().and_then(scope));
        let scope = scope.unwrap_or_default();
        let basic = format!(r#"Basic realm="https://{}/",service="{service}""#, self.api);
        let bearer =
            |realm| format!(r#"Bearer realm="https://{realm}",service="{service}"{scope}"#);
        let mut lines: Vec<String> = self.realm.map(bearer).into_iter().collect();
        if lines.is_empty() || self.quirk == Some(Quirk::BasicToo) {
            lines.push(basic);
        }
        for line in lines {
            let line = HeaderValue::try_from(line).expect("a challenge");
            response.headers_mut().append(WWW_AUTHENTICATE, line);
        }
        response
    }
}

impl Asked {
    fn of(request: &Request) -> Self {
        let accept = request.headers().get_all(ACCEPT).into_iter();
        let mut accept = accept.filter_map(|line| line.to_str().ok());
        Self {
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
            takes_an_index: accept.any(|line| line.contains("image.index")),
        }
    }

    fn reads_a_manifest(&self, by: &Method) -> bool {
        self.method == *by && self.path.contains("/manifests/")
    }

    fn looks_up_a_tag(&self) -> bool {
        self.reads_a_manifest(&Method::HEAD) && !self.path.contains("sha256:")
    }
}

/// In the registry's own challenge: `,scope="…"`.
fn scope(challenge: &HeaderValue) -> Option<String> {
    let (_, rest) = challenge.to_str().ok()?.split_once(r#",scope=""#)?;
    let (scope, _) = rest.split_once('"')?;
    Some(format!(r#",scope="{scope}""#))
}

/// The repository in `/v2/<repository>/manifests/…`.
fn repository(path: &str) -> &str {
    let path = path.strip_prefix("/v2/").unwrap_or_default();
    let ends = ["/manifests/", "/blobs/", "/tags/"].iter();
    let end = ends.filter_map(|part| path.find(part)).min();
    end.map_or("", |end| &path[..end])
}

/// Where the request goes, without the port that HTTPS has anyway.
fn host(request: &Request) -> String {
    let of_uri = request.uri().authority().map(Authority::as_str);
    let of_header = || request.headers().get(HOST)?.to_str().ok();
    let host = of_uri.or_else(of_header).unwrap_or_default();
    host.strip_suffix(":443").unwrap_or(host).to_owned()
}

pub(super) fn json_reply(body: &Value) -> Response {
    reply(StatusCode::OK, body.to_string())
}

pub(super) fn status(status: u16, body: &'static str) -> Response {
    reply(StatusCode::from_u16(status).expect("a status"), body)
}

fn reply(status: StatusCode, body: impl Into<Body>) -> Response {
    let response = Response::builder().status(status);
    let response = response.header("content-type", "application/json");
    response.body(body.into()).expect("a response")
}
