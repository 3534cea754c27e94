//! Gathers what is said of each shape into one report.

use std::{
    collections::{BTreeMap, HashSet},
    mem,
};

use jiff::Timestamp;
use smol_str::SmolStr;

use super::{
    judge::Judged,
    report::{Finding, FindingKind, ImageReport, NamespaceReport, Report, Tally, Unchecked},
    secrets::{self, Use},
    shape::{Members, Shape},
    world::Room,
};

/// What was gathered so far.
#[derive(Debug, Default)]
pub(super) struct Fold {
    namespaces: BTreeMap<SmolStr, Gathered>,
    findings: Vec<Finding>,
    images: Vec<ImageReport>,
}

#[derive(Debug)]
struct Gathered {
    tally: Tally,
    images: HashSet<SmolStr>,
    used: Use,
}

impl Default for Gathered {
    fn default() -> Self {
        Self {
            tally: Tally::none(),
            images: HashSet::new(),
            used: Use::default(),
        }
    }
}

// === impl Fold ===

impl Fold {
    /// Adds what is said of one shape.
    pub(super) fn add(&mut self, shape: &Shape, members: &Members, judged: Judged) {
        let gathered = self.namespaces.entry(shape.namespace.clone()).or_default();
        gathered.used.add(shape, members, &judged);
        gathered.tally.pods += members.pods;
        gathered.tally.drift_unknown += judged.drift_unknown;
        gathered.tally.enforcing.add(&judged.enforcing);
        let texts = judged.images.iter().map(|image| image.image.clone());
        gathered.images.extend(texts);
        self.images.extend(judged.images);
        self.findings.extend(judged.findings);
    }

    /// The report, now that all shapes were added.
    pub(super) fn finish(
        mut self,
        rooms: &BTreeMap<SmolStr, Room>,
        unchecked: Vec<Unchecked>,
        now: Timestamp,
    ) -> Report {
        let pods_known = unchecked.iter().all(|one| one.resource != "pods");
        for (name, room) in rooms {
            let gathered = self.namespaces.entry(name.clone()).or_default();
            let found = secrets::judge(name, room, &gathered.used, pods_known, now);
            self.findings.extend(found);
        }
        let findings = joined_findings(self.findings);
        for finding in &findings {
            let gathered = self
                .namespaces
                .entry(finding.namespace.clone())
                .or_default();
            *gathered.tally.findings.entry(finding.kind).or_default() += 1;
        }
        let mut totals = Tally::none();
        let mut namespaces = Vec::with_capacity(self.namespaces.len());
        for (name, gathered) in self.namespaces {
            let mut tally = gathered.tally;
            tally.images = gathered.images.len();
            totals.add(&tally);
            let room = rooms.get(&name);
            namespaces.push(NamespaceReport {
                mode: room.and_then(Room::mode),
                policy: room.and_then(|room| room.choice.policy.clone()),
                name,
                tally,
            });
        }
        Report {
            namespaces,
            totals,
            findings,
            images: joined_images(self.images),
            unchecked,
        }
    }
}

/// Sorted, and what is said twice of one workload, of two revisions or of its template and its Pods, said once.
fn joined_findings(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort();
    findings.dedup_by(|later, first| {
        let same = later.kind == first.kind
            && later.namespace == first.namespace
            && later.workload == first.workload
            && later.slot == first.slot
            && later.image == first.image
            && later.secret == first.secret
            && later.cause == first.cause
            && later.message == first.message;
        if same {
            first.pods += later.pods;
            first.template |= later.template;
        }
        same
    });
    findings
}

fn joined_images(mut images: Vec<ImageReport>) -> Vec<ImageReport> {
    let key = |image: &ImageReport| {
        let ImageReport {
            namespace,
            workload,
            slot,
            image,
            ..
        } = image;
        (
            namespace.clone(),
            workload.clone(),
            slot.clone(),
            image.clone(),
        )
    };
    images.sort_by_cached_key(key);
    images.dedup_by(|later, first| {
        let same = key(later) == key(first) && later.state == first.state;
        if same {
            first.pods += later.pods;
            first.template |= later.template;
            first.drift = first.drift.max(later.drift);
            for digest in mem::take(&mut later.running) {
                if !first.running.contains(&digest) {
                    first.running.push(digest);
                }
            }
        }
        same
    });
    images
}

/// How many findings are of these kinds.
pub(super) fn count(report: &Report, kinds: &[FindingKind]) -> usize {
    kinds.iter().map(|kind| report.totals.of(*kind)).sum()
}
