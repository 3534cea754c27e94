use super::*;

const JSON: SecretType = SecretType::DockerConfigJson;
const CFG: SecretType = SecretType::DockerCfg;

fn item(name: &str, kind: SecretType, revision: u64) -> Item<'static> {
    Item {
        namespace: "a".into(),
        name: name.into(),
        revision,
        kind,
        data: b"{}",
    }
}

fn names(news: &News) -> Vec<String> {
    let [(_, Some(secrets))] = &**news else {
        panic!("one namespace expected: {news:?}");
    };
    secrets.iter().map(|s| s.name().to_string()).collect()
}

/// A ledger in which `a` is opted in and both watches have listed these.
fn listed(json: &[Item<'_>], cfg: &[Item<'_>]) -> (Ledger, News) {
    let mut ledger = Ledger::default();
    assert!(!ledger.track(&"a".into()), "the first lists cover it");
    let mut news = News::new();
    for (kind, items) in [(JSON, json), (CFG, cfg)] {
        ledger.list_begun(kind);
        for item in items {
            ledger.list_item(item);
        }
        news = ledger.list_done(kind);
    }
    (ledger, news)
}

fn live(secrets: &[(&str, SecretType, u64)], at: u64) -> Listed {
    let secrets = secrets.iter().map(|(name, kind, revision)| {
        let secret = Arc::new(PullSecret::read(name, *kind, b"{}"));
        (*revision, *kind, secret)
    });
    Listed {
        secrets: secrets.collect(),
        revisions: PerType { json: at, cfg: at },
    }
}

#[test]
fn a_namespace_is_known_when_both_types_are() {
    let mut ledger = Ledger::default();
    ledger.track(&"a".into());
    ledger.list_begun(JSON);
    ledger.list_item(&item("s", JSON, 1));
    assert!(ledger.list_done(JSON).is_empty());
    assert!(ledger.wants_list("a"));
    ledger.list_begun(CFG);
    ledger.list_item(&item("t", CFG, 2));
    assert_eq!(names(&ledger.list_done(CFG)), ["s", "t"]);
    assert!(!ledger.wants_list("a"));
}

#[test]
fn secrets_of_a_namespace_that_is_not_opted_in_are_dropped() {
    let mut ledger = Ledger::default();
    ledger.list_begun(JSON);
    ledger.list_item(&item("s", JSON, 1));
    assert!(ledger.watches.json.staged.is_empty());
    assert!(ledger.list_done(JSON).is_empty());
    assert!(ledger.applied(&item("s", JSON, 2)).is_empty());
}

#[test]
fn a_relist_takes_the_place_of_what_was_known_only_when_done() {
    let (mut ledger, news) = listed(&[item("s", JSON, 1), item("t", JSON, 2)], &[]);
    assert_eq!(names(&news), ["s", "t"]);
    ledger.list_begun(JSON);
    ledger.list_item(&item("t", JSON, 2));
    assert_eq!(ledger.tracked["a"].slots.len(), 2);
    assert_eq!(names(&ledger.list_done(JSON)), ["t"]);
}

#[test]
fn a_relist_without_news_builds_nothing_and_shares_what_is_there() {
    let (mut ledger, _) = listed(&[item("s", JSON, 1)], &[]);
    let before = ledger.tracked["a"].slots["s"].secret.clone().unwrap();
    ledger.list_begun(JSON);
    ledger.list_item(&item("s", JSON, 1));
    let staged = &ledger.watches.json.staged["a"]["s"];
    assert!(Arc::ptr_eq(&before, staged.secret.as_ref().unwrap()));
    assert!(ledger.list_done(JSON).is_empty());
}

#[test]
fn a_list_that_passed_a_namespace_by_does_not_count_for_it() {
    let mut ledger = Ledger::default();
    for kind in [JSON, CFG] {
        ledger.list_begun(kind);
    }
    assert!(ledger.track(&"a".into()), "it has to be listed live");
    assert!(ledger.list_done(JSON).is_empty() && ledger.list_done(CFG).is_empty());
    assert!(ledger.wants_list("a"));
    let stay = ledger.live_list_begun("a");
    let news = ledger.live_list_ended(&"a".into(), stay, Some(&live(&[("s", JSON, 1)], 5)));
    assert_eq!(names(&news), ["s"]);
    assert!(!ledger.wants_list("a"));
}

#[test]
fn an_older_revision_changes_nothing() {
    let (mut ledger, _) = listed(&[item("s", JSON, 5)], &[]);
    assert!(ledger.applied(&item("s", JSON, 4)).is_empty());
    assert!(ledger.applied(&item("s", JSON, 5)).is_empty());
    assert_eq!(names(&ledger.applied(&item("s", JSON, 6))), ["s"]);
}

#[test]
fn a_live_list_adds_what_is_newer_and_removes_what_is_older() {
    let (mut ledger, _) = listed(&[item("old", JSON, 5), item("kept", JSON, 6)], &[]);
    let stay = ledger.live_list_begun("a");
    ledger.applied(&item("later", JSON, 12));
    let list = live(&[("kept", JSON, 6), ("new", CFG, 9)], 10);
    let news = ledger.live_list_ended(&"a".into(), stay, Some(&list));
    assert_eq!(names(&news), ["kept", "later", "new"]);
}

#[test]
fn a_live_list_does_not_bring_back_what_was_deleted_meanwhile() {
    let (mut ledger, _) = listed(&[item("s", JSON, 5)], &[]);
    let stay = ledger.live_list_begun("a");
    ledger.deleted(JSON, &"a".into(), &"s".into(), 12);
    let list = live(&[("s", JSON, 5)], 10);
    let news = ledger.live_list_ended(&"a".into(), stay, Some(&list));
    assert!(names(&news).is_empty());
    assert!(ledger.tracked["a"].slots.is_empty(), "the mark is gone");
}

#[test]
fn a_live_list_of_an_earlier_stay_does_not_count() {
    let (mut ledger, _) = listed(&[item("s", JSON, 5)], &[]);
    let stay = ledger.live_list_begun("a");
    assert_eq!(ledger.forget("a").len(), 1);
    assert!(ledger.track(&"a".into()));
    let list = live(&[("s", JSON, 5)], 10);
    let news = ledger.live_list_ended(&"a".into(), stay, Some(&list));
    assert!(news.is_empty() && ledger.wants_list("a"));
}

#[test]
fn the_end_of_an_old_secret_does_not_end_a_new_one_of_the_other_type() {
    let (mut ledger, _) = listed(&[item("s", JSON, 5)], &[]);
    ledger.applied(&item("s", CFG, 9));
    assert!(ledger.deleted(JSON, &"a".into(), &"s".into(), 8).is_empty());
    assert!(ledger.tracked["a"].slots.contains_key("s"));
}

#[test]
fn a_failed_live_list_leaves_the_namespace_unknown() {
    let mut ledger = Ledger::default();
    ledger.list_begun(JSON);
    ledger.track(&"a".into());
    let stay = ledger.live_list_begun("a");
    assert!(ledger.live_list_ended(&"a".into(), stay, None).is_empty());
    assert!(ledger.wants_list("a"));
}
