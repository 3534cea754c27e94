//! A registry wants a credential, and no pull secret matches; or a Pod names a pull secret that is none.

use smol_str::SmolStr;

use crate::{
    cli::audit::{
        judge::{Said, SlotCase},
        look::Case,
    },
    domain::{explain, policy::Cause},
};

pub(super) fn judge(case: &Case<'_>, slot: &SlotCase<'_>) -> Option<Said> {
    let answer = slot.answer;
    let wants = answer
        .failure()
        .is_some_and(|f| f.cause == Cause::Unauthorized);
    if !wants || !answer.no_secret_matches() || !case.can_judge_refusal(slot) {
        return None;
    }
    let reference = &slot.assessed.canonical()?.reference;
    let message = match case.credentials.unlisted(reference.lookup_name()) {
        Some(secret) => format!(
            "pull secret {secret:?} matches, but ServiceAccount {:?}, which enforces its list, does not have it",
            case.shape.account
        ),
        None => explain::create_secret(reference.domain(), &case.shape.namespace),
    };
    Some(Said {
        message,
        ..Said::default()
    })
}

/// The pull secrets that the Pods name and their namespace does not have.
pub(in crate::cli::audit) fn named(case: &Case<'_>) -> Vec<(SmolStr, String)> {
    let says = |secret: &SmolStr| {
        let namespace = &case.shape.namespace;
        let message = format!(
            "imagePullSecrets names {secret:?}, which is no pull secret of namespace {namespace}; create it, or take it out"
        );
        (secret.clone(), message)
    };
    case.credentials.missing().iter().map(says).collect()
}
