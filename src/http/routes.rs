//! The routes of the webhook: which request is a review, and what a caller hears where it is none.
//!
//! Never a redirect and never a `Retry-After`: the API server follows the one and repeats on the other within its
//! own timeout.

use std::{
    borrow::Cow,
    fmt,
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use bytes::Bytes;
use futures_util::FutureExt;
use http::{
    HeaderValue, Method, Response, StatusCode, Version,
    header::{ALLOW, CONNECTION, CONTENT_TYPE, EXPECT},
};
use http_body::Body;
use http_body_util::Full;
use zeroize::Zeroizing;

use super::{
    Request, Site,
    body::{self, BodyError, Budget, LIMIT},
    duration,
};
use crate::{
    admission::{
        deadline,
        reviewer::{BadReview, ReviewRequest, Reviewer},
    },
    registry_admission::{self, Guard, NotAReview},
    telemetry::metrics::{Answer, Metrics},
};

/// What all bodies in flight may take together unless something else is asked for, in bytes.
pub const BUDGET: usize = 128 << 20;

/// How long a body may take where its caller does not say how long it waits: the default of `timeoutSeconds`.
const BODY_TIME: Duration = Duration::from_secs(10);

/// The longest `timeoutSeconds` of a webhook.
const LONGEST_TIME: Duration = Duration::from_secs(30);

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const CLOSE: HeaderValue = HeaderValue::from_static("close");
const POST: HeaderValue = HeaderValue::from_static("POST");

/// The paths at which reviews are served, exchangeable while requests come. They may be secrets, so they are not shown.
#[derive(Default)]
pub struct Paths(ArcSwap<Vec<Zeroizing<String>>>);

/// The webhook's routes: reviews of what holds images, and below the same paths those of registries. Clones serve the
/// same.
#[derive(Debug)]
pub struct Routes<R>(Arc<Inner<R>>);

#[derive(Debug)]
struct Inner<R> {
    paths: Arc<Paths>,
    reviewer: R,
    /// Who answers for registries; nobody where they are not looked after.
    guard: Option<Guard>,
    budget: Budget,
    metrics: Arc<Metrics>,
}

/// Whose review a path is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subject {
    /// Pods and what makes them.
    Images,
    /// `Registry` objects.
    Registries,
}

/// What a caller hears instead of a review.
#[derive(Debug)]
struct Refusal {
    status: StatusCode,
    line: Cow<'static, str>,
    /// Whether part of the request may not have been read, so that nothing can follow it.
    unread: bool,
}

// === impl Paths ===

impl Paths {
    /// One path, for good or for now.
    #[must_use]
    pub fn one(path: &str) -> Arc<Self> {
        let paths = Self::default();
        paths.replace([path]);
        Arc::new(paths)
    }

    /// Serves these and no others from now on.
    pub fn replace<'a>(&self, paths: impl IntoIterator<Item = &'a str>) {
        let paths = paths
            .into_iter()
            .map(|path| Zeroizing::new(path.to_owned()));
        self.0.store(Arc::new(paths.collect()));
    }

    /// Whether `path` is one of them, in a time that does not tell which, or how much of one is right.
    fn hold(&self, path: &str) -> bool {
        let known = self.0.load();
        let all = known.iter();
        all.fold(false, |found, one| {
            found | same(path.as_bytes(), one.as_bytes())
        })
    }
}

impl fmt::Debug for Paths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Paths")
    }
}

// === impl Routes ===

impl<R: Reviewer> Routes<R> {
    /// Serves reviews at `paths`, whose bodies take no more than `budget` bytes together (at least one body's limit).
    #[must_use]
    pub fn new(paths: Arc<Paths>, reviewer: R, budget: usize, metrics: Arc<Metrics>) -> Self {
        Self::guarded(paths, reviewer, None, budget, metrics)
    }

    /// The same, with `guard` for the reviews of registries.
    #[must_use]
    pub fn guarded(
        paths: Arc<Paths>,
        reviewer: R,
        guard: Option<Guard>,
        budget: usize,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self(Arc::new(Inner {
            paths,
            reviewer,
            guard,
            budget: Budget::new(budget),
            metrics,
        }))
    }
}

impl<R: Reviewer> Inner<R> {
    /// What can be said before any of the body is read.
    fn check(&self, request: &Request) -> Result<Subject, Refusal> {
        let unread = |status, line| Refusal {
            unread: true,
            ..Refusal::new(status, line)
        };
        let (path, subject) = subject(request.uri().path());
        let is_answered = subject == Subject::Images || self.guard.is_some();
        if !(self.paths.hold(path) && is_answered) {
            return Err(unread(StatusCode::NOT_FOUND, "no such path"));
        }
        if request.method() != Method::POST {
            let status = StatusCode::METHOD_NOT_ALLOWED;
            return Err(unread(status, "reviews are sent with POST"));
        }
        // Who expects a 100 has not sent the body yet, and need not.
        let lower = usize::try_from(request.body().size_hint().lower()).unwrap_or(usize::MAX);
        if lower > LIMIT && request.headers().contains_key(EXPECT) {
            return Err(Refusal::from(BodyError::TooLarge));
        }
        Ok(subject)
    }

