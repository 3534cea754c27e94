use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use futures_util::{FutureExt as _, future::BoxFuture};
use tokio::time::advance;
use zeroize::Zeroizing;

use super::*;

const HOST: &str = "europe-docker.pkg.dev";
const HOUR: Duration = Duration::from_hours(1);

/// What a cloud answers; `None` never comes.
type Answer = Option<Result<Login, String>>;

/// Clouds that answer in turn, the last answer again and again.
#[derive(Default)]
struct Scripted {
    answers: Mutex<VecDeque<Answer>>,
    asked: Mutex<Vec<(Instant, String)>>,
}

impl Scripted {
    fn new(answers: impl IntoIterator<Item = Answer>) -> Arc<Self> {
        let answers = Mutex::new(answers.into_iter().collect());
        Arc::new(Self {
            answers,
            ..Self::default()
        })
    }

    fn next(&self) -> Answer {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.len() > 1 {
            answers.pop_front().unwrap()
        } else {
            answers.front().cloned().unwrap()
        }
    }

    /// When it was asked, since `start`, in seconds.
    fn asked(&self, start: Instant) -> Vec<u64> {
        let asked = self.asked.lock().unwrap();
        let since = |(at, _): &(Instant, String)| at.duration_since(start).as_secs();
        asked.iter().map(since).collect()
    }
}

impl MakeLogins for Scripted {
    fn make<'a>(
        &'a self,
        host: &'a str,
        _: &'a CloudRegistry,
    ) -> BoxFuture<'a, Result<Login, String>> {
        let now = (Instant::now(), host.to_owned());
        self.asked.lock().unwrap().push(now);
        let next = self.next();
        async move {
            match next {
                Some(answer) => answer,
                None => std::future::pending().await,
            }
        }
        .boxed()
    }
}

fn login(password: &str, life: Duration) -> Login {
    Login {
        username: "user",
        password: Zeroizing::new(password.as_bytes().to_vec()),
        life,
    }
}

fn refusal() -> Result<Login, String> {
    Err("403".to_owned())
}

fn keeper(clouds: &Arc<Scripted>) -> Keeper {
    let keeper = Keeper::new(clouds.clone(), Arc::default());
    keeper.keep(&[SmolStr::new(HOST)]);
    keeper
}

/// Lets `time` pass, a second at a time, so that everything that is due in it is done.
async fn pass(time: Duration) {
    settle().await;
    for _ in 0..time.as_secs() {
        advance(Duration::from_secs(1)).await;
        settle().await;
    }
}

/// Lets tasks do what can be done now.
async fn settle() {
    for _ in 0..4 {
        tokio::task::yield_now().await;
    }
}

/// The password of the login, or what is said in its place.
fn now(keeper: &Keeper) -> String {
    match keeper.login(HOST).unwrap().login {
        Ok(login) => String::from_utf8(login.password().to_vec()).unwrap(),
        Err(NoLogin::Awaited) => "awaited".to_owned(),
        Err(NoLogin::Refused(said)) => said,
    }
}

#[tokio::test(start_paused = true)]
async fn a_login_is_asked_for_at_once_and_again_at_half_its_life() {
    let start = Instant::now();
    let clouds = Scripted::new([Some(Ok(login("one", HOUR))), Some(Ok(login("two", HOUR)))]);
    let keeper = keeper(&clouds);
    assert_eq!(now(&keeper), "awaited");
    settle().await;
    assert_eq!(now(&keeper), "one");
    pass(HOUR / 2).await;
    assert_eq!(now(&keeper), "two");
    assert_eq!(clouds.asked(start), [0, 1_800]);
}

#[tokio::test(start_paused = true)]
async fn a_login_that_is_not_renewed_is_used_to_its_end_and_not_longer() {
    let clouds = Scripted::new([Some(Ok(login("one", HOUR))), Some(refusal())]);
    let keeper = keeper(&clouds);
    pass(HOUR.saturating_sub(Duration::from_secs(1))).await;
    assert_eq!(now(&keeper), "one");
    pass(Duration::from_secs(1)).await;
    let said = "Google Cloud makes no login for cotter's own identity: 403; give cotter's Pods one (Workload Identity \
                Federation for GKE or the node's service account) with roles/artifactregistry.reader";
    assert_eq!(now(&keeper), said);
}

