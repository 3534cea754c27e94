//! Single flight: whoever asks the same while it is being asked waits for that answer, if it will be fresh enough.
//!
//! A flight is a task of its own: an asker who leaves at a deadline takes nothing from the others, and the answer that
//! comes later still fills the cache.

use std::{
    collections::HashMap,
    future::Future,
    hash::Hash,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use tokio::{sync::watch, time::timeout_at};

/// The flights under way, by what they ask for.
#[derive(Debug)]
pub(super) struct Flights<K, V> {
    running: Mutex<HashMap<K, Running<V>>>,
    next: AtomicU64,
}

#[derive(Debug)]
struct Running<V> {
    number: u64,
    began: Began,
    news: watch::Receiver<News<V>>,
}

/// When a flight's deciding request began; `None` before it did.
#[derive(Clone, Debug, Default)]
pub(super) struct Began(Arc<Mutex<Option<Instant>>>);

/// What a flight has to tell.
#[derive(Clone, Debug)]
enum News<V> {
    Nothing,
    /// An answer that may still get better.
    SoFar(V),
    Final(V),
}

/// What a flight's task holds.
#[derive(Debug)]
pub(super) struct Pilot<V> {
    pub(super) began: Began,
    news: watch::Sender<News<V>>,
}

/// A place on a flight, or the answer if it had just landed.
#[derive(Debug)]
pub(super) enum Seat<V> {
    Landed(V),
    Waiting(Ticket<V>),
}

/// Waits for a flight.
#[derive(Debug)]
pub(super) struct Ticket<V>(watch::Receiver<News<V>>);

/// Takes the flight off the list when its task ends, however it does.
struct Listed<K: Eq + Hash, V> {
    flights: Arc<Flights<K, V>>,
    key: K,
    number: u64,
}

// === impl Flights ===

impl<K, V> Default for Flights<K, V> {
    fn default() -> Self {
        Self {
            running: Mutex::default(),
            next: AtomicU64::new(0),
        }
    }
}

impl<K, V> Flights<K, V>
where
    K: Clone + Eq + Hash + Send + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// Joins the flight for `key` if its request began, or will begin, at or after `not_before`; else starts `fly`.
    ///
    /// `landed` looks once more for an answer: a flight that filled the cache and left the list between the caller's
    /// own look and this call is not flown again.
    pub(super) fn board<F>(
        self: &Arc<Self>,
        key: K,
        not_before: Option<Instant>,
        landed: impl FnOnce() -> Option<V>,
        fly: impl FnOnce(Arc<Pilot<V>>) -> F,
    ) -> Seat<V>
    where
        F: Future<Output = V> + Send + 'static,
    {
        let mut running = self.lock();
        if let Some(flight) = running.get(&key)
            && flight.began.is_fresh(not_before)
        {
            return Seat::Waiting(Ticket(flight.news.clone()));
        }
        if let Some(value) = landed() {
            return Seat::Landed(value);
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, news) = watch::channel(News::Nothing);
        let began = Began::default();
        let flight = Running {
            number,
            began: began.clone(),
            news: news.clone(),
        };
        running.insert(key.clone(), flight);
        drop(running);
        let listed = Listed {
            flights: Arc::clone(self),
            key,
            number,
        };
        let pilot = Arc::new(Pilot {
            began,
            news: sender,
        });
        let future = fly(Arc::clone(&pilot));
        tokio::spawn(async move {
            let value = future.await;
            drop(listed);
            pilot.news.send_replace(News::Final(value));
        });
        Seat::Waiting(Ticket(news))
    }

    /// Takes all flights off the list; whoever waits for one still gets its answer.
    pub(super) fn forget(&self) {
        self.lock().clear();
    }
}

impl<K, V> Flights<K, V> {
    fn lock(&self) -> MutexGuard<'_, HashMap<K, Running<V>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Began ===

impl Began {
    /// Notes that the deciding request begins now; a repetition of it counts anew.
    pub(super) fn mark(&self, now: Instant) {
        *self.lock() = Some(now);
    }

    /// When it began.
    pub(super) fn at(&self) -> Option<Instant> {
        *self.lock()
    }

