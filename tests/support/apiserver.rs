//! An API server that knows namespaces, secrets and service accounts, on plain HTTP: lists in pages, watches with
//! replay, and can be told to hang, to forbid, to expire its history and to die.

use std::{
    collections::HashMap,
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
};

use bytes::Bytes;
use futures_util::stream;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::{Frame, Incoming};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::mpsc, task::JoinSet};

type Body = UnsyncBoxBody<Bytes, Infallible>;

/// The API server. Dropped, it is gone with all its connections.
pub(crate) struct ApiServer {
    pub(crate) address: SocketAddr,
    world: Arc<Mutex<World>>,
    _tasks: JoinSet<()>,
}

#[derive(Default)]
struct World {
    /// Objects by `plural/namespace/name`.
    objects: HashMap<String, Value>,
    history: Vec<(u64, &'static str, String, Value)>,
    watchers: Vec<Watcher>,
    revision: u64,
    silent: bool,
    /// Watches from before this revision are told to list again.
    expired: u64,
    hanging: Vec<String>,
    forbidden: Vec<String>,
    requests: Vec<String>,
}

struct Watcher {
    plural: String,
    namespace: Option<String>,
    selector: String,
    lines: mpsc::UnboundedSender<Value>,
}

impl ApiServer {
    pub(crate) async fn start() -> Self {
        Self::start_on("127.0.0.1:0".parse().unwrap(), 0).await
    }

    pub(crate) async fn start_on(address: SocketAddr, revision: u64) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let world = World {
            revision,
            ..World::default()
        };
        let world = Arc::new(Mutex::new(world));
        let served = world.clone();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let world = served.clone();
                let service = hyper::service::service_fn(move |request| {
                    let world = world.clone();
                    async move { Ok::<_, Infallible>(answer(world, request).await) }
                });
                connections.spawn(async move {
                    let http = hyper::server::conn::http1::Builder::new();
                    let _ = http.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Self {
            address,
            world,
            _tasks: tasks,
        }
    }

    pub(crate) fn client(&self) -> kube::Client {
        let mut config = kube::Config::new(format!("http://{}", self.address).parse().unwrap());
        config.default_retry = false;
        kube::Client::try_from(config).unwrap()
    }

    pub(crate) fn namespace(&self, name: &str, mode: Option<&str>) {
        let mut labels = json!({"kubernetes.io/metadata.name": name});
        if let Some(mode) = mode {
            labels["cotter.dev/mode"] = mode.into();
        }
        self.put(
            "namespaces",
            json!({"metadata": {"name": name, "labels": labels}}),
        );
    }

    pub(crate) fn secret(&self, namespace: &str, name: &str, kind: &str) {
        let key = format!(".{kind}");
        // {"auths":{}}
        self.put(
            "secrets",
            json!({"metadata": {"namespace": namespace, "name": name},
                   "type": format!("kubernetes.io/{kind}"), "data": {key: "eyJhdXRocyI6e319"}}),
        );
    }

    pub(crate) fn account(&self, namespace: &str, name: &str, pull_secrets: &[&str]) {
        let named: Vec<_> = pull_secrets.iter().map(|s| json!({"name": s})).collect();
        self.put(
            "serviceaccounts",
            json!({"metadata": {"namespace": namespace, "name": name}, "imagePullSecrets": named}),
        );
    }

    pub(crate) fn put(&self, plural: &str, mut object: Value) {
        let mut world = self.world();
        world.revision += 1;
        object["metadata"]["resourceVersion"] = world.revision.to_string().into();
        let key = key(plural, &object);
        let known = world.objects.insert(key, object.clone()).is_some();
        let event = if known { "MODIFIED" } else { "ADDED" };
        world.tell(event, plural, object);
    }

    pub(crate) fn delete(&self, plural: &str, namespace: &str, name: &str) {
        let mut world = self.world();
        let key = format!("{plural}/{namespace}/{name}");
        let mut object = world.objects.remove(&key).unwrap();
        world.revision += 1;
        object["metadata"]["resourceVersion"] = world.revision.to_string().into();
        world.tell("DELETED", plural, object);
    }

    /// Changes an object behind the watches' back, then says that their history is gone.
    pub(crate) fn delete_and_expire(&self, plural: &str, namespace: &str, name: &str) {
        let mut world = self.world();
        world.revision += 1;
        world
            .objects
            .remove(&format!("{plural}/{namespace}/{name}"));
        world.expired = world.revision;
        for watcher in world.watchers.drain(..) {
            let _ = watcher.lines.send(expired());
        }
    }

    /// Requests whose line contains `part` stay unanswered, until [`Self::go_on`].
    pub(crate) fn hang(&self, part: &str) {
        self.world().hanging.push(part.to_owned());
    }

    pub(crate) fn go_on(&self) {
        self.world().hanging.clear();
    }

    /// Watches stay open and are told nothing.
    pub(crate) fn fall_silent(&self) {
        self.world().silent = true;
    }

    /// Requests whose line contains `part` are forbidden, until [`Self::permit`].
    pub(crate) fn forbid(&self, part: &str) {
        self.world().forbidden.push(part.to_owned());
    }

    pub(crate) fn permit(&self) {
        self.world().forbidden.clear();
    }

    /// Tells all watches that there is no news.
    pub(crate) fn bookmark(&self) {
        let world = self.world();
        let metadata = json!({"resourceVersion": world.revision.to_string()});
        let line = json!({"type": "BOOKMARK", "object": {"kind": "Any", "apiVersion": "v1", "metadata": metadata}});
        for watcher in &world.watchers {
            let _ = watcher.lines.send(line.clone());
        }
    }

    /// How many requests contained `part` so far.
    pub(crate) fn asked(&self, part: &str) -> usize {
        let world = self.world();
        world.requests.iter().filter(|r| r.contains(part)).count()
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }
}

impl World {
    fn tell(&mut self, event: &'static str, plural: &str, object: Value) {
        let line = json!({"type": event, "object": object});
        for watcher in &self.watchers {
            let namespace = watcher.namespace.as_deref();
            if !self.silent
                && watcher.plural == plural
                && is_in(namespace, &object)
                && selects(&watcher.selector, &object)
            {
                let _ = watcher.lines.send(line.clone());
            }
        }
        self.history
            .push((self.revision, event, plural.to_owned(), object));
    }

