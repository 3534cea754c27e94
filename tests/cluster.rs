//! The watches and live look-ups against a scripted API server.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "support/apiserver.rs"]
mod apiserver;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use apiserver::ApiServer;
use cotter::{
    admission::ports::Cluster as _,
    cluster::{ClusterWatches, LiveCluster, WatchScope, spawn},
    domain::policy::Mode,
    telemetry::metrics::Metrics,
};

struct Watched {
    cluster: Arc<LiveCluster>,
    watches: ClusterWatches,
    metrics: Arc<Metrics>,
}

impl Watched {
    fn of(server: &ApiServer) -> Self {
        Self::within(server, &WatchScope::All)
    }

    fn within(server: &ApiServer, scope: &WatchScope) -> Self {
        let metrics = Arc::new(Metrics::default());
        let (cluster, watches) = spawn(&server.client(), scope, &metrics);
        Self {
            cluster,
            watches,
            metrics,
        }
    }

    async fn ready(server: &ApiServer) -> Self {
        let watched = Self::of(server);
        until("ready", || watched.watches.synced()).await;
        watched
    }

    fn secrets(&self, namespace: &str) -> Option<Vec<String>> {
        let secrets = self.cluster.pull_secrets(namespace)?;
        Some(secrets.iter().map(|s| s.name().to_string()).collect())
    }

    fn errors(&self) -> Vec<String> {
        let status = self.watches.status();
        status.into_iter().filter_map(|watch| watch.error).collect()
    }
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(5)
}

const JSON: &str = "dockerconfigjson";
const CFG: &str = "dockercfg";

#[tokio::test]
async fn not_ready_while_a_list_hangs() {
    let server = ApiServer::start().await;
    server.namespace("team", Some("enforce"));
    server.secret("team", "s", JSON);
    server.hang("get secrets type=kubernetes.io/dockercfg");
    let watched = Watched::of(&server);
    let synced = || {
        let status = watched.watches.status();
        status
            .into_iter()
            .filter(|w| w.synced)
            .map(|w| w.name)
            .collect::<Vec<_>>()
    };
    until("the others have listed", || synced().len() == 3).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(
        synced(),
        [
            "namespaces",
            "pull secrets (dockerconfigjson)",
            "service accounts"
        ]
    );
    assert_eq!(watched.secrets("team"), None, "one type is not known yet");
    server.go_on();
    until("ready", || watched.watches.synced()).await;
    assert_eq!(watched.secrets("team").unwrap(), ["s"]);
}

#[tokio::test]
async fn what_the_watches_tell_is_seen() {
    let server = ApiServer::start().await;
    server.namespace("team", Some("audit"));
    server.namespace("other", None);
    server.secret("team", "one", JSON);
    server.secret("team", "two", CFG);
    server.account("team", "default", &["one"]);
    let watched = Watched::ready(&server).await;
    let cluster = &watched.cluster;
    assert_eq!(cluster.namespace("team").unwrap().mode, Some(Mode::Audit));
    assert_eq!(cluster.namespace("other").unwrap().mode, None);
    assert_eq!(cluster.namespace("unknown"), None);
    assert_eq!(watched.secrets("team").unwrap(), ["one", "two"]);
    let account = cluster.service_account("team", "default").unwrap();
    assert_eq!(account.pull_secrets, ["one"]);

    server.secret("team", "three", CFG);
    server.delete("secrets", "team", "one");
    server.delete("serviceaccounts", "team", "default");
    server.namespace("other", Some("enforce"));
    until("secrets", || {
        watched.secrets("team").unwrap() == ["three", "two"]
    })
    .await;
    until("account", || {
        cluster.service_account("team", "default").is_none()
    })
    .await;
    until("namespace", || {
        cluster.namespace("other").unwrap().mode == Some(Mode::Enforce)
    })
    .await;
}

#[tokio::test]
async fn lists_come_in_pages() {
    let server = ApiServer::start().await;
    server.namespace("team", Some("enforce"));
    for n in 0..1201 {
        server.secret("team", &format!("s{n}"), JSON);
    }
    let watched = Watched::ready(&server).await;
    assert_eq!(watched.secrets("team").unwrap().len(), 1201);
    assert_eq!(
        server.asked("get secrets type=kubernetes.io/dockerconfigjson"),
        3
    );
}

