use super::*;
use crate::domain::revision::OwnerKind;

fn revision(owner: &str) -> OwnerRevision {
    OwnerRevision {
        namespace: "shop".into(),
        owner: owner.into(),
        hash: None,
    }
}

fn slots(pins: &[(&str, &str)]) -> Slots {
    let pin = |(slot, seed): &(&str, &str)| SlotPin {
        slot: (*slot).into(),
        text: "app:dev".into(),
        digest: Digest::of(seed.as_bytes()),
    };
    pins.iter().map(pin).collect()
}

fn pod(uid: u128, created: i64, owner: &str, seed: &str) -> PodSeen {
    PodSeen {
        uid,
        created,
        revision: revision(owner),
        workload: Workload {
            kind: OwnerKind::ReplicaSet,
            name: "web-5d8".into(),
        },
        slots: slots(&[("app", seed)]),
    }
}

fn runs(revisions: &Revisions, owner: &str) -> Option<Digest> {
    revisions.of_pods(&revision(owner), "app", "app:dev")
}

fn digest(seed: &str) -> Digest {
    Digest::of(seed.as_bytes())
}

fn pin_name(name: &str) -> PinName {
    ("shop".into(), name.into())
}

#[test]
fn the_oldest_pod_wins_whatever_the_order_of_news() {
    let mut revisions = Revisions::default();
    revisions.apply_pod(pod(3, 20, "a", "young"));
    revisions.apply_pod(pod(2, 10, "a", "second"));
    revisions.apply_pod(pod(1, 10, "a", "first"));
    revisions.apply_pod(pod(9, 1, "b", "other"));
    assert_eq!(runs(&revisions, "a"), Some(digest("first")));
    revisions.delete_pod(1);
    assert_eq!(runs(&revisions, "a"), Some(digest("second")));
    revisions.delete_pod(2);
    assert_eq!(runs(&revisions, "a"), Some(digest("young")));
    revisions.delete_pod(3);
    assert_eq!(runs(&revisions, "a"), None);
    assert_eq!(revisions.known.len(), 1, "only b is left");
}

#[test]
fn a_pod_that_is_adopted_counts_for_its_new_owner() {
    let mut revisions = Revisions::default();
    revisions.apply_pod(pod(1, 1, "a", "one"));
    revisions.apply_pod(pod(1, 1, "b", "one"));
    assert_eq!(runs(&revisions, "a"), None);
    assert_eq!(runs(&revisions, "b"), Some(digest("one")));
    assert_eq!(revisions.numbers(), (1, 0));
}

#[test]
fn siblings_that_agree_share_what_they_tell() {
    let mut revisions = Revisions::default();
    for uid in 0..100 {
        revisions.apply_pod(pod(uid, 1, "a", "one"));
    }
    let members = &revisions.known[&revision("a")].members;
    assert!(
        members
            .iter()
            .all(|m| Arc::ptr_eq(&m.slots, &members[0].slots))
    );
}

#[test]
fn a_slot_or_text_that_the_oldest_lacks_is_looked_for_in_the_next() {
    let mut revisions = Revisions::default();
    revisions.apply_pod(PodSeen {
        slots: slots(&[("init", "x")]),
        ..pod(1, 1, "a", "")
    });
    revisions.apply_pod(pod(2, 2, "a", "one"));
    assert_eq!(runs(&revisions, "a"), Some(digest("one")));
    assert_eq!(revisions.of_pods(&revision("a"), "app", "app:test"), None);
}

#[test]
fn a_list_drops_what_it_does_not_hold_in_its_scope() {
    let mut revisions = Revisions::default();
    for uid in 1..4 {
        revisions.apply_pod(pod(uid, 1, "a", "one"));
    }
    let shop = Scope::Namespace("shop".into());
    revisions.retain_pods(&Scope::Namespace("other".into()), &HashSet::new());
    assert_eq!(revisions.numbers(), (3, 0));
    revisions.retain_pods(&shop, &[1].into());
    assert_eq!(revisions.numbers(), (1, 0));
    revisions.apply_pin(pin_name("p"), revision("a"), slots(&[("app", "one")]));
    revisions.retain_pins(&Scope::All, &HashSet::new());
    revisions.retain_pods(&Scope::All, &HashSet::new());
    assert_eq!(revisions.numbers(), (0, 0));
    assert!(revisions.known.is_empty());
}

