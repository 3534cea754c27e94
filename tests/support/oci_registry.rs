//! A well-behaved OCI registry with token authentication, in the test's own process: TLS with a CA of its own, seeded by
//! calls, never by pushes over the wire.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use axum::body::Body;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

#[path = "oci_image.rs"]
mod oci_image;

pub use self::oci_image::Image;
use super::{
    ca::Ca,
    serve::{Distance, Served, serve, tls},
};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// What was asked of a registry so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests answered with 401 and a challenge.
    pub challenges: usize,
    /// Token requests, granted or not.
    pub tokens: usize,
    /// Authorised HEADs of manifests.
    pub heads: usize,
    /// Authorised GETs of manifests.
    pub gets: usize,
    /// Authorised GETs of blobs.
    pub blobs: usize,
    /// Authorised GETs of pages of tags.
    pub pages: usize,
}

/// The registry; it ends when this is dropped.
pub struct OciRegistry {
    served: Served,
    ca_pem: String,
    distance: Distance,
    store: Arc<Mutex<Store>>,
}

#[derive(Default)]
struct Store {
    host: String,
    contents: HashMap<String, Content>,
    tags: HashMap<(String, String), String>,
    public: BTreeSet<String>,
    users: HashMap<String, User>,
    tokens: HashMap<String, String>,
    counts: Counts,
    logins: Vec<String>,
    /// The most tags in one page; `None` gives as many as are asked for.
    page: Option<usize>,
}

#[derive(Clone)]
struct Content {
    media_type: &'static str,
    body: Vec<u8>,
}

struct User {
    password: String,
    repositories: BTreeSet<String>,
}

impl OciRegistry {
    /// Starts an empty registry on 127.0.0.1 with a certificate for that address, `localhost` and `registry.example`.
    pub async fn start() -> Self {
        let ca = Ca::new("the registry's CA");
        let me = ca.server(&["127.0.0.1", "localhost", "registry.example"]);
        let tls = tls(&me, &["h2", "http/1.1"]);
        let (store, distance) = (Arc::new(Mutex::new(Store::default())), Distance::default());
        let shared = Arc::clone(&store);
        let served = serve(Some(tls), distance.clone(), move |request| {
            let answer = lock(&shared).answer(&request);
            async { answer }
        })
        .await;
        let registry = Self {
            served,
            ca_pem: ca.pem().to_owned(),
            distance,
            store,
        };
        registry.store().host = registry.host();
        registry
    }

    /// The host as references spell it: `127.0.0.1:<port>`.
    pub fn host(&self) -> String {
        self.served.address().to_string()
    }

    /// The CA that its certificate is from.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// Moves it so far away that a round trip takes this long.
    pub fn set_round_trip(&self, round_trip: Duration) {
        self.distance.set(round_trip);
    }

    /// Lets a user pull these repositories. Everybody may pull public ones.
    pub fn add_user(&self, name: &str, password: &str, repositories: &[&str]) {
        let user = User {
            password: password.to_owned(),
            repositories: repositories.iter().map(|name| (*name).to_owned()).collect(),
        };
        self.store().users.insert(name.to_owned(), user);
    }

    /// Lets everybody pull `repository`; new repositories are private.
    pub fn make_public(&self, repository: &str) {
        self.store().public.insert(repository.to_owned());
    }

    /// Stores `image` under `repository:tag`, in place of what the tag meant before. Its digest.
    pub fn push(&self, repository: &str, tag: &str, image: &Image) -> String {
        let digest = self.store().add(image);
        self.move_tag(repository, tag, &digest);
        digest
    }

    /// Makes `repository:tag` mean `digest`.
    pub fn move_tag(&self, repository: &str, tag: &str, digest: &str) {
        let place = (repository.to_owned(), tag.to_owned());
        self.store().tags.insert(place, digest.to_owned());
    }

    /// Takes a tag away.
    pub fn delete_tag(&self, repository: &str, tag: &str) {
        let place = (repository.to_owned(), tag.to_owned());
        self.store().tags.remove(&place);
    }

    /// Takes a manifest or a blob away; what names it stays.
    pub fn delete(&self, digest: &str) {
        self.store().contents.remove(digest);
    }

    /// Gives at most so many tags in one page.
    pub fn set_page(&self, tags: usize) {
        self.store().page = Some(tags);
    }

    /// Makes every token that was granted so far worthless.
    pub fn revoke_tokens(&self) {
        self.store().tokens.clear();
    }

