use proptest::prelude::*;
use rstest::rstest;

use super::*;

const HEX: &str = "4f0c2f1a9b3e4f0c2f1a9b3e4f0c2f1a9b3e4f0c2f1a9b3e4f0c2f1a9b3e4f0c";

#[rstest]
#[case::host_and_owner("GHCR.IO/ByteQuester/App:Dev", "ghcr.io/bytequester/app:Dev")]
#[case::upper_case_alone_is_no_host("ByteQuester/App", "bytequester/app")]
#[case::a_port_makes_a_host("Registry:5000/App", "registry:5000/app")]
#[case::localhost_in_any_case("LocalHost/App", "localhost/app")]
#[case::nginx_stays_short("nginx", "nginx")]
#[case::one_component_with_a_tag("NginX:Alpine", "nginx:Alpine")]
#[case::older_hub_name_stays("index.docker.io/Library/nginx", "index.docker.io/library/nginx")]
#[case::white_space(" \tghcr.io/a/b:1\n", "ghcr.io/a/b:1")]
#[case::ipv6("[2001:DB8::1]:5000/Repo:T", "[2001:db8::1]:5000/repo:T")]
fn canonicalises(#[case] text: &str, #[case] expected: &str) {
    let canonical = canonicalise(text, false).unwrap();
    assert_eq!(canonical.text, expected);
    assert_eq!(canonical.changed, text != expected);
    assert_eq!(canonical.reference, Reference::parse(expected).unwrap());
}

#[rstest]
#[case::short("nginx", "docker.io/library/nginx")]
#[case::owner("ByteQuester/app:1", "docker.io/bytequester/app:1")]
#[case::older_hub_name("index.docker.io/nginx", "docker.io/library/nginx")]
#[case::full_already("ghcr.io/a/b", "ghcr.io/a/b")]
fn qualifies(#[case] text: &str, #[case] expected: &str) {
    let canonical = canonicalise(text, true).unwrap();
    assert_eq!(canonical.text, expected);
    assert_eq!(canonical.spelled_repository(), canonical.repository());
}

#[rstest]
#[case::hub_library("nginx", true)]
#[case::hub_owner("bytequester/app", true)]
#[case::hub_owner_in_upper_case("ByteQuester/app", true)]
#[case::a_host_without_a_slash_is_a_name("ghcr.io", true)]
#[case::hub_written("docker.io/nginx", false)]
#[case::older_hub_name("index.docker.io/nginx", false)]
#[case::host("ghcr.io/a/b", false)]
#[case::localhost("localhost/a", false)]
fn tells_short_names(#[case] text: &str, #[case] short: bool) {
    assert_eq!(canonicalise(text, false).unwrap().short, short);
}

#[rstest]
#[case::keeps_the_spelling("nginx", Some("1"), "nginx:1")]
#[case::replaces_the_tag("Nginx:dev", Some("sha-1"), "nginx:sha-1")]
#[case::drops_the_tag("ghcr.io/a/b:dev", None, "ghcr.io/a/b")]
#[case::a_port_is_no_tag("reg:5000/a", Some("1"), "reg:5000/a:1")]
fn pins(#[case] text: &str, #[case] tag: Option<&str>, #[case] name: &str) {
    let digest = Digest::parse(&format!("sha256:{HEX}")).unwrap();
    let pinned = canonicalise(text, false).unwrap().pinned(tag, &digest);
    assert_eq!(pinned, format!("{name}@sha256:{HEX}"));
}

#[rstest]
#[case::empty("", ReferenceError::Format)]
#[case::scheme("https://ghcr.io/a/b", ReferenceError::Format)]
#[case::kelvin_sign_is_no_k("nginx/\u{212a}", ReferenceError::UpperCase("nginx/\u{212a}".into()))]
#[case::digest_in_upper_case(
    &format!("a@sha256:{}", HEX.to_uppercase()),
    ReferenceError::Digest(DigestError::Format)
)]
fn refuses_even_so(#[case] text: &str, #[case] expected: ReferenceError) {
    assert_eq!(canonicalise(text, false).unwrap_err(), expected);
}

#[rstest]
#[case::plain("ghcr.io/a/b", ("ghcr.io", "a/b"))]
#[case::hub("nginx", ("docker.io", "library/nginx"))]
#[case::a_host_with_an_underscore("example_host.com/a/b", ("example_host.com", "a/b"))]
fn endpoints(#[case] text: &str, #[case] expected: (&str, &str)) {
    assert_eq!(Reference::parse(text).unwrap().endpoint(), expected);
}

/// Texts that are references more often than not.
fn nearly_reference() -> impl Strategy<Value = String> {
    "( ?)([A-Za-z_.]{1,9}(:[0-9]{1,5})?/|\\[[0-9a-fA-F:]{1,6}\\]/|localhost/)?[A-Za-z0-9._-]{1,9}(/[a-zA-Z0-9_.-]{1,9}){0,2}(:[A-Za-z0-9_.-]{0,9})?(@sha256:[0-9a-f]{64})?"
}

proptest! {
    #[test]
    fn any_text_is_answered(text in any::<String>(), qualify in any::<bool>()) {
        let _ = Reference::parse(&text);
        let _ = canonicalise(&text, qualify);
    }

    #[test]
    fn normalising_twice_changes_nothing(text in nearly_reference()) {
        if let Ok(reference) = Reference::parse(&text) {
            prop_assert_eq!(Reference::parse(reference.canonical_text()), Ok(reference));
        }
    }

    #[test]
    fn canonicalising_twice_changes_nothing(text in nearly_reference(), qualify in any::<bool>()) {
        if let Ok(once) = canonicalise(&text, qualify) {
            let twice = canonicalise(&once.text, qualify).unwrap();
            prop_assert!(!twice.changed);
            prop_assert_eq!(twice.reference, once.reference);
        }
    }

    #[test]
    fn only_letters_change(text in nearly_reference()) {
        if let Ok(canonical) = canonicalise(&text, false) {
            prop_assert!(canonical.text.eq_ignore_ascii_case(text.trim()));
        }
    }

    #[test]
    fn a_pin_is_what_was_pinned(text in nearly_reference(), qualify in any::<bool>()) {
        let digest = Digest::of(b"");
        if let Ok(canonical) = canonicalise(&text, qualify) {
            let pinned = canonicalise(&canonical.pinned(Some("t"), &digest), qualify).unwrap();
            prop_assert!(!pinned.changed);
            prop_assert_eq!(pinned.repository(), canonical.repository());
            prop_assert_eq!(pinned.reference.tag(), Some("t"));
            prop_assert_eq!(pinned.reference.digest(), Some(&digest));
        }
    }
}
