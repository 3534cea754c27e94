use std::{convert::Infallible, time::Duration};

use futures_util::{Stream, StreamExt, future, stream};
use http_body::Frame;
use http_body_util::{Full, StreamBody};
use tokio::time::sleep;

use super::*;

type Pieces = Vec<Result<Frame<Bytes>, Infallible>>;

/// Tokio's clock, which the tests pause.
fn within(seconds: u64) -> Instant {
    (tokio::time::Instant::now() + Duration::from_secs(seconds)).into_std()
}

fn pieces(number: usize, length: usize) -> Pieces {
    let piece = Bytes::from(vec![b'x'; length]);
    (0..number)
        .map(|_| Ok(Frame::data(piece.clone())))
        .collect()
}

fn sent(pieces: Pieces) -> impl Body<Data = Bytes, Error = Infallible> + Unpin {
    StreamBody::new(stream::iter(pieces))
}

/// Sends the pieces and then nothing more, without an end.
fn stuck(pieces: Pieces) -> impl Body<Data = Bytes, Error = Infallible> + Unpin {
    StreamBody::new(stream::iter(pieces).chain(stream::pending()))
}

fn slowly(pieces: Pieces) -> impl Stream<Item = Result<Frame<Bytes>, Infallible>> {
    let slow = |piece| async {
        sleep(Duration::from_secs(1)).await;
        piece
    };
    Box::pin(stream::iter(pieces).then(slow))
}

#[tokio::test]
async fn one_piece_is_not_copied() {
    let budget = Budget::new(0);
    let body = Bytes::from_static(b"{}");
    let (read, _lease) = read(Full::new(body.clone()), within(1), &budget)
        .await
        .unwrap();
    assert_eq!(read.as_ptr(), body.as_ptr());
}

#[tokio::test]
async fn pieces_are_joined_in_order() {
    let budget = Budget::new(0);
    let words = ["one ", "two ", "", "three"];
    let frames = words.map(|word| Ok(Frame::data(Bytes::from_static(word.as_bytes()))));
    let (read, _lease) = read(sent(frames.into()), within(1), &budget).await.unwrap();
    assert_eq!(read, "one two three");
}

#[tokio::test]
async fn the_limit_itself_is_allowed_and_one_more_is_not() {
    let budget = Budget::new(0);
    let chunked = sent(pieces(32, 1 << 20));
    let (whole, lease) = read(chunked, within(10), &budget).await.unwrap();
    assert_eq!(whole.len(), LIMIT);
    drop(lease);
    let mut more = pieces(32, 1 << 20);
    more.extend(pieces(1, 1));
    let refused = read(sent(more), within(10), &budget).await;
    assert_eq!(refused.err(), Some(BodyError::TooLarge));
    let announced = Full::new(Bytes::from(vec![0; LIMIT + 1]));
    let refused = read(announced, within(10), &budget).await;
    assert_eq!(refused.err(), Some(BodyError::TooLarge));
    assert_eq!(budget.0.available_permits(), LIMIT / UNIT);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_too_large_and_endless_is_given_up() {
    let budget = Budget::new(0);
    let endless = stuck(pieces(33, 1 << 20));
    let refused = read(endless, within(10), &budget).await;
    assert_eq!(refused.err(), Some(BodyError::TooLarge));
    let piece = Bytes::from(vec![0; 1 << 16]);
    let flood = StreamBody::new(stream::repeat_with(|| {
        Ok::<_, Infallible>(Frame::data(piece.clone()))
    }));
    let refused = read(flood, within(10), &budget).await;
    assert_eq!(refused.err(), Some(BodyError::TooLarge));
}

#[tokio::test(start_paused = true)]
async fn a_slow_body_ends_at_its_deadline() {
    let budget = Budget::new(0);
    let (whole, _lease) = read(StreamBody::new(slowly(pieces(5, 3))), within(6), &budget)
        .await
        .unwrap();
    assert_eq!(whole.len(), 15);
    let slow = read(StreamBody::new(slowly(pieces(5, 3))), within(4), &budget).await;
    assert_eq!(slow.err(), Some(BodyError::Slow));
    let none = read(stuck(Vec::new()), within(4), &budget).await;
    assert_eq!(none.err(), Some(BodyError::Slow));
}

#[tokio::test(start_paused = true)]
async fn bodies_share_the_budget_and_wait_for_room() {
    let budget = Budget::new(LIMIT);
    let half = || sent(pieces(16, 1 << 20));
    let (_, first) = read(half(), within(1), &budget).await.unwrap();
    let (_, second) = read(half(), within(1), &budget).await.unwrap();
    let crowded = read(half(), within(1), &budget).await;
    assert_eq!(crowded.err(), Some(BodyError::Crowded));
    let leave = async {
        sleep(Duration::from_secs(1)).await;
        drop(first);
        future::pending::<()>().await;
    };
    tokio::select! {
        third = read(half(), within(2), &budget) => assert!(third.is_ok()),
        () = leave => {}
    }
    drop(second);
    assert_eq!(budget.0.available_permits(), LIMIT / UNIT);
}

#[tokio::test(start_paused = true)]
async fn what_has_not_arrived_takes_nothing_of_the_budget() {
    let budget = Budget::new(LIMIT);
    let stuck = read(stuck(pieces(1, 100)), within(9), &budget);
    let look = async {
        sleep(Duration::from_secs(1)).await;
        budget.0.available_permits()
    };
    let (slow, left) = tokio::join!(stuck, look);
    assert_eq!(slow.err(), Some(BodyError::Slow));
    assert_eq!(left, LIMIT / UNIT - 1);
}
