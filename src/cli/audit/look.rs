//! Looks at the Pods of one shape: asks for their images, and for what their tags mean now.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    drift::{Drift, ImageId, drift},
    once::{Images, Once},
    shape::{Members, Shape},
    world::Room,
};
use crate::{
    admission::{
        ports::{Ask, Registry as _},
        preview::{Preview, Subject, preview},
    },
    domain::{
        assess::{Assessed, Verdict, assess},
        credentials::PodCredentials,
        digest::Digest,
        object::Object,
        policy::{PinStyle, Policy},
        question::Answer,
        reference::Reference,
        slots::Slot,
    },
    registry::reading::Place,
};

/// Each question has its own, shorter time.
const LONGEST: Duration = Duration::from_hours(24);

/// What all looks share.
pub(super) struct Terms<S> {
    /// Where answers come from.
    pub(super) registry: Once<S>,
    /// Hosts whose credential the nodes hold.
    pub(super) node_held: Vec<smol_str::SmolStr>,
    /// Whether no registry is asked.
    pub(super) offline: bool,
    /// When the audit began.
    pub(super) since: Instant,
}

/// All that is known of the Pods of one shape.
pub(super) struct Case<'a> {
    /// What they have in common.
    pub(super) shape: &'a Shape,
    /// How many, and what they run.
    pub(super) members: &'a Members,
    /// Their namespace.
    pub(super) room: &'a Room,
    /// Their policy.
    pub(super) policy: &'a Policy,
    /// One of them.
    pub(super) object: &'a Object<'a>,
    /// Their slots.
    pub(super) assessed: &'a [Assessed<'a>],
    /// Their pull secrets.
    pub(super) credentials: &'a PodCredentials,
    /// What an admission would find.
    pub(super) preview: Preview,
    /// What each slot's tag means now, and how what runs compares.
    pub(super) tags: Vec<Tag>,
    /// Hosts whose credential the nodes hold.
    pub(super) node_held: &'a [smol_str::SmolStr],
}

/// A slot's tag.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tag {
    /// What it means now.
    pub(super) now: Option<Digest>,
    /// What runs: the digest, how it compares, and how many Pods run it.
    pub(super) running: Vec<(Option<Digest>, Drift, usize)>,
}

impl<S: Images> Terms<S> {
    /// Looks at one shape, and hands what is known to `tell`.
    pub(super) async fn look<T>(
        &self,
        shape: &Shape,
        members: &Members,
        room: &Room,
        policy: &Policy,
        tell: impl FnOnce(&Case<'_>) -> T,
    ) -> T {
        let object = shape.object();
        let slots = Slot::all(&object.spec);
        let assessed: Vec<_> = slots
            .map(|slot| assess(slot, policy, self.offline))
            .collect();
        let credentials = room.credentials(shape);
        let node_held = |host: &str| self.node_held.iter().any(|held| held == host);
        let subject = Subject {
            assessed: &assessed,
            credentials: &credentials,
            policy,
            offline: self.offline,
            node_held: &node_held,
            since: self.since,
            deadline: self.since + LONGEST,
        };
        let preview = preview(&self.registry, &subject).await;
        let mut tags = Vec::with_capacity(assessed.len());
        for (index, (assessed, answer)) in assessed.iter().zip(&preview.standing).enumerate() {
            let running = members.running.iter().filter(|(slot, _, _)| *slot == index);
            let running: Vec<_> = running.map(|(_, id, pods)| (id.as_str(), *pods)).collect();
            tags.push(self.tag(assessed, answer, &running).await);
        }
        tell(&Case {
            shape,
            members,
            room,
            policy,
            object: &object,
            assessed: &assessed,
            credentials: &credentials,
            preview,
            tags,
            node_held: &self.node_held,
        })
    }

    /// What a slot's tag means now, and whether what runs is that.
    async fn tag(
        &self,
        assessed: &Assessed<'_>,
        answer: &Answer,
        running: &[(&str, usize)],
    ) -> Tag {
        let Some(reference) = assessed.canonical().map(|canonical| &canonical.reference) else {
            return Tag::default();
        };
        let Some(tag) = reference.tag_or_default() else {
            return Tag::default();
        };
        let (now, place) = match answer.resolved() {
            None => (None, None),
            Some((index, resolved)) => {
                let candidate = answer.candidates.list.get(index);
                let credential = candidate.and_then(|c| c.credential.clone());
                let place = place(reference, credential);
                let is_tags = matches!(assessed.verdict, Verdict::Ask(_)) || answer.kept.is_none();
                let now = if is_tags {
                    Some(resolved.digest.clone())
                } else if running.is_empty() {
                    None
                } else {
                    self.meaning(&place, tag).await
                };
                (now, Some(place))
            }
        };
        let mut found = Tag {
            now,
            running: Vec::with_capacity(running.len()),
        };
        for (text, pods) in running {
            let id = ImageId::read(text);
            let drift = match (&id, &found.now, &place) {
                (Some(id), Some(now), Some(place)) => self.drift(id, reference, now, place).await,
                _ => Drift::Unknown,
            };
            found.running.push((id.map(|id| id.digest), drift, *pods));
        }
        found
    }

    /// What the tag of a pinned image means now.
    async fn meaning(&self, place: &Place, tag: &str) -> Option<Digest> {
        let ask = Ask {
            host: place.host.clone(),
            repository: place.repository.clone(),
            tag: tag.into(),
            credential: place.credential.clone(),
            style: PinStyle::Digest,
            began_after: self.since,
            deadline: self.since + LONGEST,
        };
        let resolved = self.registry.resolve(ask).await.ok()?;
        Some(resolved.digest)
    }

    async fn drift(
        &self,
        id: &ImageId<'_>,
        reference: &Reference,
        now: &Digest,
        place: &Place,
    ) -> Drift {
        if !id.needs_members(now) {
            return Drift::Same;
        }
        let made = self.registry.members(place.clone(), now).await;
        drift(id, reference, now, made.as_deref().ok())
    }
}

fn place(
    reference: &Reference,
    credential: Option<Arc<crate::domain::credential::Credential>>,
) -> Place {
    let (host, repository) = reference.endpoint();
    Place {
        host: host.into(),
        repository: repository.into(),
        credential,
    }
}
