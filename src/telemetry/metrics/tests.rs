use super::*;

#[test]
fn hosts_are_bounded() {
    let metrics = Metrics::default();
    for n in 0..=MOST_HOSTS {
        metrics.registry_request(&format!("h{n}.example"), Ended::Ok, Duration::ZERO);
    }
    let text = metrics.encode();
    assert!(text.contains(r#"host="h99.example""#), "{text}");
    assert!(text.contains(r#"host="other""#) && !text.contains("h100.example"));
}

#[test]
fn in_flight_ends_with_its_guard() {
    let metrics = Metrics::default();
    let guard = metrics.in_flight();
    assert!(metrics.encode().contains("cotter_admissions_in_flight 1"));
    drop(guard);
    assert!(metrics.encode().contains("cotter_admissions_in_flight 0"));
}
