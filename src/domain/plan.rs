//! From assessed slots and answers to what is changed, said and refused. Pure: the same arguments, the same plan.

mod change;

use super::{
    assess::{Assessed, Left, Verdict},
    credentials::PodCredentials,
    digest::Digest,
    explain,
    images::{Changes, Unpinned},
    injection::Injection,
    object::Object,
    patch::Patch,
    policy::{self, Cause, Mode, PinStyle, Policy},
    question::{Answer, Failure, Resolved},
    reference::Canonical,
    scope::Reach,
    slots::{Kind, Slot},
    warning::{Warnings, Weight, clean},
};

/// All that a plan is made of.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// The object's kind.
    pub kind: Kind,
    /// The object's kind as people call it: `Deployment`.
    pub kind_name: &'a str,
    /// The object.
    pub object: &'a Object<'a>,
    /// The namespace.
    pub namespace: &'a str,
    /// What may be changed; `None` for a template, which is only analysed.
    pub reach: Option<Reach>,
    /// What the namespace chose.
    pub mode: Mode,
    /// The namespace's policy.
    pub policy: &'a Policy,
    /// The slots that are looked at.
    pub assessed: &'a [Assessed<'a>],
    /// What is known of each.
    pub answers: &'a [Answer],
    /// Slots that get an earlier text back.
    pub restored: &'a [(Slot<'a>, String)],
    /// The pull secrets that matter.
    pub credentials: &'a PodCredentials,
    /// What is injected.
    pub injection: &'a Injection,
}

/// What became of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// A digest was written.
    Pinned,
    /// The last known good digest was written, as the registry is unavailable.
    Stale,
    /// Nothing had to be pinned.
    Left,
    /// It stayed unpinned.
    Unpinned(Cause),
}

/// What is changed, said and refused.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The patch; empty where nothing may be changed.
    pub patch: Patch,
    /// What is said.
    pub warnings: Warnings,
    /// Every reason why the Pod is denied, in one message.
    pub denial: Option<String>,
    /// Whether it would be denied if anything were to be changed; a warning has the reasons.
    pub would_deny: bool,
    /// What became of each slot, in the order of the inputs.
    pub outcomes: Vec<Outcome>,
    /// What was changed, or would be.
    pub changes: Changes,
    /// The same as the annotation's text, where it was written.
    pub changes_text: Option<String>,
    /// Which slots stayed unpinned.
    pub unpinned: Unpinned,
}

/// Makes the plan.
#[must_use]
pub fn plan(inputs: &Inputs<'_>) -> Plan {
    let mut plan = Plan::default();
    let mut denials = Vec::new();
    let mut texts = Vec::with_capacity(inputs.assessed.len());
    for (assessed, answer) in inputs.assessed.iter().zip(inputs.answers) {
        let slot = inputs.judge(assessed, answer, &mut plan, &mut denials);
        texts.push((assessed.slot, slot));
    }
    texts.extend(inputs.restored.iter().cloned());
    inputs.credential_warnings(&mut plan.warnings);
    if !denials.is_empty() {
        let reasons: Vec<_> = denials.iter().map(|reason| clean(reason)).collect();
        plan.denial = Some(reasons.join("; "));
    }
    if inputs.mode == Mode::Enforce && inputs.reach.is_some() {
        inputs.change(&texts, &mut plan);
    } else {
        inputs.preview(&texts, &mut plan);
    }
    plan
}

