//! What replicas do to what they share, over a long time.

mod world;

use jiff::Timestamp;
use zeroize::Zeroizing;

use super::*;
use crate::tls::bundle;
use world::*;

#[test]
fn ordinary_rotations_lose_no_call() {
    let mut world = World::new(3, minutes(30, 12));
    world.heal();
    let mut seen = vec![world.shared().current];
    for _ in 0..100 {
        world.run_well(60);
        let current = world.shared().current;
        if seen.last().unwrap().path != current.path {
            seen.push(current);
        }
        assert!(world.bundle().len() <= 4, "{}", world.bundle().len());
    }
    assert!(seen.len() >= 5, "{} rotations", seen.len());
}

#[test]
fn a_rotation_that_a_person_asks_for_goes_in_steps_of_a_minute() {
    let mut world = World::new(3, minutes(60 * 24, 60 * 12));
    world.heal();
    let before = world.shared().current;
    world.stored().rotate = Some("once".to_owned());
    world.run_well(55);
    assert!(world.shared().next.is_some());
    assert_eq!(
        world.shared().current.path,
        before.path,
        "before a minute is over"
    );
    world.run_well(20);
    let shared = world.shared();
    assert_ne!(shared.current.path, before.path);
    assert_eq!(shared.previous_path, Some(before.path));
    assert_eq!(world.bundle().len(), 2);
    world.run_well(70);
    let shared = world.shared();
    assert_eq!((shared.previous_path, shared.retired.len()), (None, 1));
    // Asked for once is done once.
    world.run_well(600);
    assert_eq!(world.shared().current.path, shared.current.path);
}

#[test]
fn an_authority_is_served_only_after_a_minute_in_every_bundle() {
    let mut world = World::new(2, minutes(60 * 24, 60 * 12));
    world.heal();
    world.run_well(100);
    world.stored().rotate = Some("once".to_owned());
    let serves =
        |world: &World, index: usize| world.replicas[index].leaf.as_ref().unwrap().by.clone();
    let old = serves(&world, 0);
    let (mut written, mut wiped) = (None, false);
    for _ in 0..300 {
        world.second();
        if written.is_none() && world.bundle().len() == 2 {
            written = Some(world.now);
        }
        // Somebody takes it out of one of the two bundles for a moment: the minute begins anew.
        if !wiped && written.is_some_and(|then| world.now == then + 40) {
            let old = bundle::write([&old]).into_bytes();
            world.hooks()[1].bundle = old;
            (wiped, written) = (true, Some(world.now + 1));
        }
        if serves(&world, 0) != old {
            break;
        }
    }
    let waited = world.now - written.unwrap();
    assert!(wiped && (60..90).contains(&waited), "{waited} seconds");
}

#[test]
fn what_others_break_heals_within_seconds() {
    type Break = fn(&mut World);
    let breaks: [(&str, Break); 12] = [
        ("the secret is gone", |world| {
            world.observed.secret = Seen::Absent;
        }),
        ("it is empty", |world| world.stored().data.clear()),
        ("its key is another's", |world| {
            let key = Authority::make("x", Timestamp::now(), Duration::from_hours(9)).unwrap();
            let key = Zeroizing::new(key.key_pem().as_bytes().to_vec());
            world.stored().data.insert("ca.key".to_owned(), key);
        }),
        ("it is immutable", |world| world.stored().immutable = true),
        ("it goes with another configuration", |world| {
            world.stored().owner = None;
        }),
        ("a bundle is gone", |world| world.hooks()[0].bundle.clear()),
        ("a bundle is no PEM", |world| {
            world.hooks()[1].bundle = b"x".to_vec();
        }),
        ("a path is gone", |world| world.hooks()[1].path = None),
        ("the configuration is made anew", |world| {
            world.observed.configuration = Seen::Present(configuration("second"));
        }),
        ("a bundle of a further one is gone", |world| {
            world.further().hooks[0].bundle.clear();
        }),
        ("a path of a further one is gone", |world| {
            world.further().hooks[1].path = None;
        }),
        ("a further one is made anew", |world| {
            *world.further() = configuration("anew");
        }),
    ];
    let mut world = World::new(3, minutes(60 * 24, 60 * 12));
    world.heal();
    let authority = world.shared().authorities();
    for (name, break_it) in breaks {
        break_it(&mut world);
        let seconds = world.heal();
        world.run_well(5);
        assert!(seconds <= 5, "{name}: {seconds}");
        assert_eq!(world.shared().authorities(), authority, "{name}");
        let uid = &world.observed.configuration.present().unwrap().uid;
        let owner = &world.observed.secret.present().unwrap().owner;
        assert_eq!(owner.as_ref(), Some(uid), "{name}");
        assert!(world.looks.iter().all(|look| look.task.is_none()), "{name}");
    }
}

#[test]
fn a_secret_that_somebody_replaces_is_taken_over_without_a_gap() {
    let mut world = World::new(3, minutes(60 * 24, 60 * 12));
    world.heal();
    let old = world.shared();
    let mut other = World::new(1, minutes(60 * 24, 60 * 12));
    other.heal();
    world.stored().data = other.stored().data.clone();
    // The new path is written within seconds; before, the old one is called and accepted.
    world.run_well(200);
    let now = world.shared();
    assert_eq!(now.current.path, other.shared().current.path);
    assert!(
        now.authorities().contains(&old.authorities()[0]),
        "its leaves are alive"
    );
}

