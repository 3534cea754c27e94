use http_body_util::BodyExt as _;
use rstest::rstest;

use super::{
    book::{LIFE, MOST},
    *,
};

fn entry(note: &str) -> Entry {
    Entry {
        about: About::default(),
        what: What::warning("ConfigRefused", "Reload"),
        note: note.into(),
    }
}

#[test]
fn the_same_one_is_written_once_in_five_minutes_with_its_count() {
    let (mut book, start) = (Book::default(), Instant::now());
    assert_eq!(book.step(&entry("a"), start), Step::Create);
    book.written(entry("a"), "a.1".into(), start);
    let soon = start + Duration::from_secs(299);
    assert_eq!(book.step(&entry("a"), soon), Step::Hold);
    let again = start + Duration::from_mins(5);
    let repeat = Step::Repeat("a.1".into(), 3);
    assert_eq!(book.step(&entry("a"), again), repeat);
    assert_eq!(book.step(&entry("a"), again), Step::Hold);
    let forgotten = again + LIFE;
    assert_eq!(book.step(&entry("a"), forgotten), Step::Create);
}

#[test]
fn another_text_is_another_event() {
    let (mut book, now) = (Book::default(), Instant::now());
    book.written(entry("a"), "a.1".into(), now);
    assert_eq!(book.step(&entry("b"), now), Step::Create);
}

#[test]
fn the_book_is_bounded() {
    let (mut book, now) = (Book::default(), Instant::now());
    for n in 0..MOST + 10 {
        book.written(entry(&n.to_string()), String::new(), now);
    }
    assert_eq!(book.known.len(), MOST);
}

#[rstest]
#[case::one_line("no such tag", "no such tag")]
#[case::several_lines("a\n\nb\r\nc", "a; b; c")]
#[case::a_terminal_sequence("\u{1b}[2Jred\tgreen", " [2Jred green")]
fn a_note_is_one_printable_line(#[case] text: &str, #[case] line: &str) {
    assert_eq!(printable(text), line);
}

#[test]
fn a_note_fits_the_api_and_is_cut_between_characters() {
    let note = cut(&"ä".repeat(600), LONGEST_NOTE);
    assert!(note.len() <= LONGEST_NOTE && note.len() > LONGEST_NOTE - 4);
    assert!(note.ends_with("ä…"));
    assert_eq!(cut("short", LONGEST_NOTE), "short");
}

/// An API server that refuses Events in the namespaces that it is told of.
fn server(namespaces: watch::Receiver<&'static [&'static str]>) -> Client {
    let server = tower::service_fn(move |request: http::Request<kube::client::Body>| {
        let mut parts = request.uri().path().split('/');
        let refuses = parts.any(|part| namespaces.borrow().contains(&part));
        async move {
            let (code, answer) = if refuses {
                let status =
                    json!({"kind": "Status", "status": "Failure", "code": 403, "message": "no"});
                (403, status.to_string().into_bytes())
            } else {
                let body = request.into_body().collect().await.unwrap().to_bytes();
                (201, body.to_vec())
            };
            let response = http::Response::builder().status(code);
            Ok::<_, kube::Error>(response.body(kube::client::Body::from(answer)).unwrap())
        }
    });
    Client::new(server, "own")
}

#[tokio::test(start_paused = true)]
async fn a_refused_event_is_named_and_comes_again_until_it_is_written() {
    let (refuses, told) = watch::channel(&["own", "shop"][..]);
    let (mut tasks, metrics) = (JoinSet::new(), Arc::<Metrics>::default());
    let events = Events::open(server(told), None, metrics.clone(), &mut tasks);
    let mut denied = events.denied();
    let about = |namespace: &str| About {
        namespace: namespace.into(),
        ..About::default()
    };
    let what = What::warning("MissingPermission", "Watch");
    for namespace in ["own", "shop"] {
        events.send(&about(namespace), what, "a");
    }
    let first = denied.wait_for(Option::is_some).await.unwrap().clone();
    let first = first.unwrap();
    let named = "may not create events.events.k8s.io in namespace own: grant";
    assert!(first.text.starts_with(named), "{}", first.text);
    tokio::time::sleep(Duration::from_mins(2)).await;
    assert_eq!(denied.borrow_and_update().as_ref(), Some(&first));
    assert!(!denied.has_changed().unwrap(), "it is told once");

    // Where the right is there, no Event waits for those of another namespace.
    refuses.send_replace(&["own"]);
    tokio::time::sleep(Duration::from_mins(1)).await;
    let written = |count: u8| {
        let line = format!("cotter_events_total{{ok=\"yes\"}} {count}\n");
        let metrics = metrics.encode();
        assert!(metrics.contains(&line), "{metrics}");
    };
    written(1);
    assert_eq!(denied.borrow_and_update().as_ref(), Some(&first));
    refuses.send_replace(&[]);
    assert!(denied.wait_for(Option::is_none).await.is_ok());
    written(2);
}
