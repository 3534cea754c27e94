//! One connection, from its first request to its end.

use std::{
    convert::Infallible,
    io::{self, IoSlice},
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use http::{HeaderValue, Response, Version, header::CONNECTION};
use hyper::{
    server::conn::{http1, http2},
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::graceful::GracefulConnection,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, interval_at, sleep},
};

use super::{
    Request, Site,
    drain::{Phase, Phases},
    watchdog::{Meter, Verdict, Watchdog},
};

/// The largest head of a request, more or less, and the largest piece that is read of a body at a time. The API
/// server's heads take half a KiB.
const READ_BUFFER: usize = 64 << 10;

/// More than an API server sends at once over one connection.
const STREAMS: u32 = 256;

/// HTTP/2 asks a silent caller for a sign of life this often.
const PING: Duration = Duration::from_secs(30);

/// How long a closed connection still takes, and drops, what its caller sends: closing with bytes unread resets the
/// connection, and a reset takes the last answer away from who has not read it.
const LINGER: Duration = Duration::from_secs(1);

/// How long a connection may take for what is not a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// For the head of a request, at least; at most twice that.
    pub(super) head: Duration,
    /// Between two requests.
    pub(super) idle: Duration,
}

/// Serves `site` over `stream` until the caller, its slowness or the drain ends it.
pub(super) async fn serve<T, S>(stream: T, http2: bool, site: S, patience: Patience, phases: Phases)
where
    T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    S: Site,
{
    let meter = Arc::new(Meter::default());
    let stream = TokioIo::new(Metered::new(stream, Arc::clone(&meter)));
    let service = service(site, Arc::clone(&meter));
    if http2 {
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS)
            .keep_alive_interval(PING);
        let connection = builder.serve_connection(stream, service);
        drive(connection, true, &meter, patience, phases).await;
    } else {
        let mut builder = http1::Builder::new();
        builder.header_read_timeout(None).max_buf_size(READ_BUFFER);
        let connection = builder.serve_connection(stream, service);
        drive(connection, false, &meter, patience, phases).await;
    }
}

fn service<S: Site>(
    site: S,
    meter: Arc<Meter>,
) -> impl Service<
    Request,
    Response = Response<S::Body>,
    Error = Infallible,
    Future: Future<Output = Result<Response<S::Body>, Infallible>> + Send + 'static,
> {
    service_fn(move |request: Request| {
        let (site, meter) = (site.clone(), Arc::clone(&meter));
        async move {
            let _open = meter.begin();
            let version = request.version();
            let mut response = site.answer(request).await;
            if meter.is_leaving() && version <= Version::HTTP_11 {
                let close = HeaderValue::from_static("close");
                response.headers_mut().insert(CONNECTION, close);
            }
            Ok(response)
        }
    })
}

async fn drive<C: GracefulConnection>(
    connection: C,
    http2: bool,
    meter: &Meter,
    patience: Patience,
    mut phases: Phases,
) {
    let mut connection = pin!(connection);
    let mut watchdog = Watchdog::new(patience.idle);
    let first = tokio::time::Instant::now() + patience.head;
    let mut looks = interval_at(first, patience.head);
    let mut next = Some(Phase::Leaving);
    let mut closing = false;
    loop {
        let phase = async {
            match next {
                Some(phase) => phases.reached(phase).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            // Why a caller broke its connection off is nothing that this side could act on.
            _ = connection.as_mut() => return,
            () = phase => {
                meter.leave();
                let over = http2 || next == Some(Phase::Closing);
                next = (!over).then_some(Phase::Closing);
                if over {
                    closing = true;
                    connection.as_mut().graceful_shutdown();
                }
            }
            _ = looks.tick() => match watchdog.look(meter, patience.head, !http2) {
                Verdict::Fine => {}
                Verdict::Idle if !closing => {
                    closing = true;
                    connection.as_mut().graceful_shutdown();
                }
                Verdict::Idle | Verdict::Stalled => return,
            }
        }
    }
}

/// A stream that tells a meter what it reads, and that closes without a reset.
struct Metered<T> {
    stream: T,
    meter: Arc<Meter>,
    lingers: Linger,
}

enum Linger {
    NotYet,
    Until(Pin<Box<Sleep>>),
}

// === impl Metered ===

impl<T> Metered<T> {
    fn new(stream: T, meter: Arc<Meter>) -> Self {
        Self {
            stream,
            meter,
            lingers: Linger::NotYet,
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Metered<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if polled.is_ready() {
            self.meter.read();
        }
        polled
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Metered<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        loop {
            match &mut this.lingers {
                Linger::NotYet => {
                    ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
                    this.lingers = Linger::Until(Box::pin(sleep(LINGER)));
                }
                Linger::Until(end) => {
                    if end.as_mut().poll(cx).is_ready() {
                        return Poll::Ready(Ok(()));
                    }
                    let mut dropped = [0; 4096];
                    let mut buffer = ReadBuf::new(&mut dropped);
                    let read = ready!(Pin::new(&mut this.stream).poll_read(cx, &mut buffer));
                    // The caller has closed its side, or is gone.
                    if read.is_err() || buffer.filled().is_empty() {
                        return Poll::Ready(Ok(()));
                    }
                }
            }
        }
    }
}
