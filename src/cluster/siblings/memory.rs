//! What this replica answered a moment ago, until the watch shows it.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use tokio::time::Instant;

use crate::domain::{
    digest::Digest,
    revision::{OwnerRevision, SlotPin},
};

/// Long enough for a Pod to be stored and shown, short enough for one that was refused after all (design §2.3).
const LIFE: Duration = Duration::from_secs(30);

/// Revisions that are remembered at once; 30 s of 270 new ones a second.
const MOST: usize = 8192;

/// The latest answers, by revision.
#[derive(Debug, Default)]
pub(super) struct Memory {
    answers: HashMap<OwnerRevision, Answered>,
    /// In the order of their times; a revision that was answered again has a later entry too.
    order: VecDeque<(Instant, OwnerRevision)>,
}

#[derive(Debug)]
struct Answered {
    at: Instant,
    pins: Vec<SlotPin>,
}

impl Memory {
    /// A later answer takes the place of an earlier one: it was asked for with that one in mind.
    pub(super) fn remember(&mut self, revision: OwnerRevision, pins: Vec<SlotPin>, now: Instant) {
        self.forget_old(now);
        self.order.push_back((now, revision.clone()));
        let answered = self.answers.entry(revision).or_insert_with(|| Answered {
            at: now,
            pins: Vec::new(),
        });
        answered.at = now;
        for pin in pins {
            let same = |known: &&mut SlotPin| known.slot == pin.slot && known.text == pin.text;
            match answered.pins.iter_mut().find(same) {
                Some(known) => *known = pin,
                None => answered.pins.push(pin),
            }
        }
    }

    pub(super) fn digest(
        &mut self,
        revision: &OwnerRevision,
        slot: &str,
        text: &str,
        now: Instant,
    ) -> Option<Digest> {
        self.forget_old(now);
        let answered = self.answers.get(revision)?;
        let mut pins = answered.pins.iter();
        let pin = pins.find(|pin| pin.slot == slot && pin.text == text)?;
        Some(pin.digest.clone())
    }

    fn forget_old(&mut self, now: Instant) {
        while let Some((at, _)) = self.order.front() {
            let is_old = now.duration_since(*at) >= LIFE;
            if !is_old && self.order.len() < MOST {
                return;
            }
            if let Some((at, revision)) = self.order.pop_front()
                && self.answers.get(&revision).is_some_and(|a| a.at == at)
            {
                self.answers.remove(&revision);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn revision(owner: &str) -> OwnerRevision {
        OwnerRevision {
            namespace: "shop".into(),
            owner: owner.into(),
            hash: None,
        }
    }

    fn pin(seed: &str) -> SlotPin {
        SlotPin {
            slot: "app".into(),
            text: "app:dev".into(),
            digest: Digest::of(seed.as_bytes()),
        }
    }

    #[test]
    fn an_answer_counts_for_30_s_from_the_latest() {
        let (mut memory, now) = (Memory::default(), Instant::now());
        let at = |seconds| now + Duration::from_secs(seconds);
        memory.remember(revision("a"), vec![pin("one")], at(0));
        memory.remember(revision("a"), vec![pin("one")], at(20));
        let mut asked = |seconds| memory.digest(&revision("a"), "app", "app:dev", at(seconds));
        assert_eq!(asked(49), Some(Digest::of(b"one")));
        assert_eq!(asked(50), None);
        assert!(memory.answers.is_empty() && memory.order.is_empty());
    }

    #[test]
    fn only_the_same_slot_with_the_same_text_of_the_same_revision() {
        let (mut memory, now) = (Memory::default(), Instant::now());
        memory.remember(revision("a"), vec![pin("one")], now);
        let mut asked = |owner, slot, text| memory.digest(&revision(owner), slot, text, now);
        assert_eq!(asked("b", "app", "app:dev"), None);
        assert_eq!(asked("a", "init", "app:dev"), None);
        assert_eq!(asked("a", "app", "app:test"), None);
    }

    #[test]
    fn it_is_bounded() {
        let (mut memory, now) = (Memory::default(), Instant::now());
        for n in 0..MOST * 2 {
            memory.remember(revision(&n.to_string()), vec![pin("one")], now);
        }
        assert!(memory.order.len() <= MOST && memory.answers.len() <= MOST);
    }
}
