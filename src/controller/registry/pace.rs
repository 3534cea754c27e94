//! How often one pull secret is written: what fails, and what somebody else keeps changing, is written less and less often.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::objects::ContentHash;
use crate::controller::trouble::Trouble;

/// After a failure: so long, doubled each time, at most [`LONGEST_FAILING`]: whoever grants a right waits for it.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST_FAILING: Duration = Duration::from_mins(1);

/// The longest that a changed pull secret stays as somebody else wants it.
const LONGEST_UNDONE: Duration = Duration::from_mins(5);

/// What was put back so often, each time within [`OVER`] of the last, is contested.
const CONTESTED: u32 = 3;
const OVER: Duration = Duration::from_mins(10);

/// What is remembered of each pull secret, by the uid of the Registry and the namespace.
#[derive(Default)]
pub(super) struct Paces(Mutex<HashMap<String, BTreeMap<String, Pace>>>);

#[derive(Default)]
struct Pace {
    written: Option<Written>,
    /// What failed one time after the other, and how often.
    failing: Option<Trouble>,
    failures: u32,
    /// How often it was put back.
    undone: u32,
    undone_by: Option<String>,
    /// Not before; `None`: at once.
    next: Option<Instant>,
}

struct Written {
    content: ContentHash,
    revision: String,
    at: Instant,
}

// === impl Paces ===

impl Paces {
    /// Whether `content` may be written into a namespace now.
    pub(super) fn may_write(&self, uid: &str, namespace: &str, content: ContentHash) -> bool {
        let mut all = self.lock();
        let pace = entry(&mut all, uid, namespace);
        if pace
            .written
            .as_ref()
            .is_some_and(|written| written.content != content)
        {
            // Another content has nothing to do with how the one before fared.
            *pace = Pace::default();
        }
        pace.is_due(Instant::now())
    }

    /// Whether anything may be tried in a namespace again.
    pub(super) fn may_try(&self, uid: &str, namespace: &str) -> bool {
        let all = self.lock();
        let pace = all.get(uid).and_then(|of_it| of_it.get(namespace));
        pace.is_none_or(|pace| pace.is_due(Instant::now()))
    }

    /// `content` was written, which made `revision`, over what `by` had changed.
    pub(super) fn wrote(
        &self,
        (uid, namespace): (&str, &str),
        content: ContentHash,
        revision: &str,
        by: Option<&str>,
    ) {
        let now = Instant::now();
        let mut all = self.lock();
        let pace = entry(&mut all, uid, namespace);
        let before = pace.written.replace(Written {
            content,
            revision: revision.to_owned(),
            at: now,
        });
        // An apply that changes nothing leaves the revision as it was: nobody had changed anything.
        let put_back = before.filter(|one| one.content == content && one.revision != revision);
        if let Some(before) = put_back {
            let is_over = now >= before.at + OVER;
            pace.undone = if is_over {
                1
            } else {
                pace.undone.saturating_add(1)
            };
            pace.undone_by = by.map(str::to_owned);
        }
        (pace.failing, pace.failures) = (None, 0);
        pace.next = (pace.undone > 1).then(|| now + doubled(pace.undone - 1, LONGEST_UNDONE));
    }

    /// The pull secret of a namespace is as it should be.
    pub(super) fn is_right(&self, uid: &str, namespace: &str) {
        let mut all = self.lock();
        if let Some(pace) = all.get_mut(uid).and_then(|of_it| of_it.get_mut(namespace)) {
            (pace.failing, pace.failures) = (None, 0);
        }
    }

    /// Something failed in a namespace.
    pub(super) fn failed(&self, uid: &str, namespace: &str, trouble: Trouble) {
        let mut all = self.lock();
        let pace = entry(&mut all, uid, namespace);
        pace.failing = Some(trouble);
        pace.failures = pace.failures.saturating_add(1);
        pace.next = Some(Instant::now() + doubled(pace.failures, LONGEST_FAILING));
    }

    /// The namespaces in which somebody keeps changing the pull secret, with who, where that is known.
    pub(super) fn contested(&self, uid: &str) -> Vec<(String, Option<String>)> {
        let now = Instant::now();
        let all = self.lock();
        let of_it = all.get(uid).into_iter().flatten();
        of_it
            .filter(|(_, pace)| pace.contested_until().is_some_and(|at| now < at))
            .map(|(namespace, pace)| (namespace.clone(), pace.undone_by.clone()))
            .collect()
    }

    /// What failed in its namespaces, and has not worked since.
    pub(super) fn troubles(&self, uid: &str) -> Vec<Trouble> {
        let all = self.lock();
        let of_it = all.get(uid).into_iter().flat_map(BTreeMap::values);
        of_it.filter_map(|pace| pace.failing.clone()).collect()
    }

