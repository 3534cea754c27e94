//! What enforcing would change: the plan of an admission, made for Pods that are there already.

use super::{look::Case, report::Enforcing};
use crate::domain::{
    plan::{self, Inputs, Outcome, Plan},
    policy::Mode,
    scope::Reach,
    slots::Kind,
};

/// The plan for one of the Pods.
pub(super) fn plan(case: &Case<'_>) -> Plan {
    plan::plan(&Inputs {
        kind: Kind::Pod,
        kind_name: "Pod",
        object: case.object,
        namespace: &case.shape.namespace,
        reach: Some(Reach::Whole),
        // What would be changed is told, and nothing is left out where it would be refused.
        mode: Mode::Audit,
        policy: case.policy,
        assessed: case.assessed,
        answers: &case.preview.answers,
        restored: &[],
        credentials: case.credentials,
        injection: &case.preview.injection,
    })
}

/// What it comes to for all Pods of the shape.
pub(super) fn count(case: &Case<'_>, plan: &Plan) -> Enforcing {
    let pods = case.members.pods;
    if plan.would_deny {
        return Enforcing {
            pods_denied: pods,
            ..Enforcing::default()
        };
    }
    let is_pin = |from: &str, to: &str| to.contains('@') && !from.contains('@');
    let changes = || {
        plan.changes
            .iter()
            .map(|(_, change)| is_pin(&change.from, &change.to))
    };
    let stay = plan
        .outcomes
        .iter()
        .filter(|o| matches!(o, Outcome::Unpinned(_)));
    let gives_secrets = !case.preview.injection.secrets.is_empty();
    let changes_any = gives_secrets || !plan.changes.is_empty();
    let pods_if = |holds: bool| if holds { pods } else { 0 };
    Enforcing {
        pods_changed: pods_if(changes_any),
        pods_denied: 0,
        slots_pinned: changes().filter(|is_pin| *is_pin).count() * pods,
        slots_respelled: changes().filter(|is_pin| !*is_pin).count() * pods,
        slots_unpinned: stay.count() * pods,
        pods_given_secrets: pods_if(gives_secrets),
    }
}
