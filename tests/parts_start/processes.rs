//! Child processes and the proxy.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::http_client::HttpClient;
use crate::support::process::Program;
use crate::support::scratch::Scratch;
use crate::support::tcp_proxy::{Mode, TcpProxy};
use crate::support::wait;
use crate::support::webhook_server::WebhookServer;

const SOON: Duration = Duration::from_secs(10);

#[test]
fn the_proxy_forwards_delays_refuses_hangs_and_cuts() {
    let webhook = WebhookServer::start(|_| json!([]));
    let target = webhook
        .url()
        .trim_start_matches("https://")
        .trim_end_matches('/')
        .to_owned();
    let proxy = TcpProxy::start(&target);
    let client = HttpClient::new(webhook.ca());
    let ask = || {
        client
            .send("POST", &proxy.host(), "/", &[], b"{}")
            .map(|reply| reply.status)
    };
    assert_eq!((ask().unwrap(), proxy.connections()), (200, 1));
    assert!(proxy.bytes().0 > 0 && proxy.bytes().1 > 0);
    proxy.delay(Duration::from_millis(10));
    let started = Instant::now();
    assert_eq!(ask().unwrap(), 200);
    // TCP, TLS 1.3 and the request: three round trips.
    assert!(
        started.elapsed() >= Duration::from_millis(60),
        "{:?}",
        started.elapsed()
    );
    proxy.set(Mode::Refuse);
    assert!(ask().is_err());
    proxy.set(Mode::Hang);
    std::thread::scope(|scope| {
        let asking = scope.spawn(ask);
        std::thread::sleep(Duration::from_millis(100));
        assert!(!asking.is_finished());
        proxy.cut();
        assert!(asking.join().unwrap().is_err());
    });
    proxy.set(Mode::Forward);
    assert_eq!(ask().unwrap(), 200);
}

#[test]
fn a_process_that_is_stopped_is_gone() {
    let scratch = Scratch::new("process");
    let mut process = Program::new("sleeper", "sh")
        .args(["-c", "echo up; exec sleep 600"])
        .start(scratch.path());
    process.ready(SOON, |process| process.log().contains("up").then_some(()));
    // 128 and the number of SIGTERM.
    assert_eq!(process.stop(), Some(143));
    let mut stubborn = Program::new("stubborn", "sh")
        .args(["-c", "trap '' TERM; echo up; while :; do sleep 0.1; done"]);
    stubborn = stubborn.grace(Duration::from_millis(200));
    let mut stubborn = stubborn.start(scratch.path());
    stubborn.ready(SOON, |process| process.log().contains("up").then_some(()));
    assert_eq!(stubborn.stop(), Some(137));
}

#[test]
#[ignore = "started by the test below, in a process of its own"]
fn runs_until_it_is_killed() {
    let scratch = Scratch::new("killed");
    let process = Program::new("sleeper", "sleep")
        .args(["600"])
        .start(scratch.path());
    scratch.write("pid", process.pid().to_string());
    std::fs::write(
        std::env::temp_dir().join(format!("cotter-killed-{}", std::process::id())),
        scratch.path().to_string_lossy().as_bytes(),
    )
    .unwrap();
    std::thread::sleep(Duration::from_mins(10));
}

#[test]
fn nothing_is_left_of_a_test_program_that_is_killed() {
    let me = std::env::current_exe().expect("this program");
    let mut child = Command::new(me)
        .args(["--ignored", "--exact", "processes::runs_until_it_is_killed"])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let note = std::env::temp_dir().join(format!("cotter-killed-{}", child.id()));
    let folder = wait::until("its folder", SOON, || {
        std::fs::read_to_string(&note)
            .ok()
            .filter(|path| !path.is_empty())
    });
    let pid = std::fs::read_to_string(Path::new(&folder).join("pid")).unwrap();
    let runs = || {
        Command::new("kill")
            .args(["-0", &pid])
            .stderr(Stdio::null())
            .status()
            .unwrap()
            .success()
    };
    assert!(runs());
    child.kill().unwrap();
    child.wait().unwrap();
    wait::until("the end of its part", SOON, || (!runs()).then_some(()));
    wait::until("the end of its folder", SOON, || {
        (!Path::new(&folder).exists()).then_some(())
    });
    std::fs::remove_file(note).unwrap();
}
