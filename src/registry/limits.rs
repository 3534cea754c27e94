//! How much is read of what others send, and how long a pause may be. Too much is a failure, never a cut.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::Body;
use http_body_util::BodyExt as _;
use tokio::time::timeout;

/// What registries may send for a manifest: containers/image has the same limit, and distribution refuses more.
pub(super) const MANIFEST: usize = 4 << 20;
/// What a registry may send for an image's configuration, as in containers/image.
pub(super) const CONFIG: usize = 4 << 20;
/// What a token server may send, as in containers/image.
pub(super) const TOKEN: usize = 1 << 20;
/// What a registry may send for one page of tags. Google's pages hold all tags at once, some 300 bytes each.
pub(super) const TAGS: usize = 4 << 20;
/// Pages of one tag list; GHCR gives 100 tags a page, and nobody reads through more than ten thousand.
pub(super) const TAG_PAGES: usize = 100;
/// What is read of an error's body, to find its code and to keep the connection.
pub(super) const ERROR: usize = 64 << 10;

/// The longest pause between two pieces of a body. A manifest is a few kilobytes; who pauses longer than this within
/// one uses up the admission's time.
pub(super) const READ: Duration = Duration::from_secs(2);

/// Why a body could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    /// There is more than allowed.
    #[error("the body is longer than {0} bytes")]
    TooLong(usize),
    /// Nothing came for [`READ`].
    #[error("the body stalled")]
    Stalled,
    /// The connection broke.
    #[error("the body ended early")]
    Broken,
}

/// Reads the whole of `body` if it is at most `limit` bytes.
///
/// # Errors
/// [`ReadError`]; nothing of a body that fails is returned.
pub(super) async fn read_at_most<B>(mut body: B, limit: usize) -> Result<Bytes, ReadError>
where
    B: Body<Data = Bytes> + Unpin,
{
    if body.size_hint().lower() > limit as u64 {
        return Err(ReadError::TooLong(limit));
    }
    let mut read = BytesMut::new();
    loop {
        let frame = match timeout(READ, body.frame()).await {
            Err(_) => return Err(ReadError::Stalled),
            Ok(None) => return Ok(read.freeze()),
            Ok(Some(frame)) => frame.map_err(|_| ReadError::Broken)?,
        };
        let data = frame.into_data().unwrap_or_default();
        if read.len() + data.len() > limit {
            return Err(ReadError::TooLong(limit));
        }
        read.extend_from_slice(&data);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream::{self, StreamExt as _};
    use http_body::Frame;
    use http_body_util::{Full, StreamBody};
    use std::convert::Infallible;

    #[tokio::test]
    async fn fails_rather_than_cuts() {
        let body = |length| Full::new(Bytes::from(vec![0; length]));
        assert_eq!(read_at_most(body(8), 8).await.unwrap().len(), 8);
        let read = read_at_most(body(9), 8).await;
        assert!(matches!(read, Err(ReadError::TooLong(8))));
    }

    #[tokio::test]
    async fn an_endless_body_ends() {
        let piece = Bytes::from_static(&[0; 1024]);
        let pieces = stream::repeat_with(move || Ok::<_, Infallible>(Frame::data(piece.clone())));
        let read = read_at_most(StreamBody::new(pieces), 1 << 20).await;
        assert!(matches!(read, Err(ReadError::TooLong(_))));
    }

    #[tokio::test(start_paused = true)]
    async fn a_stalled_body_ends() {
        let first =
            stream::once(async { Ok::<_, Infallible>(Frame::data(Bytes::from_static(b"{"))) });
        let body = StreamBody::new(first.chain(stream::pending()).boxed());
        assert!(matches!(
            read_at_most(body, 1 << 20).await,
            Err(ReadError::Stalled)
        ));
    }
}
