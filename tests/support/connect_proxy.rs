//! An HTTP proxy that knows CONNECT and nothing else. Every name leads to this machine, so a test can give its registries
//! names that no DNS has.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};

/// The proxy; it ends, with all its tunnels, when this is dropped.
pub struct ConnectProxy {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

/// How it behaves; without any of these it opens every tunnel.
#[derive(Clone, Debug, Default)]
pub struct Manners {
    /// Only those who send this in `Proxy-Authorization` are served; others are answered with 407.
    pub wants: Option<&'static str>,
    /// Every CONNECT is answered with this status line.
    pub refuses: Option<&'static str>,
    /// Nothing is answered.
    pub hangs: bool,
    /// This follows the answer at once, before the registry has said anything.
    pub meddles: bool,
}

/// One CONNECT as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The host and port.
    pub target: String,
    /// `Proxy-Authorization`.
    pub authorization: Option<String>,
}

#[derive(Default)]
struct State {
    manners: Manners,
    asked: Vec<Asked>,
}

impl ConnectProxy {
    /// Starts it on a free port of 127.0.0.1.
    pub async fn start(manners: Manners) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Vec::new();
        let state = Arc::new(Mutex::new(State { manners, asked }));
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            let mut tunnels = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                tunnels.spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Self {
            address,
            state,
            task,
        }
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// What it was asked since the start, or since this was last called.
    pub fn take_asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.state().asked)
    }

    /// The targets alone.
    pub fn take_targets(&self) -> Vec<String> {
        let asked = self.take_asked().into_iter();
        asked.map(|asked| asked.target).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl Drop for ConnectProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut client: TcpStream, state: Arc<Mutex<State>>) -> Option<()> {
    let asked = read(&mut client).await?;
    let manners = {
        let mut state = state.lock().unwrap();
        state.asked.push(asked.clone());
        state.manners.clone()
    };
    if manners.hangs {
        return std::future::pending().await;
    }
    let is_known = manners.wants.is_none() || manners.wants == asked.authorization.as_deref();
    let refusal = manners.refuses.or((!is_known).then_some("407 Who are you"));
    if let Some(status) = refusal {
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
        return client.write_all(answer.as_bytes()).await.ok();
    }
    let port: u16 = asked.target.rsplit_once(':')?.1.parse().ok()?;
    let Ok(mut registry) = TcpStream::connect(("127.0.0.1", port)).await else {
        let answer = "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n";
        return client.write_all(answer.as_bytes()).await.ok();
    };
    let more = if manners.meddles { "hello" } else { "" };
    let answer = format!("HTTP/1.1 200 Connection established\r\n\r\n{more}");
    client.write_all(answer.as_bytes()).await.ok()?;
    copy_bidirectional(&mut client, &mut registry).await.ok()?;
    Some(())
}

async fn read(client: &mut TcpStream) -> Option<Asked> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        if client.read(&mut byte).await.ok()? == 0 {
            return None;
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).ok()?;
    let mut lines = head.lines();
    let mut words = lines.next()?.split(' ');
    assert_eq!(words.next(), Some("CONNECT"), "{head}");
    let target = words.next()?.to_owned();
    let header = |wanted: &str| {
        let mut headers = head.lines().filter_map(|line| line.split_once(": "));
        let found = headers.find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map(|(_, value)| value.to_owned())
    };
    assert_eq!(header("host"), Some(target.clone()), "{head}");
    assert_eq!(header("authorization"), None, "{head}");
    Some(Asked {
        authorization: header("proxy-authorization"),
        target,
    })
}
