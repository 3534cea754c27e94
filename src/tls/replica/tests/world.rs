//! Replicas over a store in memory, second by second, with a caller who knows the webhook configuration of a second ago.

use std::collections::VecDeque;

use jiff::Timestamp;

use crate::tls::{bundle, ports::Hook, replica::*};

pub(super) const HOST: &str = "cotter.cotter-system.svc";

/// A further configuration.
pub(super) const MORE: &str = "cotter-registries";

/// Seconds after which every replica and the caller have heard of a write.
const LAG: usize = 2;

/// The two objects, and who looks at them.
pub(super) struct World {
    pub(super) observed: Observed,
    version: u64,
    /// What was observed before, latest last.
    history: VecDeque<Observed>,
    pub(super) replicas: Vec<Replica>,
    pub(super) looks: Vec<Look>,
    pub(super) now: u64,
    /// How far each replica's clock is ahead, in seconds.
    pub(super) skew: Vec<i64>,
    pub(super) writes: u64,
}

pub(super) fn configuration(uid: &str) -> Configuration {
    let hook = |index: usize, name: &str| Hook {
        index,
        name: name.to_owned(),
        bundle: Vec::new(),
        path: None,
    };
    Configuration {
        version: uid.to_owned(),
        uid: uid.to_owned(),
        hooks: vec![hook(0, "pods.cotter.dev"), hook(2, "workloads.cotter.dev")],
    }
}

pub(super) fn replica(lives: Lives) -> Replica {
    let served = Arc::new(Served::default());
    Replica::new(HOST.parse().unwrap(), Certificates::Own(lives), served)
}

pub(super) fn minutes(ca: u64, leaf: u64) -> Lives {
    Lives {
        ca: Duration::from_mins(ca),
        leaf: Duration::from_mins(leaf),
    }
}

impl World {
    pub(super) fn new(number: usize, lives: Lives) -> Self {
        let more = (MORE.to_owned(), Seen::Present(configuration("more")));
        let observed = Observed {
            secret: Seen::Absent,
            configuration: Seen::Present(configuration("first")),
            further: [more].into(),
        };
        Self {
            history: VecDeque::from(vec![observed.clone()]),
            observed,
            version: 0,
            replicas: (0..number).map(|_| replica(lives)).collect(),
            looks: Vec::new(),
            now: 0,
            skew: vec![0; number],
            writes: 0,
        }
    }

    pub(super) fn moment(&self, index: usize) -> Moment {
        let wall = 1_800_000_000 + i64::try_from(self.now).unwrap() + self.skew[index];
        Moment {
            wall: Timestamp::from_second(wall).unwrap(),
            ticks: Duration::from_secs(self.now),
        }
    }

    /// One second: each replica looks at what it has heard of and writes what it wants; the first one leads.
    pub(super) fn second(&mut self) {
        self.now += 1;
        self.looks.clear();
        for index in 0..self.replicas.len() {
            let known = self.heard(index % LAG);
            let (leader, now) = (index == 0, self.moment(index));
            let mut look = self.replicas[index].look(&known, leader, now);
            if let Some(task) = look.task.take() {
                let write = self.replicas[index]
                    .write(task, &known, leader, now)
                    .unwrap();
                self.apply(write.unwrap());
            }
            self.looks.push(look);
        }
        self.history.push_back(self.observed.clone());
        if self.history.len() > LAG + 1 {
            self.history.pop_front();
        }
    }

    /// What was so `ago` seconds ago.
    pub(super) fn heard(&self, ago: usize) -> Observed {
        let back = self.history.len().saturating_sub(1 + ago);
        self.history[back].clone()
    }

