use super::*;

#[test]
fn hosts_are_bounded() {
    let metrics = Metrics::default();
    for n in 0..=registries::MOST {
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

#[test]
fn counters_are_there_before_their_first_event() {
    let text = Metrics::default().encode();
    for series in [
        r#"cotter_admissions_total{answer="denied"} 0"#,
        r#"cotter_slots_total{outcome="unavailable"} 0"#,
        r#"cotter_cache_reads_total{cache="digest",hit="no"} 0"#,
        r#"cotter_config_reloads_total{ok="no"} 0"#,
    ] {
        assert!(text.contains(series), "{series} in\n{text}");
    }
}

#[test]
fn a_namespace_has_its_series_until_it_goes() {
    let metrics = Metrics::default();
    let shop = metrics.pods_of("shop", Mode::Enforce);
    shop.slot(SlotOutcome::NotFound);
    shop.slot(SlotOutcome::NotFound);
    shop.pod(PodAnswer::Denied);
    let text = metrics.encode();
    for series in [
        r#"cotter_namespace_slots_total{namespace="shop",mode="enforce",outcome="notFound"} 2"#,
        r#"cotter_namespace_slots_total{namespace="shop",mode="enforce",outcome="pinned"} 0"#,
        r#"cotter_namespace_pods_total{namespace="shop",mode="enforce",answer="denied"} 1"#,
    ] {
        assert!(text.contains(series), "{series} in\n{text}");
    }
    assert!(!text.contains(r#"mode="audit""#), "{text}");
    metrics.forget_namespace("shop");
    let text = metrics.encode();
    assert!(!text.contains("shop"), "{text}");
}