    /// When something of this Registry is due, or said no more.
    pub(super) fn next(&self, uid: &str) -> Option<Instant> {
        let now = Instant::now();
        let all = self.lock();
        let of_it = all.get(uid).into_iter().flat_map(BTreeMap::values);
        let times = of_it.flat_map(|pace| [pace.next, pace.contested_until()]);
        times.flatten().filter(|at| *at > now).min()
    }

    /// Whether it was this Registry that made this revision of a pull secret.
    pub(super) fn has_written(&self, uid: &str, namespace: &str, revision: Option<&str>) -> bool {
        let all = self.lock();
        let pace = all.get(uid).and_then(|of_it| of_it.get(namespace));
        let written = pace.and_then(|pace| pace.written.as_ref());
        written.is_some_and(|written| Some(&*written.revision) == revision)
    }

    /// Forgets the namespaces that are not `kept`.
    pub(super) fn retain(&self, uid: &str, kept: impl Fn(&str) -> bool) {
        let mut all = self.lock();
        if let Some(of_it) = all.get_mut(uid) {
            of_it.retain(|namespace, _| kept(namespace));
        }
        all.retain(|_, of_it| !of_it.is_empty());
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, BTreeMap<String, Pace>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Pace ===

impl Pace {
    fn is_due(&self, now: Instant) -> bool {
        self.next.is_none_or(|next| next <= now)
    }

    fn contested_until(&self) -> Option<Instant> {
        let written = self.written.as_ref().filter(|_| self.undone >= CONTESTED)?;
        Some(written.at + OVER)
    }
}

fn entry<'a>(
    all: &'a mut HashMap<String, BTreeMap<String, Pace>>,
    uid: &str,
    namespace: &str,
) -> &'a mut Pace {
    let of_it = all.entry(uid.to_owned()).or_default();
    of_it.entry(namespace.to_owned()).or_default()
}

/// [`FIRST`], doubled with each time after the first.
fn doubled(times: u32, longest: Duration) -> Duration {
    let factor = 2_u32.saturating_pow(times.clamp(1, 16) - 1);
    FIRST.saturating_mul(factor).min(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn content(text: &str) -> ContentHash {
        ContentHash::of(text.as_bytes())
    }

    /// Puts it back as soon as it may be, for so long; how often that was.
    async fn put_back_for(paces: &Paces, seconds: u64) -> u32 {
        let mut times = 0;
        for second in 0..seconds * 10 {
            if paces.may_write("uid", "shop", content("a")) {
                times += 1;
                let revision = format!("{seconds}-{second}");
                paces.wrote(("uid", "shop"), content("a"), &revision, Some("argocd"));
            }
            tokio::time::advance(SECOND / 10).await;
        }
        times
    }

    #[tokio::test(start_paused = true)]
    async fn what_somebody_keeps_changing_is_put_back_less_and_less_often() {
        let paces = Paces::default();
        assert_eq!(put_back_for(&paces, 1).await, 3);
        assert!(paces.contested("uid").is_empty());
        assert_eq!(put_back_for(&paces, 60).await, 5);
        let by = (String::from("shop"), Some(String::from("argocd")));
        assert_eq!(paces.contested("uid"), [by]);
        assert!(put_back_for(&paces, 3600).await <= 15);
        tokio::time::advance(OVER).await;
        assert!(paces.contested("uid").is_empty());
        paces.wrote(("uid", "shop"), content("a"), "later", None);
        assert!(paces.may_write("uid", "shop", content("a")), "begins anew");
    }

    #[tokio::test(start_paused = true)]
    async fn another_content_is_written_at_once() {
        let paces = Paces::default();
        put_back_for(&paces, 60).await;
        assert!(!paces.may_write("uid", "shop", content("a")));
        assert!(paces.may_write("uid", "shop", content("b")));
        assert!(paces.contested("uid").is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_that_changed_nothing_is_none() {
        let paces = Paces::default();
        for _ in 0..10 {
            paces.wrote(("uid", "shop"), content("a"), "7", None);
        }
        assert!(paces.may_write("uid", "shop", content("a")));
        assert!(paces.contested("uid").is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn what_fails_is_tried_less_and_less_often_but_once_a_minute() {
        let paces = Paces::default();
        let mut tried = Vec::new();
        for second in 0..300 {
            if paces.may_try("uid", "shop") {
                tried.push(second);
                paces.failed("uid", "shop", Trouble::from(String::new()));
            }
            tokio::time::advance(SECOND).await;
        }
        assert_eq!(tried, [0, 1, 3, 7, 15, 31, 63, 123, 183, 243]);
        assert!(paces.may_try("uid", "bank"), "each by itself");
        paces.retain("uid", |_| false);
        assert!(paces.may_try("uid", "shop") && paces.next("uid").is_none());
    }
}