    fn is_fresh(&self, not_before: Option<Instant>) -> bool {
        match (self.at(), not_before) {
            (Some(began), Some(not_before)) => began >= not_before,
            _ => true,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Pilot ===

impl<V> Pilot<V> {
    /// Tells an answer that is good already, for those who cannot wait for the whole one.
    pub(super) fn so_far(&self, value: V) {
        self.news.send_replace(News::SoFar(value));
    }
}

// === impl Ticket ===

impl<V: Clone> Ticket<V> {
    /// The answer; at `deadline` the one so far; `None` if there is none by then or the flight crashed.
    pub(super) async fn answer(mut self, deadline: Option<Instant>) -> Option<V> {
        let landing = self.0.wait_for(|news| matches!(news, News::Final(_)));
        match deadline {
            Some(deadline) => drop(timeout_at(deadline.into(), landing).await),
            None => drop(landing.await),
        }
        match &*self.0.borrow() {
            News::Nothing => None,
            News::SoFar(value) | News::Final(value) => Some(value.clone()),
        }
    }
}

// === impl Listed ===

impl<K: Eq + Hash, V> Drop for Listed<K, V> {
    fn drop(&mut self) {
        let mut running = self.flights.lock();
        if running
            .get(&self.key)
            .is_some_and(|flight| flight.number == self.number)
        {
            running.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{sync::atomic::AtomicUsize, time::Duration};
    use tokio::sync::Notify;

    type Test = Arc<Flights<&'static str, usize>>;

    fn waiting(seat: Seat<usize>) -> Ticket<usize> {
        match seat {
            Seat::Waiting(ticket) => ticket,
            Seat::Landed(value) => panic!("landed with {value}"),
        }
    }

    #[tokio::test]
    async fn a_thousand_share_one_flight() {
        let (flights, flown) = (Test::default(), Arc::new(AtomicUsize::new(0)));
        let go = Arc::new(Notify::new());
        let tickets: Vec<_> = (0..1_000)
            .map(|_| {
                let (flown, go) = (Arc::clone(&flown), Arc::clone(&go));
                waiting(flights.board(
                    "a",
                    None,
                    || None,
                    |_| async move {
                        go.notified().await;
                        flown.fetch_add(1, Ordering::SeqCst)
                    },
                ))
            })
            .collect();
        go.notify_one();
        for ticket in tickets {
            assert_eq!(ticket.answer(None).await, Some(0));
        }
        assert_eq!(flown.load(Ordering::SeqCst), 1);
        assert!(flights.lock().is_empty());
    }

    #[tokio::test]
    async fn a_flight_that_began_too_early_is_not_joined() {
        let (flights, start) = (Test::default(), Instant::now());
        let early = waiting(flights.board(
            "a",
            Some(start),
            || None,
            |pilot| async move {
                pilot.began.mark(start);
                std::future::pending().await
            },
        ));
        tokio::task::yield_now().await;
        let joined = flights.board("a", Some(start), || None, |_| async { 2 });
        let late = start + Duration::from_millis(1);
        let own = flights.board("a", Some(late), || None, |_| async { 3 });
        assert_eq!(waiting(own).answer(None).await, Some(3));
        for ticket in [early, waiting(joined)] {
            assert_eq!(ticket.answer(Some(Instant::now())).await, None);
        }
    }

    #[tokio::test]
    async fn the_deadline_takes_the_answer_so_far() {
        let flights = Test::default();
        let ticket = waiting(flights.board(
            "a",
            None,
            || None,
            |pilot| async move {
                pilot.so_far(7);
                std::future::pending().await
            },
        ));
        tokio::task::yield_now().await;
        assert_eq!(ticket.answer(Some(Instant::now())).await, Some(7));
    }

    #[tokio::test]
    async fn a_crash_frees_the_key() {
        let flights = Test::default();
        let ticket = waiting(flights.board("a", None, || None, |_| async { panic!("crash") }));
        assert_eq!(ticket.answer(None).await, None);
        assert!(flights.lock().is_empty());
    }

    #[tokio::test]
    async fn an_answer_that_just_landed_is_taken() {
        let flights = Test::default();
        let seat = flights.board("a", None, || Some(1), |_| async { 2 });
        assert!(matches!(seat, Seat::Landed(1)));
    }
}
