use std::{collections::BTreeSet, thread};

use super::*;

fn at(days: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + days * 86_400).unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// The authority and the leaf, to see which of them was made anew.
fn both(dir: &Path) -> (String, String) {
    let read = |name| fs::read_to_string(dir.join(name)).unwrap();
    (read("ca.pem"), read("tls.pem"))
}

#[test]
fn a_new_directory_gets_everything_with_closed_keys() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("certs");
    let local = ensure(&dir, &loopback(), at(0)).unwrap();
    local.files.load().unwrap();
    assert_eq!(mode(&dir.join("tls.key")), 0o600);
    assert_eq!(mode(&dir.join("ca.key")), 0o600);
    let names: BTreeSet<_> = fs::read_dir(&dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let expected = [
        ".gitignore",
        ".lock",
        "ca.key",
        "ca.pem",
        "tls.key",
        "tls.pem",
    ];
    assert!(names.iter().eq(expected), "{names:?}");
}

#[test]
fn what_is_good_is_reused() {
    let dir = tempfile::tempdir().unwrap();
    ensure(dir.path(), &loopback(), at(0)).unwrap();
    let before = both(dir.path());
    ensure(dir.path(), &loopback(), at(19)).unwrap();
    assert_eq!(both(dir.path()), before);
}

#[test]
fn the_leaf_alone_is_renewed_where_the_authority_is_good() {
    let due: fn(&Path) = |_| {};
    let damaged: fn(&Path) = |dir| fs::write(dir.join("tls.pem"), "x").unwrap();
    let other_key: fn(&Path) = |dir| {
        let other = tempfile::tempdir().unwrap();
        ensure(other.path(), &loopback(), at(0)).unwrap();
        fs::copy(other.path().join("tls.key"), dir.join("tls.key")).unwrap();
    };
    let more = [loopback(), vec![Host::Dns("cotter.test".to_owned())]].concat();
    for (name, spoil, hosts_then, now) in [
        ("due", due, loopback(), at(20)),
        ("damaged", damaged, loopback(), at(1)),
        ("another's key", other_key, loopback(), at(1)),
        ("another host", due, more, at(1)),
    ] {
        let dir = tempfile::tempdir().unwrap();
        ensure(dir.path(), &loopback(), at(0)).unwrap();
        let before = both(dir.path());
        spoil(dir.path());
        let local = ensure(dir.path(), &hosts_then, now).unwrap();
        local.files.load().unwrap();
        let after = both(dir.path());
        assert_eq!(after.0, before.0, "{name}");
        assert_ne!(after.1, before.1, "{name}");
    }
}

#[test]
fn a_new_authority_brings_a_new_leaf() {
    for (name, file) in [("no key", "ca.key"), ("no certificate", "ca.pem")] {
        let dir = tempfile::tempdir().unwrap();
        ensure(dir.path(), &loopback(), at(0)).unwrap();
        let before = both(dir.path());
        fs::remove_file(dir.path().join(file)).unwrap();
        ensure(dir.path(), &loopback(), at(0)).unwrap();
        let after = both(dir.path());
        assert!(after.0 != before.0 && after.1 != before.1, "{name}");
        let good = leaf_needs_renewal(&after.1, &after.0, &loopback(), at(0));
        assert_eq!(good, None, "{name}");
    }
}

#[test]
fn an_open_key_is_closed() {
    let dir = tempfile::tempdir().unwrap();
    ensure(dir.path(), &loopback(), at(0)).unwrap();
    let key = dir.path().join("tls.key");
    fs::set_permissions(&key, Permissions::from_mode(0o644)).unwrap();
    ensure(dir.path(), &loopback(), at(0)).unwrap();
    assert_eq!(mode(&key), 0o600);
}

#[test]
fn starters_at_once_agree_on_one_pair() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("certs");
    let seen: BTreeSet<_> = thread::scope(|scope| {
        let starters: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let local = ensure(&dir, &loopback(), at(0)).unwrap();
                    local.files.load().unwrap();
                    both(&dir)
                })
            })
            .collect();
        let ended = starters.into_iter().map(|starter| starter.join().unwrap());
        ended.collect()
    });
    assert_eq!(seen.len(), 1);
}
