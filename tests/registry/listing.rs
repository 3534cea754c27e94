//! Tags, page by page: where the list may go on, and where it ends.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::body::Body;
use bytes::Bytes;
use cotter::{
    domain::policy::Cause,
    registry::{client::Client, reading::Place, settings::Settings, tags::TagList},
};
use futures_util::stream;
use http::{Response, header};
use rstest::rstest;
use serde_json::json;

use crate::{
    common::{alice, bob, client_with, listed, settings},
    oci_registry::{Image, OciRegistry},
    serve::{Distance, Served, serve},
};

fn place(host: &str) -> Place {
    Place {
        host: host.into(),
        repository: "team/app".into(),
        credential: Some(alice()),
    }
}

fn names(list: &TagList) -> Vec<&str> {
    list.tags.iter().map(|tag| tag.name.as_str()).collect()
}

async fn with_tags(tags: &[&str]) -> (OciRegistry, Client) {
    let registry = OciRegistry::start().await;
    registry.add_user("alice", "wonderland", &["team/app"]);
    registry.add_user("bob", "builder", &[]);
    for tag in tags {
        registry.push("team/app", tag, &Image::new("1"));
    }
    let client = client_with(settings(vec![listed(&registry.host(), registry.ca_pem())]));
    (registry, client)
}

#[rstest]
#[case::one_page(10, 1)]
#[case::exactly_one(5, 1)]
#[case::pages(2, 3)]
#[case::a_tag_a_page(1, 5)]
#[tokio::test]
async fn all_pages_are_read(#[case] size: usize, #[case] pages: usize) {
    let (registry, client) = with_tags(&["a", "b", "c", "dev", "v1"]).await;
    registry.set_page(size);
    let list = client.tags(place(&registry.host())).await.unwrap();
    assert_eq!(names(&list), ["a", "b", "c", "dev", "v1"]);
    assert!(list.complete);
    let counts = registry.take_counts();
    assert_eq!((counts.pages, counts.tokens), (pages, 1));
}

#[tokio::test]
async fn each_credential_reads_its_own_list() {
    let (registry, client) = with_tags(&["dev"]).await;
    client.tags(place(&registry.host())).await.unwrap();
    for credential in [Some(bob()), None] {
        let place = Place {
            credential,
            ..place(&registry.host())
        };
        let refused = client.tags(place).await.unwrap_err();
        assert_eq!(refused.cause, Cause::Unauthorized);
    }
}

#[tokio::test]
async fn a_repository_that_is_not_there() {
    let (registry, client) = with_tags(&[]).await;
    let refused = client.tags(place(&registry.host())).await.unwrap_err();
    assert_eq!(refused.cause, Cause::NotFound);
}

#[tokio::test]
async fn offline_asks_nobody() {
    let (registry, _) = with_tags(&["dev"]).await;
    let settings = Settings {
        offline: true,
        ..settings(vec![listed(&registry.host(), registry.ca_pem())])
    };
    let refused = client_with(settings).tags(place(&registry.host())).await;
    assert_eq!(refused.unwrap_err().cause, Cause::Refused);
    assert_eq!(registry.take_counts().challenges, 0);
}

/// A registry without TLS that answers every request for tags with `page`, which is given the path and query.
struct Liar {
    served: Served,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Liar {
    async fn start(page: impl Fn(&str) -> Response<Body> + Clone + Send + Sync + 'static) -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        let served = serve(None, Distance::default(), move |request| {
            let path = request.uri().to_string();
            seen.lock().unwrap().push(path.clone());
            let answer = page(&path);
            async { answer }
        })
        .await;
        Self { served, asked }
    }

    fn host(&self) -> String {
        self.served.address().to_string()
    }

    fn client(&self) -> Client {
        let mut host = listed(&self.host(), "");
        host.plain_http = true;
        client_with(settings(vec![host]))
    }

    async fn tags(&self) -> Result<TagList, Cause> {
        let list = self.client().tags(place(&self.host())).await;
        list.map_err(|failure| failure.cause)
    }

    fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

fn page(tag: &str, next: &str) -> Response<Body> {
    let body = json!({"name": "team/app", "tags": [tag]}).to_string();
    Response::builder()
        .header(header::LINK, format!(r#"<{next}>; rel="next""#))
        .body(Body::from(body))
        .unwrap()
}

#[tokio::test]
async fn a_list_that_goes_on_elsewhere_is_refused() {
    let other = Liar::start(|_| page("stolen", "/v2/")).await;
    // The same address under another name: what is compared is the host as it is written.
    let elsewhere = format!(
        "http://localhost:{}/v2/team/app/tags/list",
        other.served.address().port()
    );
    let registry = Liar::start(move |_| page("dev", &elsewhere)).await;
    assert_eq!(registry.tags().await, Err(Cause::Refused));
    assert_eq!((registry.asked(), other.asked()), (1, 0));
}

#[tokio::test]
async fn a_list_that_leads_back_ends() {
    let registry = Liar::start(|_| page("dev", "/v2/team/app/tags/list?n=1&last=dev")).await;
    let list = registry.tags().await.unwrap();
    assert_eq!((names(&list), list.complete), (vec!["dev"], true));
    assert_eq!(registry.asked(), 2);
}

#[tokio::test]
async fn a_list_without_an_end_is_cut_and_says_so() {
    let registry = Liar::start(|path| {
        let number = path.rsplit_once("last=").map_or("0", |(_, number)| number);
        let next: u32 = number.parse::<u32>().unwrap() + 1;
        page(
            &format!("t{number}"),
            &format!("/v2/team/app/tags/list?n=1&last={next}"),
        )
    })
    .await;
    let list = registry.tags().await.unwrap();
    assert_eq!((list.tags.len(), list.complete), (100, false));
    assert_eq!(registry.asked(), 100);
}

#[rstest]
#[case::endless(|| Body::from_stream(stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&[b' '; 16 << 10])))))]
#[case::no_json(|| Body::from("<html>"))]
#[case::another_shape(|| Body::from(r#"{"tags": "dev"}"#))]
#[tokio::test]
async fn a_page_that_is_none(#[case] body: fn() -> Body) {
    let registry = Liar::start(move |_| Response::new(body())).await;
    assert_eq!(registry.tags().await, Err(Cause::Unavailable));
}

#[tokio::test]
async fn a_page_that_never_comes() {
    let registry = Liar::start(|_| {
        Response::new(Body::from_stream(stream::pending::<
            Result<Bytes, std::io::Error>,
        >()))
    })
    .await;
    let asked = tokio::time::timeout(Duration::from_secs(20), registry.tags()).await;
    assert_eq!(asked.unwrap(), Err(Cause::Unavailable));
}