    async fn review(
        &self,
        request: Request,
        subject: Subject,
        arrived: Instant,
    ) -> Result<Bytes, Refusal> {
        let timeout = duration::timeout(request.uri().query());
        let deadline = arrived + timeout.unwrap_or(BODY_TIME).min(LONGEST_TIME);
        let (body, _lease) = body::read(request.into_body(), deadline, &self.budget).await?;
        let review = async {
            if let (Subject::Registries, Some(guard)) = (subject, &self.guard) {
                let deadline = deadline::deadline(arrived, timeout, LONGEST_TIME);
                let answer = guard.review(&body, deadline).await;
                return answer.map(Bytes::from).map_err(bad);
            }
            let request = ReviewRequest { timeout, arrived };
            self.reviewer.review(body, request).await
        };
        // Nothing of a review that panicked is looked at again, and what reviews share is theirs to keep whole.
        if let Ok(answer) = AssertUnwindSafe(review).catch_unwind().await {
            return answer.map_err(Refusal::from);
        }
        self.metrics.admission(Answer::Panicked, arrived.elapsed());
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Err(Refusal::new(status, "the review failed inside cotter"))
    }
}

impl<R> Clone for Routes<R> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<R: Reviewer> Site for Routes<R> {
    type Body = Full<Bytes>;

    async fn answer(self, request: Request) -> Response<Self::Body> {
        let arrived = Instant::now();
        let version = request.version();
        let answer = match self.0.check(&request) {
            Ok(subject) => self.0.review(request, subject, arrived).await,
            Err(refusal) => Err(refusal),
        };
        match answer {
            Ok(bytes) => {
                let mut response = Response::new(Full::new(bytes));
                response.headers_mut().insert(CONTENT_TYPE, JSON);
                response
            }
            Err(refusal) => refusal.into_response(version),
        }
    }
}

// === impl Refusal ===

impl Refusal {
    fn new(status: StatusCode, line: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status,
            line: line.into(),
            unread: false,
        }
    }

    fn into_response(self, version: Version) -> Response<Full<Bytes>> {
        let text = format!("{}\n", self.line);
        let mut response = Response::new(Full::new(Bytes::from(text)));
        *response.status_mut() = self.status;
        response.headers_mut().insert(CONTENT_TYPE, TEXT);
        if self.unread && version <= Version::HTTP_11 {
            response.headers_mut().insert(CONNECTION, CLOSE);
        }
        if self.status == StatusCode::METHOD_NOT_ALLOWED {
            response.headers_mut().insert(ALLOW, POST);
        }
        response
    }
}

impl From<BadReview> for Refusal {
    fn from(bad: BadReview) -> Self {
        Self::new(bad.status, bad.message)
    }
}

impl From<BodyError> for Refusal {
    fn from(error: BodyError) -> Self {
        let (status, line) = match error {
            BodyError::TooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "the body is larger than 32 MiB",
            ),
            BodyError::Slow => (
                StatusCode::REQUEST_TIMEOUT,
                "the body did not arrive in time",
            ),
            // Not the caller's fault, and without a Retry-After nobody repeats it at once.
            BodyError::Crowded => (
                StatusCode::SERVICE_UNAVAILABLE,
                "too many large reviews at once",
            ),
            BodyError::Broken => (StatusCode::BAD_REQUEST, "the body broke off"),
        };
        Self {
            unread: true,
            ..Self::new(status, line)
        }
    }
}

fn bad(NotAReview(line): NotAReview) -> BadReview {
    BadReview {
        status: StatusCode::BAD_REQUEST,
        message: line.into(),
    }
}

/// The path that has to be known, and what it is called for.
fn subject(path: &str) -> (&str, Subject) {
    match path.strip_suffix(registry_admission::UNDER) {
        Some(path) => (path, Subject::Registries),
        None => (path, Subject::Images),
    }
}

/// Compares in a time that does not tell how much is right: the path may hold a secret.
fn same(one: &[u8], other: &[u8]) -> bool {
    let different = one.iter().zip(other).fold(0, |sum, (a, b)| sum | (a ^ b));
    one.len() == other.len() && different == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registries_have_a_path_below_that_of_pods() {
        assert_eq!(subject("/mutate/abc"), ("/mutate/abc", Subject::Images));
        let below = subject("/mutate/abc/registries");
        assert_eq!(below, ("/mutate/abc", Subject::Registries));
        let twice = subject("/mutate/registries/registries");
        assert_eq!(twice, ("/mutate/registries", Subject::Registries));
    }

    #[test]
    fn paths_are_the_same_only_whole() {
        assert!(same(b"/mutate", b"/mutate"));
        for other in ["", "/", "/mutat", "/mutate/", "/Mutate", "/mutatf"] {
            assert!(!same(other.as_bytes(), b"/mutate"), "{other}");
        }
    }
}
