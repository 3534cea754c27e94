//! A registry does not tell what a reference means, and why: then a new Pod may not start, and cannot be pinned.

use smol_str::SmolStr;

use crate::{
    cli::audit::{
        judge::{Said, SlotCase},
        look::Case,
    },
    domain::{
        assess::Verdict,
        policy::Cause,
        question::{Answer, Failure},
    },
};

pub(super) fn judge(case: &Case<'_>, slot: &SlotCase<'_>) -> Option<Said> {
    let said = |cause, message| {
        Some(Said {
            message,
            cause: Some(cause),
            pods: None,
        })
    };
    if let Verdict::Invalid(error) = &slot.assessed.verdict {
        return said(Cause::Invalid, format!("it is no image reference: {error}"));
    }
    let answer = slot.answer;
    if answer.gone {
        let message = "its registry has this digest no longer; a new Pod cannot be pulled: roll out another build";
        return said(Cause::NotFound, message.to_owned());
    }
    if answer.resolved().is_some() {
        return None;
    }
    let failure = answer.failure()?;
    let is_refusal = matches!(failure.cause, Cause::Unauthorized | Cause::NotFound);
    if is_refusal && !case.can_judge_refusal(slot) {
        return None;
    }
    said(failure.cause, why(answer, failure))
}

fn why(answer: &Answer, failure: &Failure) -> String {
    let alone = answer.no_secret_matches();
    match failure.cause {
        Cause::NotFound if alone => {
            "its registry knows no such tag, or hides it from who has no credential".to_owned()
        }
        Cause::NotFound => "its registry knows no such tag; push it, or write another".to_owned(),
        Cause::Unauthorized if alone => {
            "its registry wants a credential, and no pull secret matches".to_owned()
        }
        Cause::Unauthorized => {
            let turned_away = tried(answer).join(", ");
            format!("its registry turned away pull secret {turned_away}; renew it")
        }
        Cause::Refused => format!(
            "its registry was not asked: {}; list the host under registries in the file of --config",
            failure.detail
        ),
        Cause::Unavailable | Cause::Invalid => {
            format!("its registry could not be asked: {}", failure.detail)
        }
    }
}

/// The pull secrets that were tried.
fn tried(answer: &Answer) -> Vec<SmolStr> {
    let mut tried: Vec<SmolStr> = Vec::new();
    for (index, _) in &answer.attempts {
        let candidate = answer.candidates.list.get(*index);
        if let Some(secret) = candidate.and_then(|c| c.secret.as_ref())
            && !tried.contains(secret)
        {
            tried.push(secret.clone());
        }
    }
    tried
}