    /// What was asked since the start, or since this was last called.
    pub fn take_counts(&self) -> Counts {
        std::mem::take(&mut self.store().counts)
    }

    /// The users and passwords that were sent, in Base64, since the start or since this was last called.
    pub fn take_logins(&self) -> Vec<String> {
        std::mem::take(&mut self.store().logins)
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        lock(&self.store)
    }
}

fn lock(store: &Mutex<Store>) -> MutexGuard<'_, Store> {
    store.lock().unwrap()
}

impl Store {
    fn put(&mut self, media_type: &'static str, value: &Value) -> Value {
        let body = serde_json::to_vec(value).unwrap();
        let digest = cotter::domain::digest::Digest::of(&body).to_string();
        let size = body.len();
        let content = Content { media_type, body };
        self.contents.insert(digest.clone(), content);
        json!({"mediaType": media_type, "digest": digest, "size": size})
    }

    fn add(&mut self, image: &Image) -> String {
        let mut top = if image.platforms.is_empty() {
            self.manifest(image, "linux/amd64", &image.annotations)
        } else {
            let platforms = image.platforms.iter();
            let manifests: Vec<_> = platforms
                .map(|platform| self.platform(image, platform))
                .collect();
            let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests, "annotations": image.annotations});
            self.put(INDEX, &index)
        };
        match top["digest"].take() {
            Value::String(digest) => digest,
            other => panic!("a digest, not {other}"),
        }
    }

    fn platform(&mut self, image: &Image, platform: &str) -> Value {
        let mut descriptor = self.manifest(image, platform, &BTreeMap::new());
        let (os, architecture) = platform.split_once('/').unwrap();
        descriptor["platform"] = json!({"os": os, "architecture": architecture});
        descriptor
    }

    fn manifest(
        &mut self,
        image: &Image,
        platform: &str,
        annotations: &BTreeMap<String, String>,
    ) -> Value {
        let (os, architecture) = platform.split_once('/').unwrap();
        let mut config = json!({"os": os, "architecture": architecture, "config": {"Labels": image.labels}, "author": image.build, "rootfs": {"type": "layers", "diff_ids": []}});
        if let Some(created) = &image.created {
            config["created"] = json!(created);
        }
        let config = self.put(CONFIG, &config);
        let layer = |(at, size): (usize, &u64)| json!({"mediaType": LAYER, "digest": format!("sha256:{at:064}"), "size": size});
        let layers: Vec<_> = image.layers.iter().enumerate().map(layer).collect();
        let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers, "annotations": annotations});
        self.put(MANIFEST, &manifest)
    }

    fn answer(&mut self, request: &Request<Incoming>) -> Response<Body> {
        let login = authorization(request, "Basic ");
        self.logins.extend(login.map(str::to_owned));
        let path = request.uri().path();
        if path == "/token" {
            return self.token(request);
        }
        let Some(path) = path.strip_prefix("/v2/") else {
            return status(StatusCode::NOT_FOUND);
        };
        if let Some(repository) = path.strip_suffix("/tags/list") {
            return self.tags(request, repository);
        }
        let manifest = path.rsplit_once("/manifests/");
        let Some((repository, name)) = manifest.or_else(|| path.rsplit_once("/blobs/")) else {
            return self.root(request);
        };
        if !self.may_pull(request, repository) {
            return self.challenge(Some(repository));
        }
        match (request.method(), manifest.is_some()) {
            (&Method::HEAD, true) => self.counts.heads += 1,
            (_, true) => self.counts.gets += 1,
            (_, false) => self.counts.blobs += 1,
        }
        let place = (repository.to_owned(), name.to_owned());
        let digest = self.tags.get(&place).map_or(name, String::as_str);
        match self.contents.get(digest) {
            Some(content) => content.answer(digest),
            None => error(StatusCode::NOT_FOUND, "MANIFEST_UNKNOWN"),
        }
    }

    /// `GET /v2/`: any token will do.
    fn root(&mut self, request: &Request<Incoming>) -> Response<Body> {
        let token = authorization(request, "Bearer ");
        if token.is_some_and(|token| token.starts_with("token-")) {
            return status(StatusCode::OK);
        }
        self.challenge(None)
    }

    /// A page of tags behind `last`, in their order, and the way to the next one.
    fn tags(&mut self, request: &Request<Incoming>, repository: &str) -> Response<Body> {
        if !self.may_pull(request, repository) {
            return self.challenge(Some(repository));
        }
        self.counts.pages += 1;
        let query = request.uri().query().unwrap_or_default();
        let param = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name));
        let asked: Option<usize> = param("n=").and_then(|n| n.parse().ok());
        let last = param("last=").unwrap_or_default().to_owned();
        let of_repository = self.tags.keys().filter(|(of, _)| of == repository);
        let names: BTreeSet<String> = of_repository.map(|(_, tag)| tag.clone()).collect();
        if names.is_empty() {
            return error(StatusCode::NOT_FOUND, "NAME_UNKNOWN");
        }
        let size = self
            .page
            .into_iter()
            .chain(asked)
            .min()
            .unwrap_or(usize::MAX);
        let behind: Vec<_> = names.into_iter().filter(|name| *name > last).collect();
        let page: Vec<_> = behind.iter().take(size).collect();
        let body = json!({"name": repository, "tags": page});
        let mut response = Response::new(Body::from(body.to_string()));
        if let Some(last) = page.last().filter(|_| page.len() < behind.len()) {
            let link = format!(r#"</v2/{repository}/tags/list?n={size}&last={last}>; rel="next""#);
            let headers = response.headers_mut();
            headers.insert(header::LINK, link.parse().unwrap());
        }
        response
    }

    fn may_pull(&self, request: &Request<Incoming>, repository: &str) -> bool {
        let token = authorization(request, "Bearer ");
        token.is_some_and(|token| self.tokens.get(token).is_some_and(|to| to == repository))
    }

    fn challenge(&mut self, repository: Option<&str>) -> Response<Body> {
        self.counts.challenges += 1;
        let host = &self.host;
        let scope = repository.map(|name| format!(r#",scope="repository:{name}:pull""#));
        let scope = scope.unwrap_or_default();
        let challenge = format!(r#"Bearer realm="https://{host}/token",service="{host}"{scope}"#);
        let mut response = error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED");
        let headers = response.headers_mut();
        headers.insert(header::WWW_AUTHENTICATE, challenge.parse().unwrap());
        response
    }

    fn token(&mut self, request: &Request<Incoming>) -> Response<Body> {
        self.counts.tokens += 1;
        let user = match authorization(request, "Basic ") {
            None => None,
            Some(basic) => match self.user(basic) {
                Some(user) => Some(user),
                None => return status(StatusCode::UNAUTHORIZED),
            },
        };
        let repository = asked_repository(request).unwrap_or_default();
        let is_granted = self.public.contains(&repository)
            || user.is_some_and(|user| user.repositories.contains(&repository));
        let token = format!("token-{}", self.counts.tokens + self.tokens.len());
        if is_granted {
            self.tokens.insert(token.clone(), repository);
        }
        let grant = json!({"token": token, "expires_in": 300});
        Response::new(Body::from(grant.to_string()))
    }

    fn user(&self, basic: &str) -> Option<&User> {
        let pair = String::from_utf8(STANDARD.decode(basic).ok()?).ok()?;
        let (name, password) = pair.split_once(':')?;
        let user = self.users.get(name)?;
        (user.password == password).then_some(user)
    }
}

impl Content {
    fn answer(&self, digest: &str) -> Response<Body> {
        // hyper leaves the body of an answer to HEAD away and keeps its length.
        Response::builder()
            .header(header::CONTENT_TYPE, self.media_type)
            .header("docker-content-digest", digest)
            .body(Body::from(self.body.clone()))
            .unwrap()
    }
}

fn authorization<'a>(request: &'a Request<Incoming>, scheme: &str) -> Option<&'a str> {
    let value = request
        .headers()
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?;
    value.strip_prefix(scheme)
}

/// The repository of the scope `repository:<name>:pull`.
fn asked_repository(request: &Request<Incoming>) -> Option<String> {
    let mut pairs = request.uri().query()?.split('&');
    let scope = pairs.find_map(|pair| pair.strip_prefix("scope="))?;
    let scope = percent_decode_str(scope).decode_utf8().ok()?;
    let name = scope.strip_prefix("repository:")?.strip_suffix(":pull")?;
    Some(name.to_owned())
}

fn status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

fn error(code: StatusCode, name: &str) -> Response<Body> {
    let body = json!({"errors": [{"code": name, "message": name.to_lowercase()}]});
    let mut response = status(code);
    *response.body_mut() = Body::from(body.to_string());
    response
}
