//! A TCP proxy between a client and a part, which can be slow, silent or away.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep_until};

use super::https_server::{listen, runtime};
use super::ports;

// 64 chunks of 16 KiB under way in one direction: 1 MiB, which at 10 ms is no bottleneck for a test.
const CHUNK: usize = 16 << 10;
const CHUNKS: usize = 64;

/// What the proxy does with connections, old and new ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Forward,
    /// Nothing listens: connections are refused; those that are open go on.
    Refuse,
    /// Connections are accepted and nothing passes either way.
    Hang,
}

#[derive(Clone, Copy)]
struct Control {
    mode: Mode,
    delay: Duration,
    cuts: u64,
}

#[derive(Default)]
struct Counts {
    connections: AtomicUsize,
    sent: AtomicU64,
    received: AtomicU64,
}

pub struct TcpProxy {
    address: SocketAddr,
    control: watch::Sender<Control>,
    counts: Arc<Counts>,
    task: JoinHandle<()>,
}

impl TcpProxy {
    /// Forwards a free port of 127.0.0.1 to `target`, which is `127.0.0.1:port`.
    pub fn start(target: &str) -> Self {
        let target = target.parse().expect("an address");
        let (listener, address) = listen(ports::free());
        let (control, watch) = watch::channel(Control {
            mode: Mode::Forward,
            delay: Duration::ZERO,
            cuts: 0,
        });
        let counts = Arc::<Counts>::default();
        let task = runtime().spawn(accept(
            listener,
            address,
            target,
            watch,
            Arc::clone(&counts),
        ));
        Self {
            address,
            control,
            counts,
            task,
        }
    }

    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// Returns when it is so: after `Refuse` the next connection is refused.
    pub fn set(&self, mode: Mode) {
        self.control.send_modify(|control| control.mode = mode);
        let listens = |listens: bool| {
            move || (std::net::TcpStream::connect(self.address).is_ok() == listens).then_some(())
        };
        super::wait::until(
            "the proxy",
            Duration::from_secs(5),
            listens(mode != Mode::Refuse),
        );
    }

    /// The delay of each direction, half of the round trip. A client's first bytes wait one round trip more, which stands for
    /// the handshake of TCP that the kernel answers at once.
    pub fn delay(&self, one_way: Duration) {
        self.control.send_modify(|control| control.delay = one_way);
    }

    /// Cuts all open connections.
    pub fn cut(&self) {
        self.control.send_modify(|control| control.cuts += 1);
    }

    /// Connections that carried at least one byte from the client.
    pub fn connections(&self) -> usize {
        self.counts.connections.load(Ordering::SeqCst)
    }

    /// Bytes from clients to the target, and back.
    pub fn bytes(&self) -> (u64, u64) {
        (
            self.counts.sent.load(Ordering::SeqCst),
            self.counts.received.load(Ordering::SeqCst),
        )
    }
}

impl Drop for TcpProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(
    listener: TcpListener,
    own: SocketAddr,
    target: SocketAddr,
    mut watch: watch::Receiver<Control>,
    counts: Arc<Counts>,
) {
    let mut listener = Some(listener);
    let mut connections = JoinSet::new();
    loop {
        let refuse = watch.borrow_and_update().mode == Mode::Refuse;
        if refuse {
            listener = None;
        } else if listener.is_none() {
            listener = Some(listen(own.port()).0);
        }
        let next = async {
            match &listener {
                Some(listener) => listener.accept().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            changed = watch.changed() => if changed.is_err() { return },
            Ok((client, _)) = next => {
                connections.spawn(connection(client, target, watch.clone(), Arc::clone(&counts)));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(
    client: TcpStream,
    target: SocketAddr,
    mut watch: watch::Receiver<Control>,
    counts: Arc<Counts>,
) {
    let control = *watch.borrow_and_update();
    let cut = {
        let mut watch = watch.clone();
        async move {
            let _ = watch.wait_for(|now| now.cuts != control.cuts).await;
        }
    };
    tokio::select! {
        () = cut => {}
        () = forward(client, target, control.delay, watch, &counts) => {}
    }
}

async fn forward(
    client: TcpStream,
    target: SocketAddr,
    delay: Duration,
    mut watch: watch::Receiver<Control>,
    counts: &Counts,
) {
    if watch.wait_for(|now| now.mode != Mode::Hang).await.is_err() {
        return;
    }
    let mut first = [0; 1];
    // A connection that is closed without a byte is not made at the target: `set` looks for the listener so.
    if !client.peek(&mut first).await.is_ok_and(|read| read > 0) {
        return;
    }
    counts.connections.fetch_add(1, Ordering::SeqCst);
    let Ok(server) = TcpStream::connect(target).await else {
        return;
    };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (client_read, client_write) = client.into_split();
    let (server_read, server_write) = server.into_split();
    let handshake = delay * 2;
    tokio::join!(
        pump(
            client_read,
            server_write,
            handshake,
            watch.clone(),
            &counts.sent
        ),
        pump(
            server_read,
            client_write,
            Duration::ZERO,
            watch,
            &counts.received
        ),
    );
}

async fn pump(
    mut from: impl AsyncRead + Unpin,
    to: impl AsyncWrite + Unpin,
    handshake: Duration,
    watch: watch::Receiver<Control>,
    count: &AtomicU64,
) {
    let (queue, mut due) = mpsc::channel::<(Instant, Vec<u8>)>(CHUNKS);
    let control = watch.clone();
    let reader = async move {
        let earliest = Instant::now() + handshake;
        let mut chunk = vec![0; CHUNK];
        while let Ok(read @ 1..) = from.read(&mut chunk).await {
            let at = Instant::now().max(earliest) + control.borrow().delay;
            if queue.send((at, chunk[..read].to_vec())).await.is_err() {
                return;
            }
        }
    };
    let writer = async move {
        let (mut watch, mut to) = (watch, to);
        while let Some((at, bytes)) = due.recv().await {
            sleep_until(at).await;
            let gone = watch.wait_for(|now| now.mode != Mode::Hang).await.is_err();
            if gone || to.write_all(&bytes).await.is_err() {
                return;
            }
            count.fetch_add(bytes.len() as u64, Ordering::SeqCst);
        }
        let _ = to.shutdown().await;
    };
    tokio::join!(reader, writer);
}
