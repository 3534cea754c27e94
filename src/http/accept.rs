//! Taking connections off a listening socket, with a pause where the system has none to give.

use std::{io, time::Duration};

use tokio::net::{TcpListener, TcpStream};
use tracing::warn;

const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How long to pause after errors in a row: doubled each time, up to a second.
#[derive(Debug, Default)]
pub struct BackOff {
    last: Option<Duration>,
}

// === impl BackOff ===

impl BackOff {
    /// The pause after `error`; `None` where only that one connection is gone and the next can be taken at once.
    pub fn after(&mut self, error: &io::Error) -> Option<Duration> {
        use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
        let of_one = [
            ConnectionAborted,
            ConnectionRefused,
            ConnectionReset,
            Interrupted,
        ];
        if of_one.contains(&error.kind()) {
            return None;
        }
        let pause = match self.last {
            None => FIRST_PAUSE,
            Some(last) => (last * 2).min(LONGEST_PAUSE),
        };
        self.last = Some(pause);
        Some(pause)
    }

    /// A connection was taken: the next error is a first one again.
    pub fn succeeded(&mut self) {
        self.last = None;
    }
}

/// The next connection. Dropping the future loses none.
pub(super) async fn next(listener: &TcpListener, back_off: &mut BackOff) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                back_off.succeeded();
                return stream;
            }
            Err(error) => {
                let first = back_off.last.is_none();
                let Some(pause) = back_off.after(&error) else {
                    continue;
                };
                if first {
                    let error = &error as &dyn std::error::Error;
                    warn!(error, "cannot take a connection, trying again");
                }
                tokio::time::sleep(pause).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_in_a_row_pause_longer_and_longer() {
        let mut back_off = BackOff::default();
        // EMFILE.
        let full = io::Error::from_raw_os_error(24);
        let pauses: Vec<_> = (0..10)
            .filter_map(|_| back_off.after(&full))
            .map(|pause| pause.as_millis())
            .collect();
        assert_eq!(pauses, [5, 10, 20, 40, 80, 160, 320, 640, 1000, 1000]);
        back_off.succeeded();
        assert_eq!(back_off.after(&full), Some(FIRST_PAUSE));
    }

    #[test]
    fn a_connection_that_went_away_pauses_nobody() {
        let gone = io::Error::from(io::ErrorKind::ConnectionAborted);
        assert_eq!(BackOff::default().after(&gone), None);
    }
}