#[test]
fn without_a_leader_nothing_is_rotated_and_what_ends_is_replaced() {
    let mut world = World::new(2, minutes(30, 12));
    world.replicas.remove(0);
    world.replicas.insert(0, replica(minutes(30, 12)));
    let follower = |world: &mut World| {
        world.now += 1;
        let (known, now) = (world.observed.clone(), world.moment(0));
        let look = world.replicas[0].look(&known, false, now);
        if let Some(task) = look.task {
            let write = world.replicas[0].write(task, &known, false, now).unwrap();
            world.apply(write.unwrap());
        }
    };
    for _ in 0..10 {
        follower(&mut world);
    }
    let first = world.shared().authorities();
    for _ in 0..29 * 60 {
        follower(&mut world);
    }
    assert_eq!(world.shared().authorities(), first);
    for _ in 0..120 {
        follower(&mut world);
    }
    assert_ne!(world.shared().authorities(), first);
    assert!(
        world.replicas[0]
            .leaf
            .as_ref()
            .unwrap()
            .life
            .renewal(world.moment(0).wall)
            .is_none()
    );
}

#[test]
fn clocks_that_differ_by_less_than_an_hour_do_no_harm() {
    let mut world = World::new(3, minutes(60 * 24, 60 * 12));
    world.skew = vec![0, -50 * 60, 50 * 60];
    world.heal();
    let first = world.shared().authorities();
    world.run_well(300);
    assert_eq!(world.shared().authorities(), first);
}

#[test]
fn a_stranger_in_the_bundle_leaves_after_ten_minutes() {
    let mut world = World::new(2, minutes(60 * 24, 60 * 12));
    world.heal();
    let stranger = Authority::make("stranger", Timestamp::now(), Duration::from_hours(9)).unwrap();
    let more = bundle::pem(stranger.der());
    world.hooks()[0].bundle.extend(more.as_bytes());
    world.run_well(9 * 60);
    assert_eq!(world.bundle().len(), 2);
    world.run_well(2 * 60);
    assert_eq!(world.bundle().len(), 1);
}

#[test]
fn nobody_waits_for_a_further_configuration_and_what_it_lacks_is_told() {
    let mut world = World::new(2, minutes(60 * 24, 60 * 12));
    let name = MORE.to_owned();
    let denied = Some("may not list".to_owned());
    for (seen, said) in [
        (Seen::Absent, "there is none"),
        (Seen::Unknown(denied), "may not list"),
    ] {
        world.observed.further.insert(name.clone(), seen);
        world.heal();
        world.run(3);
        for look in &world.looks {
            assert_eq!(look.trusted, Ok(()));
            assert_eq!(look.further, Err((name.clone(), said.to_owned())));
            assert!(look.task.is_none());
        }
    }
    let back = Seen::Present(configuration("back"));
    world.observed.further.insert(name, back);
    world.heal();
    assert!(world.looks.iter().all(|look| look.further.is_ok()));
}

#[test]
fn a_path_is_not_forgotten_while_a_further_configuration_calls_it() {
    let mut world = World::new(2, minutes(60 * 24, 60 * 12));
    world.heal();
    let before = world.shared().current.path;
    world.stored().rotate = Some("once".to_owned());
    for _ in 0..100 {
        world.run(5);
        // Somebody puts it back again and again.
        let old = Some(before.clone());
        for hook in &mut world.further().hooks {
            hook.path.clone_from(&old);
        }
    }
    assert_ne!(world.shared().current.path, before);
    assert_eq!(world.shared().previous_path, Some(before.clone()));
    for look in &world.looks {
        assert!(look.paths.contains(&before));
    }
}

#[test]
fn nothing_is_written_where_no_configuration_is() {
    let mut world = World::new(2, minutes(60 * 24, 60 * 12));
    world.heal();
    (world.observed.configuration, world.observed.secret) = (Seen::Absent, Seen::Absent);
    let before = world.writes;
    world.run(60);
    assert_eq!(
        world.writes, before,
        "an uninstalled release stays uninstalled"
    );
}

#[test]
fn files_of_a_person_need_a_path_only_and_leave_the_bundle_to_others() {
    let ca = Authority::make(
        "theirs",
        Timestamp::from_second(1_800_000_000).unwrap(),
        Duration::from_hours(9),
    )
    .unwrap();
    for given in [None, Some(vec![ca.der().clone()])] {
        let mut world = World::new(1, minutes(60, 60));
        let leaf = leaf::sign(
            &ca,
            &[HOST.parse().unwrap()],
            world.moment(0).wall,
            Duration::from_hours(1),
        )
        .unwrap();
        let pair = resolver::pair(leaf.pem.as_bytes(), leaf.key_pem.as_bytes()).unwrap();
        let served = Arc::new(Served::new(pair));
        world.replicas = vec![Replica::new(
            HOST.parse().unwrap(),
            Certificates::Given(given.clone()),
            served,
        )];
        world.run(10);
        assert_eq!(world.bundle(), given.clone().unwrap_or_default());
        let trusted = world.looks[0].trusted.clone();
        match given {
            Some(_) => assert_eq!(trusted, Ok(())),
            None => assert!(trusted.unwrap_err().contains("is empty")),
        }
        for hook in world.hooks() {
            hook.bundle = ca.pem().as_bytes().to_vec();
        }
        for hook in &mut world.further().hooks {
            hook.bundle = ca.pem().as_bytes().to_vec();
        }
        world.run(3);
        world.run_well(200);
        let keys: Vec<_> = world.stored().data.keys().cloned().collect();
        assert_eq!(keys, ["path"]);
    }
}