impl Inputs<'_> {
    /// The text that a slot shall have; notes its outcome, and what is said of it.
    fn judge(
        &self,
        assessed: &Assessed<'_>,
        answer: &Answer,
        plan: &mut Plan,
        denials: &mut Vec<String>,
    ) -> String {
        let (slot, text) = (&assessed.slot, assessed.text());
        let (cause, line) = match &assessed.verdict {
            Verdict::Invalid(error) => (Cause::Invalid, explain::invalid(slot, error)),
            Verdict::Left(_, left) => {
                plan.outcomes.push(Outcome::Left);
                speak_of_left(slot, *left, &mut plan.warnings, denials);
                return text.to_owned();
            }
            Verdict::Ask(canonical) => {
                if answer.gone {
                    plan.warnings.push(Weight::Note, explain::gone(slot));
                }
                if let Some((_, resolved)) = answer.resolved() {
                    return self.pin(slot, canonical, resolved, plan);
                }
                if let Some(kept) = &answer.kept {
                    plan.outcomes.push(Outcome::Pinned);
                    return self.pinned(canonical, kept, None);
                }
                let failure = self.failure(answer);
                let cause = failure.map_or(Cause::Unavailable, |f| f.cause);
                let own = failure.and_then(|f| f.own);
                (cause, explain::failure(slot, text, cause, own))
            }
        };
        plan.outcomes.push(Outcome::Unpinned(cause));
        plan.unpinned.record(slot.key(), cause);
        self.missing_secret(assessed, answer, cause, &mut plan.warnings);
        match self.policy.on_failure.verdict(cause) {
            policy::Verdict::Deny => denials.push(line),
            policy::Verdict::Warn => plan.warnings.push(Weight::Unpinned, line),
        }
        text.to_owned()
    }

    fn pin(
        &self,
        slot: &Slot<'_>,
        canonical: &Canonical,
        found: &Resolved,
        plan: &mut Plan,
    ) -> String {
        if found.stale.is_some() {
            plan.outcomes.push(Outcome::Stale);
            let image = explain::shown(&canonical.text);
            let line = format!(
                "{slot}: {image}: its registry is not reachable; pinned to the last digest known"
            );
            plan.warnings.push(Weight::Unpinned, line);
        } else {
            plan.outcomes.push(Outcome::Pinned);
        }
        self.pinned(canonical, &found.digest, found.sha_tag.as_deref())
    }

    fn pinned(&self, canonical: &Canonical, digest: &Digest, sha_tag: Option<&str>) -> String {
        let pin = &self.policy.pin;
        let sha_tag = sha_tag.filter(|_| pin.style == PinStyle::GitSha);
        let own_tag = canonical.reference.tag().filter(|_| pin.keep_tag);
        canonical.pinned(sha_tag.or(own_tag), digest)
    }

    /// The failure that decides over a slot: the one that the Pod's final keyring meets.
    #[must_use]
    pub fn failure<'r>(&self, answer: &'r Answer) -> Option<&'r Failure> {
        let injected = &self.injection.secrets;
        let carried =
            |secret: &str| self.credentials.is_own(secret) || injected.iter().any(|s| s == secret);
        answer.failure_of(carried)
    }

    /// A registry that wants credentials, and no secret that matches.
    fn missing_secret(
        &self,
        assessed: &Assessed<'_>,
        answer: &Answer,
        cause: Cause,
        warnings: &mut Warnings,
    ) {
        let wanted =
            matches!(cause, Cause::Unauthorized | Cause::NotFound) && answer.no_secret_matches();
        if let Some(canonical) = assessed.canonical().filter(|_| wanted) {
            let name = canonical.reference.lookup_name();
            if self.credentials.unlisted(name).is_some() {
                return;
            }
            let line = explain::create_secret(canonical.reference.domain(), self.namespace);
            warnings.push(Weight::Credential, line);
        }
    }

    fn credential_warnings(&self, warnings: &mut Warnings) {
        if self.credentials.is_unread() {
            let line = format!(
                "the pull secrets of namespace {} could not be read; images were asked for without any",
                self.namespace
            );
            warnings.push(Weight::Credential, line);
        }
        for secret in self.credentials.broken() {
            let name = secret.name();
            let why = secret
                .broken()
                .map(|error| error.hint().unwrap_or_else(|| error.to_string()));
            let why = why.unwrap_or_default();
            warnings.push(
                Weight::Fatal,
                format!("pull secret {name:?} breaks every image pull of this Pod: {why}; create it anew"),
            );
        }
        for name in self.credentials.missing() {
            let line = format!(
                "pull secret {name:?} is no pull secret of namespace {}",
                self.namespace
            );
            warnings.push(Weight::Credential, line);
        }
        let slot_of = |index: usize| {
            self.assessed
                .get(index)
                .map(|a| a.slot.to_string())
                .unwrap_or_default()
        };
        for (index, secret, other) in &self.injection.conflicts {
            let (slot, other) = (slot_of(*index), slot_of(*other));
            warnings.push(
                Weight::Credential,
                format!("{slot} wants pull secret {secret:?}, but {other} would be pulled with it too and be refused; \
                         not injected: make a secret for its path alone"),
            );
        }
        for (index, secret) in &self.injection.not_mountable {
            let slot = slot_of(*index);
            warnings.push(
                Weight::Credential,
                format!("{slot} wants pull secret {secret:?}, which its ServiceAccount does not list; not injected"),
            );
        }
    }
}

/// A reference without a host is spoken of where the policy wants one.
fn speak_of_left(slot: &Slot<'_>, left: Left, warnings: &mut Warnings, denials: &mut Vec<String>) {
    let image = explain::shown(slot.image);
    match left {
        Left::ShortNameDenied => denials.push(format!(
            "{slot}: image {image} names no registry, which the policy demands; write its host in front"
        )),
        Left::ShortName => warnings.push(
            Weight::Unpinned,
            format!("{slot}: image {image} names no registry and is left as it is; write its host in front"),
        ),
        _ => {}
    }
}

#[cfg(test)]
mod tests;