#[tokio::test]
async fn a_namespace_is_known_when_its_secrets_were_listed() {
    let server = ApiServer::start().await;
    server.namespace("team", None);
    server.secret("team", "s", JSON);
    let watched = Watched::ready(&server).await;
    assert_eq!(watched.secrets("team"), None, "dropped on arrival");

    server.hang("get namespaces/team/secrets");
    server.namespace("team", Some("enforce"));
    until("listed", || {
        server.asked("get namespaces/team/secrets") == 2
    })
    .await;
    assert_eq!(watched.secrets("team"), None, "not before the list is in");
    server.go_on();
    until("known", || watched.secrets("team").is_some()).await;
    assert_eq!(watched.secrets("team").unwrap(), ["s"]);

    server.namespace("team", None);
    until("dropped", || watched.secrets("team").is_none()).await;
}

#[tokio::test]
async fn a_relist_after_an_expired_history_swaps_the_state_at_once() {
    let server = ApiServer::start().await;
    server.namespace("team", Some("enforce"));
    server.secret("team", "stays", JSON);
    server.secret("team", "goes", JSON);
    let watched = Watched::ready(&server).await;
    server.delete_and_expire("secrets", "team", "goes");
    let seen = std::cell::RefCell::new(Vec::new());
    until("relisted", || {
        let now = watched.secrets("team").unwrap();
        if seen.borrow().last() != Some(&now) {
            seen.borrow_mut().push(now.clone());
        }
        now == ["stays"]
    })
    .await;
    assert_eq!(*seen.borrow(), [vec!["goes", "stays"], vec!["stays"]]);
    assert!(
        watched
            .metrics
            .encode()
            .contains("cotter_watch_errors_total{watch=\"pull_secrets\"}")
    );
}

#[tokio::test]
async fn when_the_api_server_dies_the_last_state_stays() {
    let server = ApiServer::start().await;
    server.namespace("team", Some("enforce"));
    server.secret("team", "s", JSON);
    let watched = Watched::ready(&server).await;
    let address = server.address;
    drop(server);
    until("told", || watched.errors().len() == 4).await;
    assert!(
        watched.errors()[0].starts_with("cannot watch namespaces: "),
        "{:?}",
        watched.errors()
    );
    assert!(watched.watches.synced(), "still ready");
    assert_eq!(watched.secrets("team").unwrap(), ["s"]);
    let look = watched.cluster.look_up_pull_secrets("team", soon()).await;
    assert!(look.is_none(), "nobody answers");

    let server = ApiServer::start_on(address, 100).await;
    server.namespace("team", Some("audit"));
    server.secret("team", "t", JSON);
    server.account("team", "default", &[]);
    let cluster = &watched.cluster;
    until("followed", || {
        cluster.namespace("team").unwrap().mode == Some(Mode::Audit)
            && watched.secrets("team").unwrap() == ["s", "t"]
            && cluster.service_account("team", "default").is_some()
    })
    .await;
    until("the errors are over", || watched.errors().len() == 1).await;
}

#[tokio::test]
async fn a_look_up_sees_what_the_watches_have_not() {
    let server = ApiServer::start().await;
    let watched = Watched::ready(&server).await;
    server.fall_silent();
    let cluster = &watched.cluster;
    server.namespace("late", Some("enforce"));
    server.secret("late", "s", JSON);
    let namespace = cluster.look_up_namespace("late", soon()).await.unwrap();
    assert_eq!(namespace.mode, Some(Mode::Enforce));
    let secrets = cluster.look_up_pull_secrets("late", soon()).await.unwrap();
    assert!(secrets.get("s").is_some());
    assert_eq!(watched.secrets("late").unwrap(), ["s"], "it is remembered");
    assert!(cluster.look_up_namespace("nowhere", soon()).await.is_none());
    assert!(
        cluster
            .look_up_namespace("no/such/path", soon())
            .await
            .is_none()
    );
}

#[tokio::test]
async fn look_ups_are_shared_and_rationed() {
    let server = ApiServer::start().await;
    server.namespace("team", Some("enforce"));
    let watched = Watched::ready(&server).await;
    let cluster = &watched.cluster;
    let many = (0..50).map(|_| cluster.look_up_pull_secrets("team", soon()));
    let answers = futures_util::future::join_all(many).await;
    assert!(answers.iter().all(Option::is_some));
    assert_eq!(
        server.asked("get namespaces/team/secrets"),
        2,
        "one of each type"
    );
    let (mut answered, began) = (0, Instant::now());
    for _ in 0..20 {
        answered += usize::from(cluster.look_up_pull_secrets("team", soon()).await.is_some());
    }
    let refilled = usize::try_from(began.elapsed().as_millis() / 250).unwrap() + 1;
    assert!((3..=3 + refilled).contains(&answered), "{answered}");
    server.hang("get namespaces/team");
    let deadline = Instant::now() + Duration::from_millis(50);
    assert!(cluster.look_up_namespace("team", deadline).await.is_none());
    assert!(
        deadline.elapsed() < Duration::from_secs(2),
        "the deadline holds"
    );
}

