//! Asking registries on behalf of a person: each image once, so many at a time, with the credentials in their order.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::bail;
use clap::Args;

use super::{
    credentials::{CredentialArgs, Credentials, Way},
    settings,
};
use crate::{
    admission::ports::{Ask, Registry as _},
    config::{
        file::{self, FileConfig},
        proxy::{Proxy, ProxyArgs},
    },
    domain::{
        nearest::nearest,
        policy::{Cause, PinStyle},
        question::{Failure, Resolution, Resolved},
        reference::{DEFAULT_TAG, Reference},
    },
    registry::{client::Client, reading::Place, settings::Settings},
    telemetry::metrics::Metrics,
};

/// How registries are asked, for commands that do.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Registries")]
pub struct RegistryArgs {
    /// Policies, registries (private CAs, plain HTTP) and how to resolve, as `cotter serve` reads them
    #[arg(long, value_name = "FILE", env = "COTTER_CONFIG")]
    pub config: Option<PathBuf>,

    /// Credentials.
    #[command(flatten)]
    pub credentials: CredentialArgs,

    /// The environment's proxies.
    #[command(flatten)]
    pub proxy: ProxyArgs,
}

/// Asks registries. Cheap to clone; clones share connections and answers.
#[derive(Clone, Debug)]
pub struct Asker {
    /// The registry client.
    pub client: Client,
    /// Where credentials come from.
    pub credentials: Credentials,
    /// The longest that one question may take.
    pub timeout: Duration,
    /// Answers are as old as this at most: what was asked when the command began.
    since: Instant,
}

/// What an image means, and who was told so.
#[derive(Clone, Debug)]
pub struct Answered {
    /// What the tag means.
    pub resolved: Resolved,
    /// The way that led there.
    pub way: Way,
}

/// What came of the ways to ask for an image.
#[derive(Clone, Debug)]
pub struct Attempts {
    /// The ways, in order.
    pub ways: Vec<Way>,
    /// What came of the first ones of them: failures, and then perhaps an answer, after which nobody else was asked.
    pub outcomes: Vec<Resolution>,
}

/// Why an image has no meaning: the way that tells most, and what came of it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Unanswered {
    /// The registry said no, or could not be asked.
    #[error("{}", .0.detail)]
    Failed(Failure),
    /// There is no credential to ask with, as a credential helper fails.
    #[error("{0}")]
    NoCredential(String),
}

// === impl RegistryArgs ===

impl RegistryArgs {
    /// Reads `--config`; without it, the built-in policies and settings.
    ///
    /// # Errors
    /// If the file cannot be used.
    pub fn file(&self) -> anyhow::Result<FileConfig> {
        Ok(self
            .config
            .as_deref()
            .map(file::read)
            .transpose()?
            .unwrap_or_default())
    }

    /// An asker with the settings of `file` and these credentials, through the environment's proxy. `offline`: nobody is asked.
    ///
    /// # Errors
    /// If the proxy, or a private CA of `file`, cannot be used.
    pub fn asker(
        &self,
        file: &FileConfig,
        credentials: Credentials,
        offline: bool,
    ) -> anyhow::Result<Asker> {
        let proxy = self.proxy.proxy()?;
        Asker::new(file, proxy.as_ref(), credentials, offline)
    }

    /// The registry client alone, for credentials that are at hand.
    ///
    /// # Errors
    /// If `--config`, the proxy or a private CA cannot be used, or the file says that nobody is asked.
    pub fn client(&self) -> anyhow::Result<Client> {
        let file = self.file()?;
        if file.resolve.offline {
            bail!("the configuration says offline: true, so no registry is asked");
        }
        let proxy = self.proxy.proxy()?;
        Ok(Client::new(
            personal(&file, proxy.as_ref(), false),
            Arc::new(Metrics::default()),
        )?)
    }
}

// === impl Asker ===

impl Asker {
    fn new(
        file: &FileConfig,
        proxy: Option<&Proxy>,
        credentials: Credentials,
        offline: bool,
    ) -> anyhow::Result<Self> {
        let settings = personal(file, proxy, offline);
        let timeout = settings.timeout;
        Ok(Self {
            client: Client::new(settings, Arc::new(Metrics::default()))?,
            credentials,
            timeout,
            since: Instant::now(),
        })
    }

