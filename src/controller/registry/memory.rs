//! What the looks at registries remember, all of which is lost with the lead.

use std::{sync::Arc, time::Duration};

use kube::Client;
use smol_str::SmolStr;
use tokio::{sync::Mutex, time::Instant};

use super::{
    census::{self, Census},
    ecr::Passwords,
    exam::Exams,
    pace::Paces,
    proof::{Proofs, TEST_EVERY},
    statuses::Statuses,
};
use crate::{controller::trouble::Trouble, registry};

/// How long a count serves that some namespace is missing in.
const INCOMPLETE: Duration = Duration::from_mins(1);

/// What is remembered.
pub(super) struct Memory {
    pub(super) proofs: Proofs,
    pub(super) passwords: Passwords,
    pub(super) paces: Paces,
    pub(super) exams: Exams,
    pub(super) statuses: Statuses,
    counted: Mutex<Option<(Instant, Arc<Counted>)>>,
}

/// A count of all Pods.
pub(super) struct Counted {
    pub(super) census: Census,
    /// Why it is not complete.
    pub(super) troubles: Vec<Trouble>,
}

// === impl Memory ===

impl Memory {
    /// Nothing yet. `asked` asks AWS, too.
    pub(super) fn new(asked: registry::client::Client, exams: Exams) -> Self {
        Self {
            exams,
            statuses: Statuses::default(),
            proofs: Proofs::default(),
            passwords: Passwords::new(asked),
            paces: Paces::default(),
            counted: Mutex::default(),
        }
    }

    /// Forgets the registry of this uid, which is gone.
    pub(super) fn forget(&self, uid: &str) {
        self.exams.forget(uid);
        self.statuses.forget(uid);
        self.proofs.forget(uid);
        self.passwords.forget(uid);
        self.paces.retain(uid, |_| false);
    }

    /// The Pods of these namespaces; `None` stands for all. One count serves all registries for as long as between two
    /// tests, since it lists every Pod.
    pub(super) async fn counted(&self, client: &Client, parts: &[Option<SmolStr>]) -> Arc<Counted> {
        let mut counted = self.counted.lock().await;
        if let Some((at, counted)) = &*counted {
            let lasts = if counted.troubles.is_empty() {
                TEST_EVERY
            } else {
                INCOMPLETE
            };
            if at.elapsed() < lasts {
                return Arc::clone(counted);
            }
        }
        let (mut census, mut troubles) = (Census::new(), Vec::new());
        for part in parts {
            let taken = census::take(client, part.as_ref(), &mut census).await;
            troubles.extend(taken.err());
        }
        let made = Arc::new(Counted { census, troubles });
        *counted = Some((Instant::now(), Arc::clone(&made)));
        made
    }
}