#[tokio::test]
async fn a_missing_permission_is_named() {
    let server = ApiServer::start().await;
    server.forbid("get secrets type=kubernetes.io/dockercfg");
    let watched = Watched::of(&server);
    until("told", || !watched.errors().is_empty()).await;
    assert_eq!(
        watched.errors(),
        [
            "may not list secrets: grant the verb list on secrets to cotter (RBAC); the API server says: the fake says no"
        ]
    );
    assert!(!watched.watches.synced());
}

fn shop_and_bank() -> WatchScope {
    WatchScope::of(&["shop".to_owned(), "bank".to_owned()])
}

#[tokio::test]
async fn a_scope_of_listed_namespaces_asks_for_nothing_else() {
    let server = ApiServer::start().await;
    for name in ["shop", "bank", "other"] {
        server.namespace(name, Some("enforce"));
        server.secret(name, "s", JSON);
        server.account(name, "default", &["s"]);
    }
    let watched = Watched::within(&server, &shop_and_bank());
    until("ready", || watched.watches.synced()).await;
    let cluster = &watched.cluster;
    for name in ["shop", "bank"] {
        assert_eq!(watched.secrets(name).unwrap(), ["s"]);
        assert!(cluster.service_account(name, "default").is_some());
    }
    assert!(cluster.watches("shop") && !cluster.watches("other"));
    assert_eq!(cluster.namespace("other"), None);
    assert!(cluster.look_up_namespace("other", soon()).await.is_none());
    assert!(
        cluster
            .look_up_pull_secrets("other", soon())
            .await
            .is_none()
    );
    assert_eq!(server.asked("other"), 0);
    assert_eq!(server.asked("get secrets"), 0);
    assert_eq!(server.asked("get serviceaccounts"), 0);
    let namespaces = server.asked("get namespaces metadata.name=");
    assert_eq!(server.asked("get namespaces "), namespaces);

    server.secret("shop", "t", JSON);
    server.namespace("bank", None);
    until("shop", || watched.secrets("shop").unwrap() == ["s", "t"]).await;
    until("bank", || watched.secrets("bank").is_none()).await;
    let newest = cluster.look_up_pull_secrets("shop", soon()).await.unwrap();
    assert_eq!(
        newest.iter().count(),
        2,
        "live look-ups work inside the scope"
    );
}

#[tokio::test]
async fn a_namespace_without_rights_leaves_the_others_alone_and_heals() {
    let server = ApiServer::start().await;
    for name in ["shop", "bank"] {
        server.namespace(name, Some("enforce"));
        server.secret(name, "s", JSON);
    }
    server.forbid("namespaces/bank/serviceaccounts");
    let watched = Watched::within(&server, &shop_and_bank());
    until("shop", || watched.secrets("shop").is_some()).await;
    until("told", || !watched.errors().is_empty()).await;
    let errors = watched.errors();
    assert_eq!(errors.len(), 1);
    assert!(
        errors[0]
            .starts_with("may not list serviceaccounts in namespace bank: grant the verb list"),
        "{errors:?}"
    );
    let status = watched.watches.status();
    let missing: Vec<_> = status
        .into_iter()
        .filter_map(|watch| watch.missing)
        .collect();
    assert_eq!(missing.len(), 1);
    assert_eq!(
        missing[0].target.to_string(),
        "serviceaccounts in namespace bank"
    );
    server.permit();
    until("healed", || {
        watched.watches.synced() && watched.errors().is_empty()
    })
    .await;
}

#[tokio::test]
async fn a_watch_without_news_is_known_to_be_alive_by_its_bookmarks() {
    let server = ApiServer::start().await;
    let watched = Watched::ready(&server).await;
    let heard = || -> f64 {
        let metrics = watched.metrics.encode();
        let line = r#"cotter_watch_synced_timestamp_seconds{watch="namespaces"} "#;
        let value = metrics.lines().find_map(|l| l.strip_prefix(line));
        value.map_or(0.0, |value| value.parse().unwrap())
    };
    until("told", || heard() > 0.0).await;
    let before = heard();
    server.bookmark();
    until("heard", || heard() > before).await;
}
