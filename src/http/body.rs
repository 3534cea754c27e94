//! Reading a request's body: whole, within a limit, in time, and within what all bodies together may take.

use std::time::Instant;

use bytes::{Bytes, BytesMut};
use http_body::Body;
use http_body_util::BodyExt;
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::timeout_at,
};

/// The largest body: an object and its old one, 3 MiB each, whose `<` become six bytes in the review's JSON.
pub(super) const LIMIT: usize = 32 << 20;

/// What is read and thrown away of a body that is too large, so that its sender gets to read the answer.
const DISCARDED: usize = 4 * LIMIT;

/// What a body gets at once on its own word; more of it has to arrive first. Most reviews are smaller.
const ON_TRUST: usize = 64 << 10;

/// The largest buffer that is made on a body's own word.
const LARGEST_BUFFER: usize = 1 << 20;

const UNIT: usize = 1 << 10;

/// What all bodies in flight may take together.
#[derive(Debug)]
pub(super) struct Budget(Semaphore);

/// One body's share; it is given back when dropped.
#[derive(Debug)]
pub(super) struct Lease<'a> {
    budget: &'a Budget,
    permit: Option<SemaphorePermit<'a>>,
}

/// Why a body was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyError {
    /// More than [`LIMIT`].
    TooLarge,
    /// Not there in time.
    Slow,
    /// The other bodies did not leave room in time.
    Crowded,
    /// The connection or its framing broke.
    Broken,
}

/// What has arrived of a body.
#[derive(Debug, Default)]
struct Gathered {
    first: Bytes,
    more: BytesMut,
}

/// A read that can be given up at any moment and still say what it was waiting for.
struct Reading<'a> {
    lease: Lease<'a>,
    gathered: Gathered,
    waits_for_room: bool,
}

/// Reads `body` to its end by `deadline`. The bytes are within the budget as long as the lease lives.
pub(super) async fn read<B>(
    mut body: B,
    deadline: Instant,
    budget: &Budget,
) -> Result<(Bytes, Lease<'_>), BodyError>
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut reading = Reading {
        lease: Lease {
            budget,
            permit: None,
        },
        gathered: Gathered::default(),
        waits_for_room: false,
    };
    let ended = timeout_at(deadline.into(), reading.run(&mut body)).await;
    let result = ended.unwrap_or(Err(if reading.waits_for_room {
        BodyError::Crowded
    } else {
        BodyError::Slow
    }));
    let Reading {
        lease, gathered, ..
    } = reading;
    match result {
        Ok(()) => Ok((gathered.into_bytes(), lease)),
        Err(error) => {
            drop((lease, gathered));
            if error == BodyError::TooLarge {
                // Late or not, the answer is the same.
                let _ = timeout_at(deadline.into(), discard(body)).await;
            }
            Err(error)
        }
    }
}

async fn discard<B: Body<Data = Bytes> + Unpin>(mut body: B) {
    let mut left = DISCARDED;
    while let Some(Ok(frame)) = body.frame().await {
        let length = frame.data_ref().map_or(0, Bytes::len);
        let Some(rest) = left.checked_sub(length) else {
            return;
        };
        left = rest;
    }
}

// === impl Budget ===

impl Budget {
    /// A budget of `bytes`, counted in KiB. Never less than one body may have.
    pub(super) fn new(bytes: usize) -> Self {
        let units = bytes.max(LIMIT).div_ceil(UNIT);
        Self(Semaphore::new(units.min(Semaphore::MAX_PERMITS)))
    }
}

// === impl Lease ===

impl Lease<'_> {
    /// Waits until the lease covers `bytes`.
    async fn cover(&mut self, bytes: usize) {
        let held = self.permit.as_ref().map_or(0, SemaphorePermit::num_permits);
        let missing = bytes.div_ceil(UNIT).saturating_sub(held);
        let Ok(missing @ 1..) = u32::try_from(missing) else {
            return;
        };
        // The semaphore is never closed.
        let Ok(permit) = self.budget.0.acquire_many(missing).await else {
            return;
        };
        match &mut self.permit {
            Some(held) => held.merge(permit),
            none => *none = Some(permit),
        }
    }
}

// === impl Reading ===

impl Reading<'_> {
    async fn run<B>(&mut self, body: &mut B) -> Result<(), BodyError>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        let announced = body.size_hint().lower();
        let announced = usize::try_from(announced).unwrap_or(usize::MAX);
        if announced > LIMIT {
            return Err(BodyError::TooLarge);
        }
        self.cover(announced.min(ON_TRUST)).await;
        while !body.is_end_stream() {
            let Some(frame) = body.frame().await else {
                break;
            };
            let Ok(data) = frame.map_err(|_| BodyError::Broken)?.into_data() else {
                continue;
            };
            let length = self.gathered.len().saturating_add(data.len());
            if length > LIMIT {
                return Err(BodyError::TooLarge);
            }
            self.cover(length).await;
            self.gathered.push(data, announced);
        }
        Ok(())
    }

    async fn cover(&mut self, bytes: usize) {
        self.waits_for_room = true;
        self.lease.cover(bytes).await;
        self.waits_for_room = false;
    }
}

// === impl Gathered ===

impl Gathered {
    fn len(&self) -> usize {
        // Once there is more, the first is part of it.
        self.first.len().max(self.more.len())
    }

    fn push(&mut self, data: Bytes, announced: usize) {
        if self.first.is_empty() {
            self.first = data;
            return;
        }
        if self.more.is_empty() {
            let needed = self.first.len() + data.len();
            let capacity = announced.min(LARGEST_BUFFER).max(needed);
            self.more = BytesMut::with_capacity(capacity);
            self.more.extend_from_slice(&self.first);
        }
        self.more.extend_from_slice(&data);
    }

    fn into_bytes(self) -> Bytes {
        if self.more.is_empty() {
            self.first
        } else {
            self.more.freeze()
        }
    }
}

#[cfg(test)]
mod tests;