    /// What the tag of `image` means now, by the first credential that is told so.
    ///
    /// # Errors
    /// [`Unanswered`] with the failure that tells most.
    pub async fn resolve(
        &self,
        image: &Reference,
        style: PinStyle,
    ) -> Result<Answered, Unanswered> {
        self.attempt(image, style).await?.answered()
    }

    /// Asks what the tag of `image` means now, one way after another until one is told.
    ///
    /// # Errors
    /// [`Unanswered::NoCredential`], before anybody was asked.
    pub async fn attempt(
        &self,
        image: &Reference,
        style: PinStyle,
    ) -> Result<Attempts, Unanswered> {
        let ways = self.credentials.ways(image).await;
        let ways = ways.map_err(|error| Unanswered::NoCredential(format!("{error:#}")))?;
        let mut outcomes = Vec::with_capacity(ways.len());
        for way in &ways {
            let outcome = self.client.resolve(self.ask(image, way, style)).await;
            let is_answer = outcome.is_ok();
            outcomes.push(outcome);
            if is_answer {
                break;
            }
        }
        Ok(Attempts { ways, outcomes })
    }

    /// Tags of the image's repository that somebody may have meant; none if nobody may list them.
    pub async fn nearest(&self, image: &Reference) -> Vec<String> {
        let wanted = image.tag().unwrap_or(DEFAULT_TAG);
        for way in self.credentials.ways(image).await.unwrap_or_default() {
            let place = Place::of(&self.ask(image, &way, PinStyle::Digest));
            if let Ok(found) = self.client.tags(place).await {
                let names = found.tags.iter().map(|tag| tag.name.as_str());
                return nearest(wanted, names)
                    .into_iter()
                    .map(str::to_owned)
                    .collect();
            }
        }
        Vec::new()
    }

    /// The question for one way to ask.
    #[must_use]
    pub fn ask(&self, image: &Reference, way: &Way, style: PinStyle) -> Ask {
        let (host, repository) = image.endpoint();
        let tag = match image.digest() {
            Some(digest) => digest.as_str(),
            None => image.tag().unwrap_or(DEFAULT_TAG),
        };
        Ask {
            host: host.into(),
            repository: repository.into(),
            tag: tag.into(),
            credential: way.credential.clone(),
            style,
            began_after: self.since,
            deadline: Instant::now() + self.timeout,
        }
    }
}

/// The settings with which a person asks.
fn personal(file: &FileConfig, proxy: Option<&Proxy>, offline: bool) -> Settings {
    let mut settings = settings::registry(file, proxy);
    settings.personal = true;
    settings.offline |= offline;
    // A last known good digest is for Pods; a person is told that the registry does not answer.
    settings.max_stale = Duration::ZERO;
    settings
}

// === impl Attempts ===

impl Attempts {
    /// The answer, and the way that led there.
    ///
    /// # Errors
    /// [`Unanswered::Failed`] with the failure that tells most.
    pub fn answered(self) -> Result<Answered, Unanswered> {
        let mut failures = Vec::new();
        for (way, outcome) in self.ways.into_iter().zip(self.outcomes) {
            match outcome {
                Ok(resolved) => return Ok(Answered { resolved, way }),
                Err(failure) => failures.push((way, failure)),
            }
        }
        Err(Unanswered::Failed(most_telling(failures)))
    }
}

/// A registry that could not be asked tells most, then what a credential was answered, then what nobody was.
pub(super) fn most_telling(failures: Vec<(Way, Failure)>) -> Failure {
    let rank = |(way, failure): &(Way, Failure)| match failure.cause {
        Cause::Unavailable | Cause::Refused => 0,
        Cause::Unauthorized => 3,
        _ if way.credential.is_some() => 1,
        _ => 2,
    };
    let most = failures.into_iter().min_by_key(rank);
    most.map_or_else(
        || Failure::new(Cause::Unauthorized, "there is no way to ask"),
        |(_, failure)| failure,
    )
}
