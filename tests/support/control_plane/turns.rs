//! Control planes that the tests of one program take turns at.

use std::sync::{
    Mutex, MutexGuard, OnceLock, PoisonError, TryLockError,
    atomic::{AtomicUsize, Ordering},
};

use super::{ControlPlane, Shared};

/// libtest runs as many tests at once on two cores, and each waits most of its time.
const SEATS: usize = 2;

/// The seats of a program: at each a control plane, and what its tests need beside it.
pub struct Turns<T> {
    seats: [Seat<T>; SEATS],
    next: AtomicUsize,
}

struct Seat<T> {
    turn: Mutex<()>,
    plane: OnceLock<ControlPlane>,
    beside: OnceLock<T>,
}

/// One test's turn at a seat, until it is dropped.
pub struct Turn<T: 'static> {
    pub plane: Shared,
    pub beside: &'static T,
    pub held: MutexGuard<'static, ()>,
}

impl<T> Turns<T> {
    pub const fn new() -> Self {
        Self {
            seats: [const { Seat::new() }; SEATS],
            next: AtomicUsize::new(0),
        }
    }

    /// Waits for a seat. `prepare` is called before the first turn there.
    pub fn take(&'static self, prepare: impl FnOnce(&ControlPlane) -> T) -> Turn<T> {
        let free = || self.seats.iter().find_map(Seat::free);
        let (seat, held) = free().unwrap_or_else(|| self.wait());
        let plane = seat.plane.get_or_init(ControlPlane::start);
        Turn {
            plane: Shared(plane),
            beside: seat.beside.get_or_init(|| prepare(plane)),
            held,
        }
    }

    fn wait(&'static self) -> (&'static Seat<T>, MutexGuard<'static, ()>) {
        let next = self.next.fetch_add(1, Ordering::Relaxed);
        let seat = &self.seats[next % SEATS];
        let turn = seat.turn.lock();
        (seat, turn.unwrap_or_else(PoisonError::into_inner))
    }
}

impl<T> Seat<T> {
    const fn new() -> Self {
        Self {
            turn: Mutex::new(()),
            plane: OnceLock::new(),
            beside: OnceLock::new(),
        }
    }

    fn free(&'static self) -> Option<(&'static Self, MutexGuard<'static, ()>)> {
        match self.turn.try_lock() {
            Ok(turn) => Some((self, turn)),
            Err(TryLockError::Poisoned(turn)) => Some((self, turn.into_inner())),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}
