//! What the shared Secret is to hold next: decided from what is known, the moment and nothing else.
//!
//! A rotation goes in three steps, each a minute at least after the last: the next authority and path are written beside
//! the present ones, so that callers and replicas learn of them; they take over; what they replaced is forgotten when
//! nothing of it is left.

use std::{sync::Arc, time::Duration};

use super::{
    authority::{Authority, AuthorityError},
    bundle::Sightings,
    life::{Moment, Timing},
    path::SecretPath,
    ports::{Seen, Stored},
    shared::{Found, Generation, Retired, Shared},
};

/// How long certificates live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lives {
    /// An authority.
    pub ca: Duration,
    /// A leaf.
    pub leaf: Duration,
}

/// What is to be done with the shared Secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// There is none: write it, from memory if there is one.
    Create,
    /// It cannot be changed: delete it, so that it can be made anew.
    Thaw,
    /// Part of it is missing or damaged: mend it, from memory if there is one.
    Mend,
    /// It goes with a webhook configuration that is no more: let it go with the present one.
    Adopt,
    /// Its authority is not valid: take the next one, or a new one.
    Replace,
    /// A leaf of an authority that it does not know is being served: let callers trust it meanwhile.
    Retain,
    /// Write the next authority and path beside the present ones.
    Prepare,
    /// Let the next ones take over.
    Promote,
    /// Forget what nothing is left of.
    Forget,
}

/// What the decision is made from.
#[derive(Debug)]
pub(super) struct View<'a> {
    pub(super) secret: &'a Seen<Stored>,
    /// What of the Secret could be read, if there is one.
    pub(super) found: Option<&'a Found>,
    /// Whether this replica remembers a good one.
    pub(super) remembers: bool,
    /// The uid of the webhook configuration; nothing is written without one.
    pub(super) owner: Option<&'a str>,
    /// Whether a webhook has a path already: others may remember more than this replica.
    pub(super) registered: bool,
    /// The authority of the leaf that this replica serves, while that is valid.
    pub(super) leaf: Option<Retired>,
    pub(super) sightings: &'a Sightings,
    /// Since when the Secret has held the present `next.path`, in ticks.
    pub(super) next_since: Option<Duration>,
    /// Since when the Secret has been absent or damaged, in ticks.
    pub(super) broken_since: Option<Duration>,
    /// `None` where certificates come from files.
    pub(super) lives: Option<Lives>,
    pub(super) timing: Timing,
    pub(super) leader: bool,
    pub(super) now: Moment,
}

/// How long a replica that remembers nothing leaves a Secret that is gone or damaged to those who do.
const AFTER_YOU: Duration = Duration::from_secs(3);

/// Why nothing new could be made.
#[derive(Debug, thiserror::Error)]
pub(super) enum MakeError {
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    #[error("the system gives no random numbers")]
    Random,
}

/// What is to be done now, if anything.
pub(super) fn step(view: &View<'_>) -> Option<Step> {
    let owner = view.owner?;
    let stored = match view.secret {
        Seen::Unknown(_) => return None,
        Seen::Absent => return view.my_turn().then_some(Step::Create),
        Seen::Present(stored) => stored,
    };
    if stored.immutable {
        return Some(Step::Thaw);
    }
    let Some(shared) = view
        .found
        .and_then(|found| found.whole(view.lives.is_some()))
    else {
        return view.my_turn().then_some(Step::Mend);
    };
    if stored.owner.as_deref() != Some(owner) {
        return Some(Step::Adopt);
    }
    if view.is_invalid(&shared.current) {
        return Some(Step::Replace);
    }
    let known = shared.authorities();
    if view
        .leaf
        .as_ref()
        .is_some_and(|leaf| !known.contains(&leaf.ca))
    {
        return Some(Step::Retain);
    }
    if view.leader {
        view.ordinary(stored, &shared)
    } else {
        None
    }
}

/// What the Secret is to hold after `step`; `None` where the step writes no contents.
///
/// # Errors
///
/// [`MakeError`] if nothing new can be made.
pub(super) fn after(
    step: Step,
    view: &View<'_>,
    memory: Option<&Shared>,
) -> Result<Option<Shared>, MakeError> {
    let lives = view.lives;
    let now = view.now;
    let nothing = Found::default();
    let found = view.found.unwrap_or(&nothing);
    let mut shared = match step {
        Step::Thaw => return Ok(None),
        Step::Create => mended(&nothing, memory, lives, now)?,
        Step::Mend => mended(found, memory, lives, now)?,
        _ => match found.whole(lives.is_some()) {
            Some(shared) => shared,
            None => return Ok(None),
        },
    };
    match step {
        Step::Create | Step::Mend | Step::Thaw | Step::Adopt => {}
        Step::Replace => replace(&mut shared, lives, now)?,
        Step::Retain => shared.retired.extend(view.leaf.clone()),
        Step::Prepare => shared.next = Some(generation(lives, now)?),
        Step::Promote => promote(&mut shared, lives, now),
        Step::Forget => {
            shared.retired.retain(|old| !is_over(old, now));
            if view.calls(&shared.current.path) {
                shared.previous_path = None;
            }
        }
    }
    Ok(Some(shared))
}

