//! What became of the Pods of each opted-in namespace.

use std::sync::{Arc, OnceLock};

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};
use smol_str::SmolStr;

use super::{bounded::Bounded, each::Each};
use crate::telemetry::labels::{Closed, Mode, PodAnswer, SlotOutcome};

/// Namespaces beyond this number are counted under `other`, until one of these is deleted or opts out: 200 of them
/// have up to 4,400 series.
const MOST: usize = 200;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SlotLabel {
    namespace: String,
    mode: Mode,
    outcome: SlotOutcome,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PodLabel {
    namespace: String,
    mode: Mode,
    answer: PodAnswer,
}

/// The metrics of all namespaces.
#[derive(Debug)]
pub(super) struct Namespaces {
    slots: Family<SlotLabel, Counter>,
    pods: Family<PodLabel, Counter>,
    known: Bounded<Namespace>,
}

#[derive(Debug)]
struct Namespace {
    label: SmolStr,
    enforce: OnceLock<Counters>,
    audit: OnceLock<Counters>,
}

#[derive(Debug)]
struct Counters {
    slots: Each<SlotOutcome>,
    pods: Each<PodAnswer>,
}

/// Counts the Pods of one namespace and mode.
#[derive(Debug)]
pub struct NamespacePods<'a> {
    of: &'a Namespaces,
    namespace: Arc<Namespace>,
    mode: Mode,
}

// === impl Namespaces ===

impl Namespaces {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let (slots, pods) = (Family::default(), Family::default());
        registry.register(
            "namespace_slots",
            "Image slots of Pods by namespace: what became of them, or would in audit",
            Family::clone(&slots),
        );
        registry.register(
            "namespace_pods",
            "Pods by namespace: what enforce answered, or would in audit",
            Family::clone(&pods),
        );
        Self {
            slots,
            pods,
            known: Bounded::new(MOST),
        }
    }

    pub(super) fn pods(&self, namespace: &str, mode: Mode) -> NamespacePods<'_> {
        let namespace = self.known.get(namespace, |label| Namespace {
            label: label.into(),
            enforce: OnceLock::new(),
            audit: OnceLock::new(),
        });
        NamespacePods {
            of: self,
            namespace,
            mode,
        }
    }

    pub(super) fn forget(&self, namespace: &str) {
        if !self.known.remove(namespace) {
            return;
        }
        for &mode in Mode::ALL {
            for &outcome in SlotOutcome::ALL {
                let namespace = namespace.to_owned();
                self.slots.remove(&SlotLabel {
                    namespace,
                    mode,
                    outcome,
                });
            }
            for &answer in PodAnswer::ALL {
                let namespace = namespace.to_owned();
                self.pods.remove(&PodLabel {
                    namespace,
                    mode,
                    answer,
                });
            }
        }
    }

    fn counters(&self, namespace: &str, mode: Mode) -> Counters {
        let slot = |outcome| {
            let namespace = namespace.to_owned();
            self.slots.get_or_create_owned(&SlotLabel {
                namespace,
                mode,
                outcome,
            })
        };
        let pod = |answer| {
            let namespace = namespace.to_owned();
            self.pods.get_or_create_owned(&PodLabel {
                namespace,
                mode,
                answer,
            })
        };
        Counters {
            slots: Each::new(slot),
            pods: Each::new(pod),
        }
    }
}

// === impl NamespacePods ===

impl NamespacePods<'_> {
    /// Counts one slot.
    pub fn slot(&self, outcome: SlotOutcome) {
        self.counters().slots.inc(outcome);
    }

    /// Counts one Pod.
    pub fn pod(&self, answer: PodAnswer) {
        self.counters().pods.inc(answer);
    }

    fn counters(&self) -> &Counters {
        let counters = match self.mode {
            Mode::Enforce => &self.namespace.enforce,
            Mode::Audit => &self.namespace.audit,
        };
        counters.get_or_init(|| self.of.counters(&self.namespace.label, self.mode))
    }
}
