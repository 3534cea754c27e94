//! How these tests ask.

use std::{
    collections::VecDeque,
    io,
    net::IpAddr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use cotter::{
    admission::ports::{Ask, Registry},
    domain::{
        credential::Credential,
        policy::{Cause, PinStyle},
        question::Resolution,
    },
    registry::{
        client::Client,
        dial::Resolve,
        settings::{HostSettings, Settings},
    },
    telemetry::metrics::Metrics,
};
use futures_util::future::BoxFuture;

use crate::hostile::Hostile;

/// Long enough for anything that is answered at all.
const PATIENCE: Duration = Duration::from_secs(20);

/// A host that may be private, with its CA.
pub fn listed(host: &str, ca_pem: &str) -> HostSettings {
    HostSettings {
        host: host.into(),
        ca: crate::ca::certificates(ca_pem),
        allow_private: true,
        ..HostSettings::default()
    }
}

/// The defaults, and these hosts.
pub fn settings(hosts: Vec<HostSettings>) -> Settings {
    Settings {
        hosts,
        ..Settings::default()
    }
}

pub fn client_with(settings: Settings) -> Client {
    Client::new(settings, Arc::new(Metrics::default())).unwrap()
}

/// A client for one hostile registry.
pub fn client_of(registry: &Hostile) -> Client {
    client_with(settings(vec![listed(&registry.host(), registry.ca_pem())]))
}

/// An anonymous ask for what the tag means from now on.
pub fn ask(host: &str, repository: &str, tag: &str) -> Ask {
    let now = Instant::now();
    Ask {
        host: host.into(),
        repository: repository.into(),
        tag: tag.into(),
        credential: None,
        style: PinStyle::Digest,
        began_after: now,
        deadline: now + PATIENCE,
    }
}

pub fn ask_as(credential: &Arc<Credential>, ask: Ask) -> Ask {
    Ask {
        credential: Some(Arc::clone(credential)),
        ..ask
    }
}

/// An ask that any earlier answer serves.
pub fn ask_old(age: Duration, ask: Ask) -> Ask {
    Ask {
        began_after: ask.began_after.checked_sub(age).unwrap(),
        ..ask
    }
}

pub fn alice() -> Arc<Credential> {
    Arc::new(Credential::new("alice", "wonderland"))
}

pub fn bob() -> Arc<Credential> {
    Arc::new(Credential::new("bob", "builder"))
}

/// Asks a registry for `team/app:dev` and gives the digest's text, or the cause.
pub async fn outcome(client: &Client, ask: Ask) -> Result<String, Cause> {
    told(client.resolve(ask).await)
}

pub fn told(resolution: Resolution) -> Result<String, Cause> {
    match resolution {
        Ok(resolved) => Ok(resolved.digest.to_string()),
        Err(failure) => {
            let detail = &failure.detail;
            assert!(!detail.contains(char::is_control), "{detail:?}");
            for secret in ["wonderland", "builder", "granted"] {
                assert!(!detail.contains(secret), "{detail:?}");
            }
            Err(failure.cause)
        }
    }
}

/// A DNS of the test's own: each look-up takes the next answer, the last one stays.
#[derive(Debug, Default)]
pub struct Names {
    answers: Mutex<VecDeque<Vec<IpAddr>>>,
    asked: Mutex<Vec<String>>,
}

impl Names {
    pub fn new(answers: &[&[&str]]) -> Arc<Self> {
        let parsed = |addresses: &&[&str]| addresses.iter().map(|a| a.parse().unwrap()).collect();
        Arc::new(Self {
            answers: Mutex::new(answers.iter().map(parsed).collect()),
            asked: Mutex::default(),
        })
    }

    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// What was asked since this was last called.
    pub fn take_asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

impl Resolve for Names {
    fn resolve<'a>(&'a self, name: &'a str, _: bool) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        self.asked.lock().unwrap().push(name.to_owned());
        let mut answers = self.answers.lock().unwrap();
        let next = if answers.len() > 1 {
            answers.pop_front()
        } else {
            answers.front().cloned()
        };
        Box::pin(async move { Ok(next.unwrap_or_default()) })
    }
}

pub fn client_with_names(settings: Settings, names: &Arc<Names>) -> Client {
    let names: Arc<Names> = Arc::clone(names);
    Client::with_resolver(settings, Arc::new(Metrics::default()), names).unwrap()
}
