use proptest::prelude::*;
use rstest::rstest;

use super::*;

#[rstest]
#[case::scheme_and_version("https://index.docker.io/v1/", "index.docker.io")]
#[case::version_without_its_slash("ghcr.io/v1", "ghcr.io/v1")]
#[case::slash("ghcr.io/", "ghcr.io")]
#[case::user_query_fragment("u:p@ghcr.io/a?b#c", "ghcr.io/a")]
#[case::case_is_kept("GHCR.IO", "GHCR.IO")]
#[case::port_is_kept("https://ghcr.io:443", "ghcr.io:443")]
#[case::names_outside_ascii_are_kept("bücher.example", "bücher.example")]
#[case::dots_are_kept("a/x/../b", "a/x/../b")]
#[case::path_is_decoded_once("a/%2561", "a/%61")]
#[case::escaped_host("b%c3%bccher.example", "bücher.example")]
#[case::zone("[fe80::1%25eth0]:5000", "[fe80::1%eth0]:5000")]
#[case::scheme_in_upper_case_is_a_host("HTTPS://ghcr.io", "HTTPS://ghcr.io")]
fn prepares(#[case] server: &str, #[case] expected: &str) {
    assert_eq!(RegistryKey::prepare(server).unwrap().as_str(), expected);
}

#[rstest]
#[case::space("ghcr.io ")]
#[case::tab("\tghcr.io")]
#[case::backslash("ghcr.io\\a")]
#[case::bracket("gh[a-z]r.io")]
#[case::port_of_letters("ghcr.io:http")]
#[case::two_ports("ghcr.io:80:80")]
#[case::escaped_letter_in_the_host("%67hcr.io")]
#[case::broken_escape("ghcr.io/%zz")]
#[case::broken_escape_in_the_fragment("ghcr.io#%zz")]
#[case::user_with_a_space("u p@ghcr.io")]
#[case::ipv4_in_brackets("[1.2.3.4]")]
#[case::empty_zone("[::1%25]")]
fn drops(#[case] server: &str) {
    assert_eq!(RegistryKey::prepare(server), None);
}

#[rstest]
#[case::whole_label("*.gcr.io", "eu.gcr.io/p", true)]
#[case::part_of_a_label("u*.g*r.io", "us.gcr.io/p", true)]
#[case::label_count("*.gcr.io", "gcr.io/p", false)]
#[case::prefix_without_boundary("ghcr.io/a", "ghcr.io/ab/c", true)]
#[case::boundary("ghcr.io/a/", "ghcr.io/ab/c", false)]
#[case::ports_are_no_globs("*.io:*", "ghcr.io:5000/a", false)]
#[case::decoded_twice("a.io/%2561", "a.io/a", true)]
#[case::decoded_into_a_broken_escape("a.io/%25zz", "a.io/%zz", false)]
#[case::decoded_into_a_query("a.io/%3fx", "a.io/b", true)]
#[case::decoded_into_a_control("a.io/%0a", "a.io/b", false)]
#[case::ipv6_with_port("[::1]:5000", "[::1]:5000/a", true)]
#[case::ipv6_alone_is_a_class("[::1]", "[::1]/a", false)]
fn matches_as_the_kubelet_does(
    #[case] server: &str,
    #[case] lookup_name: &str,
    #[case] expected: bool,
) {
    let key = RegistryKey::prepare(server);
    assert_eq!(key.is_some_and(|key| key.matches(lookup_name)), expected);
}

#[test]
fn keys_outside_utf8_sort_by_their_bytes() {
    let key = |server| RegistryKey::prepare(server).unwrap();
    assert_eq!(key("a/%ff").as_bytes(), b"a/\xff");
    assert!(key("a/%ff") > key("a/\u{10ffff}"));
}

proptest! {
    #[test]
    fn any_key_is_answered(server in any::<String>(), image in any::<String>()) {
        if let Some(key) = RegistryKey::prepare(&server) {
            let _ = key.matches(&image);
        }
    }

    #[test]
    fn any_glob_is_answered(pattern in "[a\\[\\]^*?\\\\-]{0,12}", label in "[a-c-]{0,8}") {
        shell_glob::matches(pattern.as_bytes(), label.as_bytes());
    }

    #[test]
    fn a_literal_matches_itself(label in "[a-z0-9-]{1,12}") {
        let with_star = label.clone() + "*";
        prop_assert!(shell_glob::matches(label.as_bytes(), label.as_bytes()));
        prop_assert!(shell_glob::matches(with_star.as_bytes(), label.as_bytes()));
    }
}