#[tokio::test(start_paused = true)]
async fn a_cloud_that_refuses_is_asked_ever_less_often_and_once_a_minute_at_least() {
    let start = Instant::now();
    let clouds = Scripted::new([Some(refusal())]);
    let _keeper = keeper(&clouds);
    pass(HOUR / 6).await;
    let asked = clouds.asked(start);
    let pauses: Vec<_> = asked.windows(2).map(|two| two[1] - two[0]).collect();
    for (pause, least) in pauses.iter().zip([1, 2, 4, 8, 16, 32, 64, 64, 64]) {
        let most = least + least / 4 + 1;
        assert!((least..=most).contains(pause), "{pauses:?}");
    }
    assert!(pauses.len() >= 9, "{pauses:?}");
}

#[tokio::test(start_paused = true)]
async fn after_a_refusal_the_first_login_is_in_use() {
    let clouds = Scripted::new([Some(refusal()), Some(Ok(login("late", HOUR)))]);
    let keeper = keeper(&clouds);
    settle().await;
    assert!(now(&keeper).contains("403"));
    pass(Duration::from_secs(2)).await;
    assert_eq!(now(&keeper), "late");
}

#[tokio::test(start_paused = true)]
async fn a_cloud_that_does_not_answer_is_given_up_and_asked_again() {
    let clouds = Scripted::new([None, Some(Ok(login("late", HOUR)))]);
    let keeper = keeper(&clouds);
    pass(PATIENCE).await;
    assert!(now(&keeper).contains("no answer within 20 s"));
    pass(Duration::from_secs(2)).await;
    assert_eq!(now(&keeper), "late");
}

#[tokio::test(start_paused = true)]
async fn a_new_login_that_has_ended_by_its_clouds_clock_is_used_for_a_minute() {
    let start = Instant::now();
    let clouds = Scripted::new([Some(Ok(login("one", Duration::ZERO)))]);
    let keeper = keeper(&clouds);
    pass(Duration::from_secs(29)).await;
    assert_eq!(now(&keeper), "one");
    pass(Duration::from_secs(1)).await;
    assert_eq!(clouds.asked(start), [0, 30]);
}

#[tokio::test(start_paused = true)]
async fn hosts_come_and_go_and_those_that_stay_keep_their_login() {
    let start = Instant::now();
    let clouds = Scripted::new([Some(Ok(login("one", HOUR)))]);
    let keeper = keeper(&clouds);
    settle().await;
    let both = [HOST, "gcr.io", "registry.internal:5000"].map(SmolStr::new);
    keeper.keep(&both);
    settle().await;
    assert!(keeper.login("gcr.io").is_some());
    assert!(
        keeper.login("registry.internal:5000").is_none(),
        "no cloud's"
    );
    keeper.keep(&[SmolStr::new("gcr.io")]);
    assert!(keeper.login(HOST).is_none());
    pass(HOUR / 2).await;
    let asked = clouds.asked.lock().unwrap().clone();
    let hosts: Vec<_> = asked.iter().map(|(_, host)| &**host).collect();
    assert_eq!(hosts, [HOST, "gcr.io", "gcr.io"], "{start:?}");
}

#[tokio::test(start_paused = true)]
async fn metrics_tell_of_refusals_and_of_who_has_a_login() {
    let clouds = Scripted::new([Some(refusal()), Some(Ok(login("one", HOUR)))]);
    let metrics = Arc::new(Metrics::default());
    let keeper = Keeper::new(clouds, Arc::clone(&metrics));
    keeper.keep(&[SmolStr::new(HOST)]);
    settle().await;
    let shows = |line: &str| metrics.encode().lines().any(|shown| shown == line);
    let (failures, held) = ("cotter_own_login_failures_total", "cotter_own_login");
    assert!(shows(&format!("{held}{{host=\"{HOST}\"}} 0")));
    assert!(shows(&format!("{failures}{{host=\"{HOST}\"}} 1")));
    pass(Duration::from_secs(2)).await;
    assert!(shows(&format!("{held}{{host=\"{HOST}\"}} 1")));
    keeper.keep(&[]);
    assert!(!metrics.encode().contains(HOST));
}
