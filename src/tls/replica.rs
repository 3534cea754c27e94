//! One replica's part in the shared trust, without any waiting: looks at what is known, keeps a leaf, and says what is to
//! be written.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::{
    authority::Authority,
    bundle::{Ca, Sightings},
    leaf::{self, Host},
    life::{Life, Moment, Timing},
    path::SecretPath,
    ports::{Configuration, Hook, HookWrite, Observed, Of, SecretWrite, Seen, Stored, Write},
    registration::{self, Wish},
    resolver::{self, Served},
    rotation::{self, Lives, MakeError, Step, View},
    shared::{Found, Retired, Shared},
};

/// Where the certificate that is served comes from.
#[derive(Clone, Debug)]
pub enum Certificates {
    /// Leaves of the shared authority.
    Own(Lives),
    /// Elsewhere; with what callers are to trust, or `None` where others tell them.
    Given(Option<Vec<Ca>>),
}

/// What is to be written.
#[derive(Debug)]
pub(super) enum Task {
    /// The shared Secret.
    Secret(Step),
    /// The webhooks of a configuration.
    Hooks(Of, Vec<HookWrite>),
}

/// What a look came to.
#[derive(Debug)]
pub(super) struct Look {
    pub(super) task: Option<Task>,
    /// Why no certificate is served yet.
    pub(super) certificate: Result<(), String>,
    /// Why the API server could not call now.
    pub(super) trusted: Result<(), String>,
    /// The same of the further configurations: which, and why.
    pub(super) further: Result<(), (String, String)>,
    /// The paths that are accepted.
    pub(super) paths: Vec<SecretPath>,
}

/// A leaf that is served.
#[derive(Debug)]
struct Signed {
    by: Ca,
    life: Life,
}

/// One replica.
#[derive(Debug)]
pub struct Replica {
    host: Host,
    certificates: Certificates,
    served: Arc<Served>,
    timing: Timing,
    /// What the Secret held when it was last good.
    memory: Option<Shared>,
    /// What of the Secret could be read, by its version.
    read: Option<(String, Found)>,
    /// Paths before that a webhook may still call.
    former: Vec<SecretPath>,
    leaf: Option<Signed>,
    sightings: Sightings,
    next_since: Option<(SecretPath, Duration)>,
    broken_since: Option<Duration>,
}

// === impl Replica ===

impl Replica {
    /// A replica that answers as `host` with what it puts into `served`, or others do.
    #[must_use]
    pub fn new(host: Host, certificates: Certificates, served: Arc<Served>) -> Self {
        Self {
            host,
            certificates,
            served,
            timing: Timing::default(),
            memory: None,
            read: None,
            former: Vec::new(),
            leaf: None,
            sightings: Sightings::default(),
            next_since: None,
            broken_since: None,
        }
    }

    /// The same with other times.
    #[must_use]
    pub fn timed(self, timing: Timing) -> Self {
        Self { timing, ..self }
    }

    pub(super) fn timing(&self) -> Timing {
        self.timing
    }

    /// Callers are to trust these from now on; of no meaning where leaves are the shared authority's.
    pub(super) fn give(&mut self, authorities: Vec<Ca>) {
        if let Certificates::Given(Some(given)) = &mut self.certificates {
            *given = authorities;
        }
    }

    /// Takes in what is known at `now`.
    pub(super) fn look(&mut self, observed: &Observed, leader: bool, now: Moment) -> Look {
        let all = observed.configurations();
        let hooks: Vec<Hook> = all.flat_map(|(_, found)| found.hooks.clone()).collect();
        self.sightings.see(&hooks, now.ticks);
        self.take_in(&observed.secret, now.ticks);
        let certificate = self.certify(now);
        if let Some(wanted) = self.wanted(now) {
            self.sightings.see_strangers(&hooks, &wanted, now.ticks);
        }
        let step = rotation::step(&self.view(observed, leader, now));
        let task = step
            .map(Task::Secret)
            .or_else(|| self.hooks(observed, leader, now));
        let trusted = self.trusted(&observed.configuration, now);
        Look {
            task,
            certificate: certificate.map_err(|why| Self::or_secret(&observed.secret, why)),
            trusted,
            further: self.further(observed, now),
            paths: self.paths(),
        }
    }

