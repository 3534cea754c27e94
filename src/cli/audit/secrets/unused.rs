//! Nobody uses it, or it matches no image: a credential that lies about for nothing.

use super::SecretCase;
use crate::domain::{keyring::Keyring, pull_secret::PullSecret};

/// Keys that are named in a sentence.
const SHOWN: usize = 3;

pub(super) fn judge(case: &SecretCase<'_>) -> Option<String> {
    let (secret, used) = (case.secret, case.used);
    if secret.broken().is_some() || used.injected.contains(secret.name()) {
        return None;
    }
    if secret.entries().is_empty() {
        return Some("it holds no registry that the kubelet would use".to_owned());
    }
    let keyring = Keyring::new([secret]);
    let matches = used
        .lookup_names
        .iter()
        .any(|name| !keyring.lookup(name).is_empty());
    let by_pods = used.named.contains_key(secret.name());
    match (by_pods || is_on_account(case), matches) {
        (true, true) => None,
        (true, false) => Some(format!(
            "it is named, and matches no image of the namespace: {}",
            keys(secret)
        )),
        (false, true) => {
            Some("neither a Pod nor a ServiceAccount names it, and no image needs it".to_owned())
        }
        (false, false) => Some(format!(
            "nobody names it, and it matches no image of the namespace: {}",
            keys(secret)
        )),
    }
}

fn is_on_account(case: &SecretCase<'_>) -> bool {
    let mut names = case
        .room
        .accounts
        .values()
        .flat_map(|account| &account.pull_secrets);
    names.any(|name| name == case.secret.name())
}

fn keys(secret: &PullSecret) -> String {
    let keys: Vec<_> = secret
        .entries()
        .iter()
        .map(|entry| entry.key.as_str())
        .collect();
    let shown = keys
        .iter()
        .take(SHOWN)
        .copied()
        .collect::<Vec<_>>()
        .join(", ");
    match keys.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