    pub(super) fn apply(&mut self, write: Write) {
        self.version += 1;
        let version = self.version.to_string();
        match write {
            Write::Delete(_) => self.observed.secret = Seen::Absent,
            Write::Secret(write) => {
                let before = self.observed.secret.present().cloned();
                if before.as_ref().map(|stored| &stored.version) != write.version.as_ref() {
                    return;
                }
                let rotate = before.as_ref().and_then(|stored| stored.rotate.clone());
                let mut data = before.map(|stored| stored.data).unwrap_or_default();
                for (key, bytes) in write.data {
                    match bytes {
                        Some(bytes) => data.insert(key.to_owned(), bytes),
                        None => data.remove(key),
                    };
                }
                self.observed.secret = Seen::Present(Stored {
                    version,
                    immutable: false,
                    owner: Some(write.owner),
                    data,
                    rotate,
                    rotated: write.rotated,
                });
            }
            Write::Hooks(of, hooks) => {
                let seen = match &of.further {
                    None => &mut self.observed.configuration,
                    Some(name) => self.observed.further.get_mut(name).unwrap(),
                };
                let Seen::Present(found) = seen else {
                    return;
                };
                if found.version != of.version {
                    return;
                }
                found.version = version;
                for hook in hooks {
                    let found = found.hooks.iter_mut().find(|one| one.index == hook.index);
                    let found = found.unwrap();
                    found.bundle = hook.bundle.map_or(found.bundle.clone(), String::into_bytes);
                    found.path = hook.path.or(found.path.clone());
                }
            }
        }
        self.writes += 1;
    }

    /// Why a caller who knows the configuration of `ago` seconds ago would not get through to each replica.
    pub(super) fn failures(&self, ago: usize) -> Vec<String> {
        let heard = self.heard(ago);
        let Seen::Present(mut known) = heard.configuration else {
            return vec!["no configuration".to_owned()];
        };
        let further = heard.further.values().filter_map(Seen::present);
        known
            .hooks
            .extend(further.flat_map(|found| found.hooks.clone()));
        let mut failures = Vec::new();
        for (index, replica) in self.replicas.iter().enumerate() {
            let now = self.moment(index).wall;
            let paths = &self.looks[index].paths;
            let Some(pair) = replica.served.current() else {
                failures.push(format!("{index} serves nothing"));
                continue;
            };
            let trusts = registration::trusts(&known.hooks, &pair.cert, &replica.host, paths, now);
            failures.extend(trusts.err().map(|why| format!("{index}: {why}")));
        }
        failures
    }

    pub(super) fn run(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.second();
        }
    }

    /// Runs on; at each second every call gets through.
    pub(super) fn run_well(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.second();
            for ago in 0..=LAG {
                let failures = self.failures(ago);
                assert!(
                    failures.is_empty(),
                    "second {}, {ago} ago: {failures:?}",
                    self.now
                );
            }
        }
    }

    /// Runs until every call gets through; how many seconds that took.
    pub(super) fn heal(&mut self) -> u64 {
        for seconds in 1..30 {
            self.second();
            if (0..=LAG).all(|ago| self.failures(ago).is_empty()) {
                return seconds;
            }
        }
        panic!("not healed: {:?}", self.failures(0));
    }

    pub(super) fn stored(&mut self) -> &mut Stored {
        self.version += 1;
        let version = self.version.to_string();
        match &mut self.observed.secret {
            Seen::Present(stored) => {
                stored.version = version;
                stored
            }
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn hooks(&mut self) -> &mut Vec<Hook> {
        self.version += 1;
        let version = self.version.to_string();
        match &mut self.observed.configuration {
            Seen::Present(found) => {
                found.version = version;
                &mut found.hooks
            }
            other => panic!("{other:?}"),
        }
    }

    /// The further configuration, to be changed.
    pub(super) fn further(&mut self) -> &mut Configuration {
        self.version += 1;
        let version = self.version.to_string();
        match self.observed.further.get_mut(MORE) {
            Some(Seen::Present(found)) => {
                found.version = version;
                found
            }
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn bundle(&self) -> Vec<Ca> {
        let found = self.observed.configuration.present().unwrap();
        bundle::read(&found.hooks[0].bundle)
    }

    pub(super) fn shared(&self) -> Shared {
        let stored = self.observed.secret.present().unwrap();
        Found::decode(stored).whole(true).unwrap()
    }
}
