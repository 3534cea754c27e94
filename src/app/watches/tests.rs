use rstest::rstest;

use super::*;
use crate::cluster::Target;

/// `synced`, `waiting`, `forbidden`, `failing` (has listed) or `denied` (has listed, and may not any more).
fn watch(namespace: Option<&str>, how: &str) -> WatchStatus {
    let denied = matches!(how, "forbidden" | "denied");
    let target = Target {
        resource: "secrets",
        name: None,
        namespace: namespace.map(Into::into),
    };
    WatchStatus {
        name: "secrets",
        namespace: namespace.map(Into::into),
        synced: !matches!(how, "waiting" | "forbidden"),
        error: (denied || how == "failing").then(|| how.to_owned()),
        missing: denied.then_some(Permission {
            verb: "list",
            target,
        }),
    }
}

#[rstest]
#[case::all(&[(None, "synced")], &["secrets +"])]
#[case::not_listed(&[(None, "waiting")], &["secrets - not listed yet"])]
#[case::forbidden(&[(None, "forbidden")], &["secrets - forbidden"])]
#[case::a_right_taken_away_later(&[(None, "denied")], &["secrets ! denied"])]
#[case::an_api_server_that_went_away(&[(None, "failing")], &["secrets ! failing"])]
#[case::one_namespace_of_two_without_a_role(
    &[(Some("a"), "synced"), (Some("b"), "synced"), (Some("b"), "forbidden")],
    &["namespace a +", "namespace b ! forbidden"]
)]
#[case::no_namespace_with_a_role(
    &[(Some("a"), "forbidden"), (Some("b"), "forbidden")],
    &["namespace a - forbidden", "namespace b - forbidden"]
)]
#[case::a_namespace_that_is_only_slow_is_waited_for(
    &[(Some("a"), "synced"), (Some("b"), "waiting")],
    &["namespace a +", "namespace b - secrets not listed yet"]
)]
#[case::a_role_taken_away_later(&[(Some("a"), "denied")], &["namespace a ! denied"])]
fn what_readiness_says(#[case] watches: &[(Option<&str>, &str)], #[case] expected: &[&str]) {
    let watches: Vec<_> = watches.iter().map(|(ns, how)| watch(*ns, how)).collect();
    let said = states(&watches)
        .into_iter()
        .map(|(name, state)| match state {
            State::Passes => format!("{name} +"),
            State::PassesWith(flaw) => format!("{name} ! {flaw}"),
            State::WaitsFor(reason) => format!("{name} - {reason}"),
        });
    assert_eq!(said.collect::<Vec<_>>(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_missing_right_is_told_again_as_long_as_it_is_missing() {
    let mut told = Told::default();
    let denied = denied(&[watch(None, "forbidden")]);
    let right = denied.keys().next().cloned().unwrap();
    let nothing = BTreeMap::new();
    let mut take = |now| told.take(now, Instant::now());
    assert_eq!(take(&denied), (Vec::new(), vec![right.clone()]));
    for _ in 0..9 {
        tokio::time::advance(AGAIN / 10).await;
        assert_eq!(take(&denied), (Vec::new(), Vec::new()), "it was told");
    }
    tokio::time::advance(AGAIN / 10).await;
    assert_eq!(take(&denied), (Vec::new(), vec![right.clone()]));
    assert_eq!(take(&nothing), (vec![right.clone()], Vec::new()));
    assert_eq!(take(&denied), (Vec::new(), vec![right]));
}