    /// What `task` writes.
    pub(super) fn write(
        &self,
        task: Task,
        observed: &Observed,
        leader: bool,
        now: Moment,
    ) -> Result<Option<Write>, MakeError> {
        let step = match task {
            Task::Hooks(of, hooks) => return Ok(Some(Write::Hooks(of, hooks))),
            Task::Secret(step) => step,
        };
        let stored = observed.secret.present();
        let version = stored.map(|stored| stored.version.clone());
        if step == Step::Thaw {
            return Ok(version.map(Write::Delete));
        }
        let view = self.view(observed, leader, now);
        let shared = rotation::after(step, &view, self.memory.as_ref())?;
        let Some((shared, owner)) = shared.zip(view.owner) else {
            return Ok(None);
        };
        let asked = stored.and_then(|stored| stored.rotate.clone());
        let done = stored.and_then(|stored| stored.rotated.clone());
        Ok(Some(Write::Secret(SecretWrite {
            version,
            owner: owner.to_owned(),
            data: shared.encode(),
            rotated: if step == Step::Prepare { asked } else { done },
        })))
    }

    /// When the authority and the leaf end, in seconds since 1970, where they are cotter's own.
    pub(super) fn ends(&self) -> BTreeMap<&'static str, i64> {
        let ca = self.authority().map(|ca| ("ca", ca.until()));
        let leaf = self.leaf.as_ref().map(|leaf| ("leaf", leaf.life.until()));
        ca.into_iter().chain(leaf).collect()
    }

    /// Why there is no certificate: the Secret's trouble, if it has one.
    fn or_secret(secret: &Seen<Stored>, why: String) -> String {
        match secret {
            Seen::Unknown(None) => "not read yet".to_owned(),
            Seen::Unknown(Some(error)) => error.clone(),
            _ => why,
        }
    }

    fn lives(&self) -> Option<Lives> {
        match self.certificates {
            Certificates::Own(lives) => Some(lives),
            Certificates::Given(_) => None,
        }
    }

    fn authority(&self) -> Option<&Arc<Authority>> {
        self.lives()?;
        self.memory.as_ref()?.current.ca.as_ref()
    }

    fn view<'a>(&'a self, observed: &'a Observed, leader: bool, now: Moment) -> View<'a> {
        let configuration = observed.configuration.present();
        let known = |found: &Configuration| found.hooks.iter().any(|hook| hook.path.is_some());
        View {
            secret: &observed.secret,
            found: self.read.as_ref().map(|(_, found)| found),
            remembers: self.memory.is_some(),
            owner: configuration.map(|found| found.uid.as_str()),
            registered: configuration.is_some_and(known),
            leaf: self.signer(now),
            sightings: &self.sightings,
            next_since: self.next_since.as_ref().map(|(_, since)| *since),
            broken_since: self.broken_since,
            lives: self.lives(),
            timing: self.timing,
            leader,
            now,
        }
    }

    /// Reads the Secret where it is new, and remembers it where it is good.
    fn take_in(&mut self, secret: &Seen<Stored>, now: Duration) {
        let stored = match secret {
            Seen::Unknown(_) => return,
            Seen::Absent => None,
            Seen::Present(stored) => Some(stored),
        };
        match (stored, &self.read) {
            (None, _) => self.read = None,
            (Some(stored), Some((version, _))) if *version == stored.version => {}
            (Some(stored), _) => {
                self.read = Some((stored.version.clone(), Found::decode(stored)));
            }
        }
        let own = self.lives().is_some();
        let Some(shared) = self.read.as_ref().and_then(|(_, found)| found.whole(own)) else {
            self.broken_since.get_or_insert(now);
            return;
        };
        self.broken_since = None;
        let next = shared.next.as_ref().map(|next| next.path.clone());
        if self.next_since.as_ref().map(|(path, _)| path) != next.as_ref() {
            self.next_since = next.map(|path| (path, now));
        }
        let paths = shared.paths();
        let before = self.memory.replace(shared);
        let gone = before.iter().flat_map(Shared::paths);
        self.former.extend(gone);
        let mut kept: Vec<SecretPath> = Vec::new();
        for path in std::mem::take(&mut self.former) {
            if !paths.contains(&path) && !kept.contains(&path) {
                kept.push(path);
            }
        }
        self.former = kept;
        let calls = |memory: &Shared| {
            self.sightings
                .calls(&memory.current.path, self.timing.overlap, now)
        };
        if self.memory.as_ref().is_some_and(calls) {
            self.former.clear();
        }
    }

    fn paths(&self) -> Vec<SecretPath> {
        let shared = self.memory.iter().flat_map(Shared::paths);
        shared.chain(self.former.iter().cloned()).collect()
    }

    /// Sees to the leaf that is served.
    fn certify(&mut self, now: Moment) -> Result<(), String> {
        let Some(lives) = self.lives() else {
            return Ok(());
        };
        let Some(ca) = self.authority().cloned() else {
            return Err("there is no authority yet".to_owned());
        };
        if !self.wants_leaf(&ca, now) {
            return Ok(());
        }
        if let Some(why) = ca.renewal(now.wall).filter(|why| why.is_final()) {
            return Err(format!("the shared authority is {why}"));
        }
        let failed = |error: &dyn std::error::Error| format!("cannot sign a certificate: {error}");
        let hosts = std::slice::from_ref(&self.host);
        let leaf = leaf::sign(&ca, hosts, now.wall, lives.leaf).map_err(|error| failed(&error))?;
        let pair = resolver::pair(leaf.pem.as_bytes(), leaf.key_pem.as_bytes());
        self.served.replace(pair.map_err(|error| failed(&error))?);
        let first = self.leaf.is_none();
        self.leaf = Some(Signed {
            by: ca.der().clone(),
            life: leaf.life,
        });
        tracing::info!(first, "serving a new certificate of the shared authority");
        Ok(())
    }

    /// Whether it is time for a leaf of `ca`. One of another authority waits until callers trust that, unless nothing
    /// valid is left.
    fn wants_leaf(&self, ca: &Authority, now: Moment) -> bool {
        let Some(leaf) = &self.leaf else {
            return true;
        };
        match leaf.life.renewal(now.wall) {
            Some(why) if why.is_final() => true,
            // One more leaf would end with the authority, too.
            due if leaf.by == *ca.der() => due.is_some() && leaf.life.until() < ca.until(),
            _ => self
                .sightings
                .trusts(ca.der(), self.timing.overlap, now.ticks),
        }
    }

    /// The authority that callers have to trust for this replica's sake, while its leaf is valid.
    fn signer(&self, now: Moment) -> Option<Retired> {
        let leaf = self.leaf.as_ref()?;
        let valid = leaf
            .life
            .renewal(now.wall)
            .is_none_or(|why| !why.is_final());
        valid.then(|| Retired {
            ca: leaf.by.clone(),
            until: leaf.life.until(),
        })
    }

    /// What of the webhooks has to be written, if anything.
    fn hooks(&self, observed: &Observed, leader: bool, now: Moment) -> Option<Task> {
        let bundle = self.wanted(now);
        let wish = Wish {
            bundle: bundle.as_deref(),
            path: &self.memory.as_ref()?.current.path,
            sightings: &self.sightings,
            timing: self.timing,
            leader,
            now: now.ticks,
        };
        observed.configurations().find_map(|(further, found)| {
            let writes = registration::writes(&found.hooks, &wish);
            let of = || Of {
                further: further.map(str::to_owned),
                version: found.version.clone(),
            };
            (!writes.is_empty()).then(|| Task::Hooks(of(), writes))
        })
    }

    /// Which of the further configurations the API server could not call now, and why.
    fn further(&self, observed: &Observed, now: Moment) -> Result<(), (String, String)> {
        for (name, seen) in &observed.further {
            let trusted = self.trusted(seen, now);
            trusted.map_err(|why| (name.clone(), why))?;
        }
        Ok(())
    }

    /// Whether the API server could call now; why not, one line.
    fn trusted(&self, configuration: &Seen<Configuration>, now: Moment) -> Result<(), String> {
        let found = match configuration {
            Seen::Unknown(None) => return Err("not read yet".to_owned()),
            Seen::Unknown(Some(error)) => return Err(error.clone()),
            Seen::Absent => return Err("there is none".to_owned()),
            Seen::Present(found) => found,
        };
        let Some(pair) = self.served.current() else {
            return Err("waits for the certificate".to_owned());
        };
        let paths = self.paths();
        registration::trusts(&found.hooks, &pair.cert, &self.host, &paths, now.wall)
    }

    /// What callers have to trust; `None` where others tell them.
    fn wanted(&self, now: Moment) -> Option<Vec<Ca>> {
        let Certificates::Own(_) = self.certificates else {
            let Certificates::Given(given) = &self.certificates else {
                return None;
            };
            return given.clone();
        };
        let mut wanted = self.memory.as_ref()?.authorities();
        if let Some(signer) = self.signer(now).filter(|one| !wanted.contains(&one.ca)) {
            wanted.push(signer.ca);
        }
        Some(wanted)
    }
}

#[cfg(test)]
mod tests;
