use rstest::rstest;

use super::*;
use crate::tls::{authority::Authority, leaf};

const HOUR: Duration = Duration::from_hours(1);

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

fn authority() -> Authority {
    Authority::make("cotter", now(), HOUR).unwrap()
}

#[test]
fn a_bundle_is_read_as_it_was_written_whatever_stands_between() {
    let (one, two) = (authority(), authority());
    let both = vec![one.der().clone(), two.der().clone()];
    assert_eq!(read(write(&both).as_bytes()), both);
    let noisy = format!(
        "# ours\n{}junk\n-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n{}{}",
        one.pem(),
        two.pem(),
        one.pem()
    );
    assert_eq!(read(noisy.as_bytes()), both);
    for nothing in ["", "x", "-----BEGIN CERTIFICATE-----\n"] {
        assert!(read(nothing.as_bytes()).is_empty(), "{nothing}");
    }
}

#[rstest]
#[case::trusted(&[0], "a.svc", 0, Ok(()))]
#[case::among_others(&[1, 0], "a.svc", 0, Ok(()))]
#[case::nobody(&[], "a.svc", 0, Err(Distrust::Empty))]
#[case::another(&[1], "a.svc", 0, Err(Distrust::Unknown))]
#[case::another_host(&[0], "b.svc", 0, Err(Distrust::Host))]
#[case::over(&[0], "a.svc", 7200, Err(Distrust::Time))]
fn a_certificate_is_judged_as_the_api_server_does(
    #[case] bundle: &[usize],
    #[case] host: &str,
    #[case] later: u64,
    #[case] expected: Result<(), Distrust>,
) {
    let authorities = [authority(), authority()];
    let served = leaf::sign(&authorities[0], &["a.svc".parse().unwrap()], now(), HOUR).unwrap();
    let chain = read(served.pem.as_bytes());
    let bundle: Vec<Ca> = bundle
        .iter()
        .map(|&one| authorities[one].der().clone())
        .collect();
    let at = now() + Duration::from_secs(later);
    assert_eq!(
        verifies(&bundle, &chain, &host.parse().unwrap(), at),
        expected
    );
}
