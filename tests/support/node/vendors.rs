//! Registries under the names that they have in the world, in front of the lab's own: each with its vendor's way to ask
//! for a login, to give tokens and to refuse (facts §4.2). What lies behind the login is the CNCF registry, which checks
//! each token once more.

mod ask;
mod azure;
mod table;

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};

use super::super::command;
use super::super::https_server::HttpsServer;
use super::super::token_server::TokenServer;
use super::behind::Behind;
use super::{ADDRESS, Lab};

pub use table::{CUSTOM, ECR, EXCHANGING, ZERO_GUID};
use table::{VENDORS, Vendor};

/// All of them; one of each in a sandbox, since their names and ports are the world's.
pub struct Vendors {
    fronts: Vec<HttpsServer>,
    shared: Arc<Shared>,
}

struct Shared {
    behind: Behind,
    tokens: Arc<TokenServer>,
    accounts: Mutex<Vec<Account>>,
    /// Where a login was refused.
    refused: Mutex<Vec<&'static str>>,
}

/// Who may pull what at one vendor.
#[derive(Clone, PartialEq, Eq)]
struct Account {
    host: String,
    user: String,
    password: String,
    /// What the names of the repositories begin with.
    repositories: String,
}

impl Vendors {
    /// Nobody has an account yet; `public/` is for everybody. From now on the names lead here, for all that runs in the
    /// sandbox and looks into its hosts file.
    pub fn start(lab: &Lab) -> Self {
        let registry = &lab.registry;
        let shared = Arc::new(Shared {
            behind: registry.behind.clone(),
            tokens: Arc::clone(&registry.tokens),
            accounts: Mutex::default(),
            refused: Mutex::default(),
        });
        let names = names();
        let names: Vec<&str> = names.iter().map(|name| without_port(name)).collect();
        let me = registry.ca.server(&names);
        let ports: BTreeSet<u16> = VENDORS.iter().map(|vendor| port(vendor.api)).collect();
        let start = |port| {
            let router = Router::new()
                .fallback(answer)
                .with_state(Arc::clone(&shared));
            HttpsServer::start_at(SocketAddr::from((ADDRESS, port)), &me, router)
        };
        let fronts = ports.into_iter().map(start).collect();
        lead_here(lab);
        Self { fronts, shared }
    }

    /// Lets a user and a password pull what begins with `repositories`.
    pub fn open(&self, host: &str, (user, password): (&str, &str), repositories: &str) {
        let mut accounts = self.shared.accounts.lock().expect("accounts");
        accounts.push(Account {
            host: host.to_owned(),
            user: user.to_owned(),
            password: password.to_owned(),
            repositories: repositories.to_owned(),
        });
    }

    /// From now on this password is a wrong one.
    pub fn close(&self, host: &str, password: &str) {
        let mut accounts = self.shared.accounts.lock().expect("accounts");
        accounts.retain(|account| account.host != host || account.password != password);
    }

    /// How many logins a vendor has refused so far.
    pub fn refused(&self, host: &str) -> usize {
        let refused = self.shared.refused.lock().expect("refused");
        refused.iter().filter(|of| **of == host).count()
    }
}

/// Tells the hosts file and the container engine.
fn lead_here(lab: &Lab) {
    let names = host_names().join(" ");
    let hosts = format!("{} localhost\n{ADDRESS} {names}\n", Ipv4Addr::LOCALHOST);
    let file = lab.scratch.write("hosts", hosts);
    let args = ["--bind", &*file.to_string_lossy(), "/etc/hosts"];
    command::run(Path::new("mount"), &args, &[], Path::new("/"), b"").ok();
    for vendor in &VENDORS {
        let (node, ca) = (lab.node(), lab.registry.ca());
        node.trust(vendor.host, vendor.api, ca);
    }
}

/// The hosts of images and of tokens, as cotter's settings name them.
pub fn names() -> Vec<&'static str> {
    let mut names: Vec<&str> = VENDORS
        .iter()
        .flat_map(|vendor| {
            let realm = vendor.realm.and_then(|realm| realm.split('/').next());
            [Some(vendor.host), Some(vendor.api), realm]
        })
        .flatten()
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The same as a hosts file has them, without ports.
pub fn host_names() -> Vec<&'static str> {
    names().into_iter().map(without_port).collect()
}

fn without_port(name: &str) -> &str {
    name.split(':').next().unwrap_or(name)
}

fn port(name: &str) -> u16 {
    name.split_once(':')
        .map_or(443, |(_, port)| port.parse().expect("a port"))
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> axum::response::Response {
    ask::answer(&shared, request).await
}