// === impl View ===

impl View<'_> {
    /// Whether this replica should write what is gone or damaged.
    fn my_turn(&self) -> bool {
        let since = self.broken_since.unwrap_or(self.now.ticks);
        self.remembers || !self.registered || self.now.ticks.saturating_sub(since) >= AFTER_YOU
    }

    fn calls(&self, path: &SecretPath) -> bool {
        self.sightings
            .calls(path, self.timing.overlap, self.now.ticks)
    }

    fn is_invalid(&self, generation: &Generation) -> bool {
        let renewal = self.renewal(generation);
        renewal.is_some_and(super::Renewal::is_final)
    }

    fn renewal(&self, generation: &Generation) -> Option<super::Renewal> {
        self.lives?;
        generation.ca.as_ref()?.renewal(self.now.wall)
    }

    /// What one replica does for all.
    fn ordinary(&self, stored: &Stored, shared: &Shared) -> Option<Step> {
        let now = self.now.ticks;
        if let Some(next) = &shared.next {
            // Nobody has led for so long that it is due itself.
            if self.renewal(next).is_some() {
                return Some(Step::Prepare);
            }
            let told = self
                .next_since
                .is_some_and(|since| now.saturating_sub(since) >= self.timing.overlap);
            let trusted = self.lives.is_none()
                || next
                    .ca
                    .as_ref()
                    .is_some_and(|ca| self.sightings.trusts(ca.der(), self.timing.overlap, now));
            return (told && trusted).then_some(Step::Promote);
        }
        let called = self.calls(&shared.current.path);
        if (shared.previous_path.is_some() && called)
            || shared.retired.iter().any(|old| is_over(old, self.now))
        {
            return Some(Step::Forget);
        }
        let asked = stored.rotate.is_some() && stored.rotate != stored.rotated;
        let due = asked || self.renewal(&shared.current).is_some();
        (due && shared.previous_path.is_none()).then_some(Step::Prepare)
    }
}

fn is_over(old: &Retired, now: Moment) -> bool {
    old.until <= now.wall.as_second()
}

fn generation(lives: Option<Lives>, now: Moment) -> Result<Generation, MakeError> {
    let make = |lives: Lives| Authority::make("cotter", now.wall, lives.ca).map(Arc::new);
    Ok(Generation {
        ca: lives.map(make).transpose()?,
        path: SecretPath::make().ok_or(MakeError::Random)?,
    })
}

/// What was found, what is missing of it from memory, and what is missing there, too, made anew.
fn mended(
    found: &Found,
    memory: Option<&Shared>,
    lives: Option<Lives>,
    now: Moment,
) -> Result<Shared, MakeError> {
    let known = |pick: fn(&Generation) -> Option<Arc<Authority>>| {
        memory.and_then(|memory| pick(&memory.current))
    };
    let ca = found.ca.clone().or_else(|| known(|one| one.ca.clone()));
    let path = found
        .path
        .clone()
        .or_else(|| memory.map(|memory| memory.current.path.clone()));
    let next = match (&found.next_ca, &found.next_path) {
        (ca, Some(path)) if ca.is_some() == lives.is_some() => Some(Generation {
            ca: ca.clone(),
            path: path.clone(),
        }),
        _ => memory.and_then(|memory| memory.next.clone()),
    };
    let mut retired = found.retired.clone();
    for old in memory.iter().flat_map(|memory| &memory.retired) {
        if !retired.iter().any(|known| known.ca == old.ca) {
            retired.push(old.clone());
        }
    }
    let previous_path = found
        .previous_path
        .clone()
        .or_else(|| memory.and_then(|memory| memory.previous_path.clone()));
    let new = generation(lives, now)?;
    Ok(Shared {
        current: Generation {
            ca: ca.or(new.ca),
            path: path.unwrap_or(new.path),
        },
        next,
        retired,
        previous_path,
    })
}

/// Another authority at once. The path stays: its secrecy has nothing to do with the authority's life.
fn replace(shared: &mut Shared, lives: Option<Lives>, now: Moment) -> Result<(), MakeError> {
    let next = shared.next.take().and_then(|next| next.ca);
    let good = next.filter(|ca| ca.renewal(now.wall).is_none());
    shared.current.ca = match good {
        Some(ca) => Some(ca),
        None => generation(lives, now)?.ca,
    };
    Ok(())
}

fn promote(shared: &mut Shared, lives: Option<Lives>, now: Moment) {
    let Some(next) = shared.next.take() else {
        return;
    };
    let old = std::mem::replace(&mut shared.current, next);
    shared.previous_path = Some(old.path);
    let Some((ca, lives)) = old.ca.zip(lives) else {
        return;
    };
    // A replica that has not heard yet may sign one more leaf; it retains the authority then.
    let last_leaf = now
        .wall
        .as_second()
        .saturating_add_unsigned(lives.leaf.as_secs());
    shared.retired.push(Retired {
        ca: ca.der().clone(),
        until: last_leaf.min(ca.until()),
    });
}

#[cfg(test)]
#[path = "rotation/tests.rs"]
mod tests;