    fn list(
        &self,
        plural: &str,
        namespace: Option<&str>,
        query: &HashMap<String, String>,
    ) -> Value {
        let selector = query.get("fieldSelector").cloned().unwrap_or_default();
        let prefix = match namespace {
            Some(namespace) => format!("{plural}/{namespace}/"),
            None => format!("{plural}/"),
        };
        let mut keys: Vec<_> = self
            .objects
            .iter()
            .filter(|(key, object)| key.starts_with(&prefix) && selects(&selector, object))
            .map(|(key, _)| key)
            .collect();
        keys.sort();
        let number = |key: &str| query.get(key).and_then(|n| n.parse::<usize>().ok());
        let (from, limit) = (
            number("continue").unwrap_or(0),
            number("limit").unwrap_or(usize::MAX),
        );
        let page: Vec<_> = keys.iter().skip(from).take(limit).collect();
        let mut metadata = json!({"resourceVersion": self.revision.to_string()});
        if from + page.len() < keys.len() {
            metadata["continue"] = (from + page.len()).to_string().into();
        }
        let items: Vec<_> = page
            .into_iter()
            .map(|key| self.objects[*key].clone())
            .collect();
        json!({"kind": "List", "apiVersion": "v1", "metadata": metadata, "items": items})
    }

    fn watch(
        &mut self,
        plural: &str,
        namespace: Option<&str>,
        query: &HashMap<String, String>,
    ) -> mpsc::UnboundedReceiver<Value> {
        let (lines, receiver) = mpsc::unbounded_channel();
        let selector = query.get("fieldSelector").cloned().unwrap_or_default();
        let since: u64 = query["resourceVersion"].parse().unwrap();
        if since < self.expired {
            let _ = lines.send(expired());
            return receiver;
        }
        for (revision, event, of, object) in &self.history {
            let fits = is_in(namespace, object) && selects(&selector, object);
            if *revision > since && of == plural && fits {
                let _ = lines.send(json!({"type": event, "object": object}));
            }
        }
        self.watchers.push(Watcher {
            plural: plural.to_owned(),
            namespace: namespace.map(str::to_owned),
            selector,
            lines,
        });
        receiver
    }
}

fn expired() -> Value {
    json!({"type": "ERROR", "object": {"kind": "Status", "status": "Failure", "code": 410,
           "reason": "Expired", "message": "too old resource version"}})
}

fn key(plural: &str, object: &Value) -> String {
    let text = |member: &str| object["metadata"][member].as_str().unwrap_or_default();
    format!("{plural}/{}/{}", text("namespace"), text("name"))
}

fn selects(selector: &str, object: &Value) -> bool {
    match selector.split_once('=') {
        Some(("type", kind)) => object["type"] == kind,
        Some(("metadata.name", name)) => object["metadata"]["name"] == name,
        _ => true,
    }
}

fn is_in(namespace: Option<&str>, object: &Value) -> bool {
    namespace.is_none_or(|namespace| object["metadata"]["namespace"] == namespace)
}

async fn answer(world: Arc<Mutex<World>>, request: Request<Incoming>) -> Response<Body> {
    let query: HashMap<String, String> = request
        .uri()
        .query()
        .unwrap_or_default()
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(k, v)| (k.to_owned(), v.replace("%3D", "=").replace("%2F", "/")))
        .collect();
    let path = request
        .uri()
        .path()
        .trim_start_matches("/api/v1/")
        .to_owned();
    let watching = query.get("watch").is_some_and(|watch| watch == "true");
    let selector = query.get("fieldSelector").cloned().unwrap_or_default();
    let verb = if watching { "watch" } else { "get" };
    let line = format!("{verb} {path} {selector}");
    world.lock().unwrap().requests.push(line.clone());
    let matches = |parts: &[String]| parts.iter().any(|part| line.contains(part));
    while matches(&world.lock().unwrap().hanging.clone()) {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let mut world = world.lock().unwrap();
    if matches(&world.forbidden) {
        let status = json!({"kind": "Status", "status": "Failure", "code": 403, "reason": "Forbidden",
                            "message": "the fake says no"});
        return whole(403, &status);
    }
    let segments: Vec<&str> = path.split('/').collect();
    match *segments {
        [plural] | ["namespaces", _, plural] if watching => {
            let namespace = segments.get(1).copied();
            let lines = world.watch(plural, namespace, &query);
            let frames = stream::unfold(lines, |mut lines| async move {
                let line = lines.recv().await?;
                let frame = Frame::data(Bytes::from(format!("{line}\n")));
                Some((Ok::<_, Infallible>(frame), lines))
            });
            Response::new(StreamBody::new(frames).boxed_unsync())
        }
        [plural] => whole(200, &world.list(plural, None, &query)),
        ["namespaces", namespace, plural] => {
            whole(200, &world.list(plural, Some(namespace), &query))
        }
        ["namespaces", name] => match world.objects.get(&format!("namespaces//{name}")) {
            Some(object) => whole(200, object),
            None => whole(
                404,
                &json!({"kind": "Status", "status": "Failure", "code": 404}),
            ),
        },
        _ => whole(
            404,
            &json!({"kind": "Status", "status": "Failure", "code": 404}),
        ),
    }
}

fn whole(status: u16, body: &Value) -> Response<Body> {
    let body = Full::from(body.to_string()).boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = status.try_into().unwrap();
    response
}
