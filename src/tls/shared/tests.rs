use super::*;

fn stored(data: BTreeMap<&'static str, Option<Zeroizing<Vec<u8>>>>) -> Stored {
    let data = data
        .into_iter()
        .filter_map(|(key, bytes)| Some((key.to_owned(), bytes?)));
    Stored {
        version: "1".to_owned(),
        immutable: false,
        owner: None,
        data: data.collect(),
        rotate: None,
        rotated: None,
    }
}

fn authority() -> Arc<Authority> {
    let hour = std::time::Duration::from_hours(1);
    Arc::new(Authority::make("cotter", Timestamp::now(), hour).unwrap())
}

fn full() -> Shared {
    let generation = || Generation {
        ca: Some(authority()),
        path: SecretPath::make().unwrap(),
    };
    let old = |until| Retired {
        ca: authority().der().clone(),
        until,
    };
    Shared {
        current: generation(),
        next: Some(generation()),
        retired: vec![old(1_800_000_000), old(1_900_000_000)],
        previous_path: SecretPath::make(),
    }
}

#[test]
fn what_is_written_is_read_back() {
    let all = full();
    let read = Found::decode(&stored(all.encode())).whole(true).unwrap();
    assert_eq!(read.authorities(), all.authorities());
    assert_eq!(read.authorities().len(), 4);
    assert_eq!(read.paths(), all.paths());
    assert_eq!(read.retired, all.retired);
}

#[test]
fn predecessors_can_be_read_by_a_person() {
    let text = full().encode().remove("previous.crt").unwrap().unwrap();
    let text = str::from_utf8(&text).unwrap();
    assert!(text.starts_with("trusted until 2027-01-15T08:00:00Z\n-----BEGIN CERTIFICATE-----\n"));
}

#[test]
fn faults_are_named_by_key_and_never_shown() {
    let mut all = full().encode();
    let secret = "hunter2".as_bytes().to_vec();
    all.insert("ca.key", Some(Zeroizing::new(secret.clone())));
    all.insert("previous.crt", Some(Zeroizing::new(secret.clone())));
    all.insert("next.path", None);
    let stored = stored(all);
    let found = Found::decode(&stored);
    assert_eq!(
        found.faults(true).unwrap(),
        "ca.crt, previous.crt, next.path"
    );
    assert!(found.whole(true).is_none());
    for shown in [
        format!("{found:?}"),
        format!("{stored:?}"),
        format!("{:?}", full()),
    ] {
        assert!(
            !shown.contains("hunter2") && !shown.contains("PRIVATE"),
            "{shown}"
        );
        assert!(!shown.contains(full().current.path.token()));
    }
}

#[test]
fn where_certificates_come_from_files_a_path_is_all() {
    let mut all = full().encode();
    for key in ["ca.crt", "ca.key", "next.crt", "next.key"] {
        all.insert(key, None);
    }
    let found = Found::decode(&stored(all));
    assert!(found.whole(false).is_some());
    assert_eq!(found.faults(true).unwrap(), "ca.crt, next.crt");
}
