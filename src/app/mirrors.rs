//! The credentials of mirrors: read from labelled Secrets of cotter's own namespace, as soon as a configuration has mirrors.

use tokio::task::JoinSet;

use crate::{cluster::mirror_secrets, registry::client::Client, telemetry::readiness::Readiness};

use super::{reload::PAUSE, source::Joined};

/// Keeps in `tasks` what mirrors are asked with up to date. Without a mirror nothing is watched: no right is needed for it.
pub(super) fn open(
    joined: &Joined,
    client: &Client,
    readiness: &Readiness,
    tasks: &mut JoinSet<()>,
) {
    let Some(namespace) = joined.own.namespace.clone() else {
        return;
    };
    let check = readiness.check("mirror credentials");
    if client.has_mirrors() {
        check.wait_for("not listed yet");
    } else {
        check.pass();
    }
    let (cluster, missing, client) = (
        joined.client.clone(),
        joined.missing.clone(),
        client.clone(),
    );
    tasks.spawn(async move {
        while !client.has_mirrors() {
            tokio::time::sleep(PAUSE).await;
        }
        let watched = mirror_secrets::follow(&cluster, &namespace, &missing.metrics);
        let mut keyring = watched.keyring;
        let asking = async {
            while keyring.changed().await.is_ok() {
                client.ask_mirrors_with(keyring.borrow_and_update().clone());
            }
        };
        tokio::join!(asking, missing.of_watch(watched.watches.subscribe(), check));
    });
}