#[test]
fn a_pin_speaks_when_no_pod_is_left() {
    let mut revisions = Revisions::default();
    revisions.apply_pin(pin_name("p"), revision("a"), slots(&[("app", "one")]));
    let recorded = |r: &Revisions| r.of_pin(&revision("a"), "app", "app:dev");
    assert_eq!(recorded(&revisions), Some(digest("one")));
    assert_eq!(runs(&revisions, "a"), None);
    revisions.apply_pin(pin_name("p"), revision("b"), slots(&[("app", "one")]));
    assert_eq!(recorded(&revisions), None, "it speaks of another now");
    revisions.delete_pin(&pin_name("p"));
    assert!(revisions.known.is_empty());
}

#[test]
fn what_no_pin_records_is_told_once_when_all_lists_are_in() {
    let mut revisions = Revisions::default();
    revisions.wait_for(vec![List::Pods(Scope::All), List::Pins(Scope::All)]);
    revisions.apply_pod(pod(1, 1, "a", "one"));
    revisions.apply_pod(pod(2, 2, "b", "two"));
    revisions.retain_pods(&Scope::All, &[1, 2].into());
    assert!(!revisions.has_unrecorded() && revisions.take_unrecorded(9).is_empty());
    revisions.apply_pin(pin_name("b"), revision("b"), slots(&[("app", "two")]));
    revisions.retain_pins(&Scope::All, &[pin_name("b")].into());

    let told = revisions.take_unrecorded(9);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].revision, revision("a"));
    assert_eq!(told[0].slots, *slots(&[("app", "one")]));
    revisions.apply_pod(pod(1, 1, "a", "one"));
    assert!(
        revisions.take_unrecorded(9).is_empty(),
        "a Pod's status is no news"
    );
    revisions.look_again();
    assert_eq!(revisions.take_unrecorded(9).len(), 1);
    revisions.apply_pin(pin_name("a"), revision("a"), slots(&[("app", "one")]));
    revisions.look_again();
    assert!(!revisions.has_unrecorded());
}

#[test]
fn a_pin_follows_the_oldest_pod_and_keeps_its_other_slots() {
    let mut revisions = Revisions::default();
    let recorded = slots(&[("app", "gone"), ("init", "kept")]);
    revisions.apply_pin(pin_name("p"), revision("a"), recorded);
    assert!(!revisions.has_unrecorded());
    revisions.apply_pod(pod(1, 1, "a", "anew"));
    let told = revisions.take_unrecorded(9);
    assert_eq!(told[0].slots, *slots(&[("app", "anew"), ("init", "kept")]));
}

#[test]
fn a_pin_that_was_deleted_is_written_again_while_a_pod_runs() {
    let mut revisions = Revisions::default();
    revisions.apply_pod(pod(1, 1, "a", "one"));
    revisions.apply_pin(pin_name("p"), revision("a"), slots(&[("app", "one")]));
    assert!(!revisions.has_unrecorded());
    revisions.delete_pin(&pin_name("p"));
    assert!(revisions.has_unrecorded());
    revisions.delete_pod(1);
    assert!(!revisions.has_unrecorded(), "nobody is left to ask");
}

#[test]
fn a_namespace_that_is_never_listed_holds_up_no_other() {
    let in_namespace = |namespace: &str, uid| PodSeen {
        revision: OwnerRevision {
            namespace: namespace.into(),
            ..revision("a")
        },
        ..pod(uid, 1, "a", "one")
    };
    let lists = ["shop", "closed"].map(|name| Scope::Namespace(name.into()));
    let lists = lists.map(|scope| [List::Pods(scope.clone()), List::Pins(scope)]);
    let mut revisions = Revisions::default();
    revisions.wait_for(lists.concat());
    let shop = Scope::Namespace("shop".into());
    revisions.apply_pod(in_namespace("shop", 1));
    revisions.apply_pod(in_namespace("closed", 2));
    revisions.retain_pods(&shop, &HashSet::from([1]));
    assert!(!revisions.has_unrecorded());
    revisions.retain_pins(&shop, &HashSet::new());
    assert!(revisions.has_unrecorded());
    let taken = revisions.take_unrecorded(9);
    assert_eq!(taken.len(), 1);
    assert_eq!(taken[0].revision.namespace, "shop");
    assert!(!revisions.has_unrecorded());
}
