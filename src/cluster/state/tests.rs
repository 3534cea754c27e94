use super::*;
use crate::domain::policy::Mode;

const JSON: SecretType = SecretType::DockerConfigJson;

fn opted_in() -> Namespace {
    Namespace {
        mode: Some(Mode::Enforce),
        policy: None,
    }
}

fn state() -> (State, mpsc::UnboundedReceiver<SmolStr>) {
    let (to_list, listed) = mpsc::unbounded_channel();
    (State::new(Arc::default(), to_list, Arc::default()), listed)
}

/// A state whose watches have listed namespace `a`, opted in, and no secrets.
fn synced() -> (State, mpsc::UnboundedReceiver<SmolStr>) {
    let (state, listed) = state();
    state.replace_namespaces(HashMap::from([("a".into(), (1, opted_in()))]));
    for kind in [JSON, SecretType::DockerCfg] {
        state.secrets_list_begun(kind);
        state.secrets_list_done(kind);
    }
    (state, listed)
}

#[test]
fn an_opted_in_namespace_without_secrets_is_known_to_have_none() {
    let (state, mut listed) = synced();
    assert_eq!(state.pull_secrets("a").map(|s| s.iter().count()), Some(0));
    assert!(state.pull_secrets("b").is_none());
    assert!(listed.try_recv().is_err(), "nothing has to be listed");
}

#[test]
fn a_namespace_that_opts_in_later_has_to_be_listed_and_one_that_opts_out_is_dropped() {
    let (state, mut listed) = synced();
    state.apply_namespace(&"b".into(), 2, opted_in());
    assert_eq!(listed.try_recv().as_deref(), Ok("b"));
    assert!(state.pull_secrets("b").is_none());
    state.apply_namespace(&"a".into(), 3, Namespace::default());
    assert!(state.pull_secrets("a").is_none());
    assert_eq!(state.namespace("a"), Some(Namespace::default()));
}

#[test]
fn an_older_look_at_a_namespace_changes_nothing() {
    let (state, _listed) = synced();
    state.apply_namespace(&"a".into(), 5, Namespace::default());
    state.apply_namespace(&"a".into(), 4, opted_in());
    assert_eq!(state.namespace("a"), Some(Namespace::default()));
}

#[test]
fn a_relist_of_namespaces_follows_what_changed_meanwhile() {
    let (state, mut listed) = synced();
    state.replace_namespaces(HashMap::from([("b".into(), (9, opted_in()))]));
    assert!(state.namespace("a").is_none() && state.pull_secrets("a").is_none());
    assert_eq!(listed.try_recv().as_deref(), Ok("b"));
}

#[test]
fn accounts_come_and_go() {
    let (state, _listed) = state();
    let account = Arc::new(ServiceAccount {
        pull_secrets: vec!["s".into()],
        enforces_mountable: false,
    });
    state.apply_account("a".into(), "default".into(), account.clone());
    assert_eq!(state.account("a", "default"), Some(account));
    assert!(state.account("a", "other").is_none());
    state.delete_account("a", "default");
    assert!(read(&state.accounts).is_empty());
}

#[test]
fn the_metrics_of_a_namespace_go_when_it_opts_out_or_is_deleted() {
    use crate::telemetry::metrics::{Metrics, Mode, PodAnswer};
    let metrics = Arc::new(Metrics::default());
    let (to_list, _listed) = mpsc::unbounded_channel();
    let state = State::new(metrics.clone(), to_list, Arc::default());
    for (n, name) in ["kept", "opted-out", "deleted", "not-listed"]
        .into_iter()
        .enumerate()
    {
        state.apply_namespace(&name.into(), n as u64, opted_in());
        metrics.pods_of(name, Mode::Enforce).pod(PodAnswer::Allowed);
    }
    state.apply_namespace(&"opted-out".into(), 5, Namespace::default());
    state.delete_namespace(&"deleted".into());
    state.replace_namespaces(HashMap::from([("kept".into(), (6, opted_in()))]));
    let text = metrics.encode();
    assert!(text.contains(r#"namespace="kept""#), "{text}");
    for name in ["opted-out", "deleted", "not-listed"] {
        assert!(!text.contains(name), "{name} in\n{text}");
    }
}
