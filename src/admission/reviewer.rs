//! What a server of reviews hands in and gets back. Knows no transport: bytes in, bytes out.

use std::{
    borrow::Cow,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::StatusCode;

/// What came with the body of a review.
#[derive(Clone, Copy, Debug)]
pub struct ReviewRequest {
    /// How long the caller waits, from its `timeout` parameter; `None` where it is missing or cannot be read.
    pub timeout: Option<Duration>,
    /// When the head of the request was there; the body came later.
    pub arrived: Instant,
}

/// Why a body is no review that can be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadReview {
    /// A 4xx: what the caller did wrong; or 503 where nobody can answer yet.
    pub status: StatusCode,
    /// One line for a person, without the body's text.
    pub message: Cow<'static, str>,
}

/// Answers reviews.
pub trait Reviewer: Send + Sync + 'static {
    /// Answers the `AdmissionReview` in `body` with another, both JSON.
    ///
    /// # Errors
    ///
    /// [`BadReview`] if the body is none.
    fn review(
        &self,
        body: Bytes,
        request: ReviewRequest,
    ) -> impl Future<Output = Result<Bytes, BadReview>> + Send;
}
