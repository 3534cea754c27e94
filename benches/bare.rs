//! The exchanges with a registry that nobody can avoid, and nothing else.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Method, Request, Response, StatusCode, body::Incoming, client::conn::http1::SendRequest, header,
};
use rustls::ClientConfig;
use serde::Deserialize;
use tokio::{sync::Mutex, task::JoinSet};

use crate::{load::dial, registry::credentials};

const ACCEPT: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json";

/// Open connections with a token for each.
pub(crate) struct Bare {
    address: SocketAddr,
    open: Vec<Open>,
}

struct Open {
    sender: SendRequest<Full<Bytes>>,
    repository: String,
    bearer: String,
}

#[derive(Deserialize)]
struct Token {
    token: String,
}

impl Bare {
    /// Resolves one tag of each repository, all at once and each from nothing: TCP, TLS, challenge, token, HEAD.
    /// The token server is the registry itself, as GHCR's is, so one connection serves for all three requests.
    pub(crate) async fn cold(
        address: SocketAddr,
        tls: &Arc<ClientConfig>,
        repositories: &[String],
        tag: &str,
    ) -> Result<(Self, Duration)> {
        let start = Instant::now();
        let mut lookups = JoinSet::new();
        for repository in repositories {
            let (tls, tag, repository) = (Arc::clone(tls), tag.to_owned(), repository.clone());
            lookups.spawn(async move {
                let mut sender = dial(address, &tls).await?;
                let url = manifest(&repository, &tag);
                let answer = send(&mut sender, address, Method::HEAD, &url, None).await?;
                ensure!(answer.status() == StatusCode::UNAUTHORIZED, "no challenge");
                let bearer = fetch_token(&mut sender, address, &answer).await?;
                let answer = send(&mut sender, address, Method::HEAD, &url, Some(&bearer)).await?;
                has_digest(&answer)?;
                Ok::<_, anyhow::Error>(Open {
                    sender,
                    repository,
                    bearer,
                })
            });
        }
        let mut open = Vec::new();
        while let Some(ended) = lookups.join_next().await {
            open.push(ended??);
        }
        Ok((Self { address, open }, start.elapsed()))
    }

    /// Resolves many tags of one repository over so many connections, from nothing: TCP, TLS, challenge and token once, then
    /// the HEADs.
    pub(crate) async fn heads(
        address: SocketAddr,
        tls: &Arc<ClientConfig>,
        repository: &str,
        tags: &[String],
        at_once: usize,
    ) -> Result<Duration> {
        let start = Instant::now();
        let mut first = dial(address, tls).await?;
        let url = manifest(repository, tags.first().context("a tag")?);
        let answer = send(&mut first, address, Method::HEAD, &url, None).await?;
        let bearer = fetch_token(&mut first, address, &answer).await?;
        let queue = Arc::new(Mutex::new(tags.to_vec()));
        let mut workers = JoinSet::new();
        for _ in 0..at_once {
            let (queue, bearer, tls) = (Arc::clone(&queue), bearer.clone(), Arc::clone(tls));
            let repository = repository.to_owned();
            workers.spawn(async move {
                let mut sender = dial(address, &tls).await?;
                loop {
                    let next = queue.lock().await.pop();
                    let Some(tag) = next else {
                        return Ok::<_, anyhow::Error>(());
                    };
                    let url = manifest(&repository, &tag);
                    let answer =
                        send(&mut sender, address, Method::HEAD, &url, Some(&bearer)).await?;
                    has_digest(&answer)?;
                }
            });
        }
        while let Some(ended) = workers.join_next().await {
            ended??;
        }
        Ok(start.elapsed())
    }

    /// Resolves another tag of each repository, all at once: one HEAD each.
    pub(crate) async fn warm(&mut self, tag: &str) -> Result<Duration> {
        let start = Instant::now();
        let mut lookups = JoinSet::new();
        let address = self.address;
        for mut open in self.open.drain(..) {
            let url = manifest(&open.repository, tag);
            lookups.spawn(async move {
                let bearer = Some(open.bearer.as_str());
                let answer = send(&mut open.sender, address, Method::HEAD, &url, bearer).await?;
                has_digest(&answer)?;
                Ok::<_, anyhow::Error>(open)
            });
        }
        while let Some(ended) = lookups.join_next().await {
            self.open.push(ended??);
        }
        Ok(start.elapsed())
    }
}

/// Fetches the token that the challenge asks for.
async fn fetch_token(
    sender: &mut SendRequest<Full<Bytes>>,
    address: SocketAddr,
    challenged: &Response<Incoming>,
) -> Result<String> {
    let challenge = challenged.headers().get(header::WWW_AUTHENTICATE);
    let challenge = challenge.context("no challenge")?.to_str()?;
    let scope = challenge.split_once(r#"scope=""#).context("no scope")?.1;
    let url = format!("/token?service=bench&scope={}", scope.trim_end_matches('"'));
    let basic = format!("Basic {}", credentials());
    let answer = send(sender, address, Method::GET, &url, Some(&basic)).await?;
    let body = answer.into_body().collect().await?.to_bytes();
    let Token { token } = serde_json::from_slice(&body)?;
    Ok(format!("Bearer {token}"))
}

async fn send(
    sender: &mut SendRequest<Full<Bytes>>,
    address: SocketAddr,
    method: Method,
    url: &str,
    authorization: Option<&str>,
) -> Result<Response<Incoming>> {
    let mut request = Request::builder()
        .method(method)
        .uri(url)
        .header(header::HOST, address.to_string())
        .header(header::ACCEPT, ACCEPT);
    if let Some(value) = authorization {
        request = request.header(header::AUTHORIZATION, value);
    }
    sender.ready().await?;
    Ok(sender.send_request(request.body(Full::default())?).await?)
}

fn manifest(repository: &str, tag: &str) -> String {
    format!("/v2/{repository}/manifests/{tag}")
}

fn has_digest(answer: &Response<Incoming>) -> Result<()> {
    let has = answer.headers().contains_key("docker-content-digest");
    ensure!(has, "no digest, status {}", answer.status());
    Ok(())
}
