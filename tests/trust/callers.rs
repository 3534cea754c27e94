//! Who may ask: by the path, and with a client CA by a certificate.

use crate::site::site;

#[test]
fn who_guesses_a_path_learns_nothing() {
    let site = site!();
    let replica = site.ready(&[]);
    let (bundle, path) = site.hook(0);
    let wrong = [
        "/mutate".to_owned(),
        "/".to_owned(),
        "/readyz".to_owned(),
        format!("/mutate/{}", "a".repeat(52)),
        path[..path.len() - 1].to_owned(),
        format!("{path}a"),
        format!("{path}/"),
        path.to_uppercase(),
    ];
    let mut answers = Vec::new();
    for path in &wrong {
        for method in ["POST", "GET", "PUT", "OPTIONS"] {
            let reply = replica.send(method, &site.host(), &bundle, path).unwrap();
            answers.push((reply.status, reply.headers.len(), reply.text()));
        }
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(answers[0].0, 404);
    assert_eq!(
        replica.post(&site.host(), &bundle, &path).unwrap().status,
        200
    );
}

#[test]
fn no_secret_is_shown_anywhere() {
    let site = site!();
    let replica = site.ready(&["--log-level", "trace"]);
    let (bundle, path) = site.hook(0);
    let other = format!("{}x", &path[..path.len() - 1]);
    for path in [&path, &other] {
        replica.post(&site.host(), &bundle, path).unwrap();
    }
    site.delete(&site.secret_path());
    crate::site::eventually("the secret", || site.secret());
    let key = site.shared("ca.key");
    let inside = key.lines().nth(1).unwrap().to_owned();
    let secrets = [site.shared("path"), inside];
    let shown = [
        replica.process.log(),
        replica.ops("/metrics").1,
        replica.ops("/readyz?verbose").1,
    ];
    for text in &shown {
        assert!(!text.is_empty());
        for secret in &secrets {
            assert!(!text.contains(secret.as_str()), "{text}");
        }
        assert!(!text.contains("PRIVATE KEY"), "{text}");
    }
}
