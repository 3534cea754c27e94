use std::sync::Mutex;

use super::*;

fn finding(namespace: &str, owner: &str, note: &str) -> Finding {
    Finding {
        namespace: namespace.into(),
        owner: Owner {
            api_version: "apps/v1".into(),
            kind: "ReplicaSet".into(),
            name: owner.into(),
            uid: owner.into(),
        },
        reason: Reason::Unpinned,
        note: note.into(),
    }
}

/// A gatherer, and what it told with the seconds since its start.
struct Gathering {
    events: Arc<AuditEvents>,
    told: Arc<Mutex<Vec<(u64, String, String)>>>,
    metrics: Arc<Metrics>,
    _tasks: JoinSet<()>,
}

impl Gathering {
    fn start() -> Self {
        let (queue, findings) = mpsc::channel(QUEUE);
        let (metrics, told) = (Arc::<Metrics>::default(), Arc::<Mutex<Vec<_>>>::default());
        let (start, list) = (Instant::now(), told.clone());
        let tell = move |about: &About, _: What, note: &str| {
            let line = (
                start.elapsed().as_secs(),
                about.name.to_string(),
                note.to_owned(),
            );
            list.lock().unwrap().push(line);
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(gather(findings, metrics.clone(), tell));
        let events = AuditEvents {
            queue,
            metrics: metrics.clone(),
        };
        Self {
            events: Arc::new(events),
            told,
            metrics,
            _tasks: tasks,
        }
    }

    fn find(&self, namespace: &str, owner: &str, note: &str) {
        self.events.tell(finding(namespace, owner, note));
    }

    async fn after(&self, seconds: u64) -> Vec<(u64, String, String)> {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        std::mem::take(&mut *self.told.lock().unwrap())
    }
}

fn event(at: u64, owner: &str, note: &str) -> (u64, String, String) {
    (at, owner.to_owned(), note.to_owned())
}

#[tokio::test(start_paused = true)]
async fn the_pods_of_one_owner_are_one_event() {
    let all = Gathering::start();
    for _ in 0..5 {
        all.find("shop", "web", "no such tag");
    }
    all.find("shop", "api", "no such tag");
    let mut told = all.after(60).await;
    told.sort();
    let expected = [
        event(3, "api", "no such tag"),
        event(3, "web", "5 Pods: no such tag"),
    ];
    assert_eq!(told, expected);
}

#[tokio::test(start_paused = true)]
async fn what_goes_on_is_told_again_after_ten_minutes_in_the_same_words() {
    let all = Gathering::start();
    all.find("shop", "web", "no such tag");
    assert_eq!(all.after(10).await, [event(3, "web", "no such tag")]);
    all.find("shop", "web", "no such tag");
    all.find("shop", "web", "no such tag");
    assert_eq!(all.after(590).await, []);
    assert_eq!(all.after(10).await, [event(603, "web", "no such tag")]);
    all.find("shop", "web", "not reachable");
    assert_eq!(all.after(600).await, [event(1203, "web", "not reachable")]);
    // Quiet for ten minutes, then as new.
    assert_eq!(all.after(600).await, []);
    all.find("shop", "web", "not reachable");
    assert_eq!(all.after(10).await, [event(1813, "web", "not reachable")]);
}

#[tokio::test(start_paused = true)]
async fn a_namespace_has_ten_events_a_minute_and_the_others_come_later() {
    let all = Gathering::start();
    for n in 0..25 {
        all.find("shop", &format!("web-{n}"), "no such tag");
    }
    all.find("other", "api", "no such tag");
    let told: Vec<_> = all
        .after(200)
        .await
        .into_iter()
        .map(|(at, owner, _)| (at, owner))
        .collect();
    let at = |second: u64| told.iter().filter(|(at, _)| *at == second).count();
    assert_eq!([at(3), at(63), at(123)], [11, 10, 5]);
    assert!(told.contains(&(3, "api".to_owned())));
}

#[tokio::test(start_paused = true)]
async fn there_are_sixty_events_a_minute_at_most() {
    let all = Gathering::start();
    for n in 0..100 {
        all.find(&format!("ns-{n}"), "web", "no such tag");
    }
    assert_eq!(all.after(10).await.len(), 60);
    assert_eq!(all.after(60).await.len(), 40);
}

#[tokio::test(start_paused = true)]
async fn one_namespace_cannot_take_all_places() {
    let all = Gathering::start();
    for n in 0..MOST_OF_NAMESPACE + 3 {
        all.find("shop", &format!("web-{n}"), "no such tag");
    }
    all.find("other", "api", "no such tag");
    assert!(
        all.after(10)
            .await
            .iter()
            .any(|(_, owner, _)| owner == "api")
    );
    assert!(
        all.metrics
            .encode()
            .contains("cotter_findings_dropped_total 3")
    );
}

#[tokio::test(start_paused = true)]
async fn who_finds_never_waits() {
    let all = Gathering::start();
    // Nobody gathers before this test waits.
    for _ in 0..QUEUE + 7 {
        all.find("shop", "web", "no such tag");
    }
    assert!(
        all.metrics
            .encode()
            .contains("cotter_findings_dropped_total 7")
    );
    assert_eq!(
        all.after(10).await,
        [event(3, "web", "1024 Pods: no such tag")]
    );
}
