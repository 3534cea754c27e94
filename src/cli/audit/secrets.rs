//! The rules that judge the pull secrets of a namespace.

mod broken;
mod expired;
mod unused;

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use smol_str::SmolStr;

use super::{
    judge::Judged,
    report::{Finding, FindingKind},
    shape::{Members, Shape},
    world::Room,
};
use crate::domain::pull_secret::PullSecret;

/// How the pull secrets of a namespace are used.
#[derive(Clone, Debug, Default)]
pub(super) struct Use {
    /// The names on Pods, and how many Pods have each.
    named: HashMap<SmolStr, usize>,
    /// Those that enforcing would inject.
    injected: HashSet<SmolStr>,
    /// The repositories of all images, normalised.
    lookup_names: HashSet<SmolStr>,
}

/// One pull secret and what is known of it.
struct SecretCase<'a> {
    secret: &'a PullSecret,
    room: &'a Room,
    used: &'a Use,
    now: Timestamp,
}

/// A rule: what it says of a secret, if it says anything.
type Rule = fn(&SecretCase<'_>) -> Option<String>;

const RULES: [(FindingKind, Rule); 3] = [
    (FindingKind::BrokenSecret, broken::judge),
    (FindingKind::ExpiredSecret, expired::judge),
    (FindingKind::UnusedSecret, unused::judge),
];

impl Use {
    /// Adds the Pods of one shape; those that have ended used their secrets, too.
    pub(super) fn add(&mut self, shape: &Shape, members: &Members, judged: &Judged) {
        for name in &shape.pull_secrets {
            *self.named.entry(name.clone()).or_default() += members.pods;
        }
        self.injected.extend(judged.injected.iter().cloned());
        self.lookup_names
            .extend(judged.lookup_names.iter().cloned());
    }
}

/// Judges all pull secrets of a namespace. `pods_known`: whether its Pods could be listed, so that use can be told.
pub(super) fn judge(
    namespace: &SmolStr,
    room: &Room,
    used: &Use,
    pods_known: bool,
    now: Timestamp,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for secret in room.secrets.iter().flat_map(|secrets| secrets.iter()) {
        let case = SecretCase {
            secret,
            room,
            used,
            now,
        };
        for (kind, rule) in RULES {
            if kind == FindingKind::UnusedSecret && !pods_known {
                continue;
            }
            if let Some(message) = rule(&case) {
                findings.push(Finding {
                    kind,
                    namespace: namespace.clone(),
                    workload: None,
                    slot: None,
                    image: None,
                    secret: Some(secret.name().clone()),
                    cause: None,
                    message,
                    pods: used.named.get(secret.name()).copied().unwrap_or_default(),
                    template: false,
                    example: None,
                });
            }
        }
    }
    findings
}
