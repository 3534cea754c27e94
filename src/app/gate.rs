//! Holds reviews back until there is a configuration: what the built-in one would pin, the user's may skip.

use std::{
    borrow::Cow,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use http::StatusCode;

use crate::admission::reviewer::{BadReview, ReviewRequest, Reviewer};

/// A reviewer that answers once its switch is on.
pub(super) struct Gate<R> {
    reviewer: R,
    open: Switch,
}

/// Whether a gate is open; clones are the same switch.
#[derive(Clone, Debug, Default)]
pub(super) struct Switch(Arc<AtomicBool>);

// === impl Switch ===

impl Switch {
    /// Opens the gate, for good.
    pub(super) fn turn_on(&self) {
        self.0.store(true, Ordering::Release);
    }
}

// === impl Gate ===

impl<R> Gate<R> {
    pub(super) fn new(reviewer: R, open: Switch) -> Self {
        Self { reviewer, open }
    }
}

impl<R: Reviewer> Reviewer for Gate<R> {
    async fn review(&self, body: Bytes, request: ReviewRequest) -> Result<Bytes, BadReview> {
        if !self.open.0.load(Ordering::Acquire) {
            return Err(BadReview {
                status: StatusCode::SERVICE_UNAVAILABLE,
                message: Cow::Borrowed("cotter has no configuration yet; its /readyz says why"),
            });
        }
        self.reviewer.review(body, request).await
    }
}
