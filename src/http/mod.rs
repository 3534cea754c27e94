//! The listeners, their routes and how they drain. Knows nothing of what a review says.

mod body;
mod connection;
mod duration;
mod watchdog;

pub mod accept;
pub mod drain;
pub mod listener;
pub mod ops;
pub mod routes;

/// A request as a listener hands it on.
pub type Request = http::Request<hyper::body::Incoming>;

/// What a listener serves: one answer for each request.
pub trait Site: Clone + Send + Sync + 'static {
    /// The body of an answer.
    type Body: http_body::Body<Data: Send, Error: std::error::Error + Send + Sync + 'static>
        + Send
        + 'static;

    /// Answers one request. What panics here ends the request's connection.
    fn answer(
        self,
        request: Request,
    ) -> impl Future<Output = http::Response<Self::Body>> + Send + 'static;
}
