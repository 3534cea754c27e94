mod types;

use rstest::rstest;

use super::*;

const NOW: &str = "2026-06-01T00:00:00Z";

/// `{"exp": 1767225600, "aud": "x.azurecr.io"}`: the first of January 2026.
const OLD_TOKEN: &str =
    "eyJhbGciOiJub25lIn0.eyJleHAiOjE3NjcyMjU2MDAsImF1ZCI6InguYXp1cmVjci5pbyJ9.c2ln";

/// `{"exp": 1893456000, "aud": "x.azurecr.io"}`: the first of January 2030.
const TOKEN: &str = "eyJhbGciOiJub25lIn0.eyJleHAiOjE4OTM0NTYwMDAsImF1ZCI6InguYXp1cmVjci5pbyJ9.c2ln";

const ZERO: &str = "00000000-0000-0000-0000-000000000000";

fn findings(server: &str, username: &str, password: &str) -> Vec<Finding> {
    let login = Login {
        server,
        username,
        password: password.as_bytes(),
    };
    check(&login, NOW.parse().unwrap())
}

/// The findings of a login, `error: …` or `hint: …` each.
fn told(server: &str, username: &str, password: &str) -> Vec<String> {
    let found = findings(server, username, password);
    let line = |finding: &Finding| {
        let severity = match finding.severity {
            Severity::Error => "error",
            Severity::Hint => "hint",
            Severity::ShortLived => "short",
        };
        format!("{severity}: {}", finding.text)
    };
    found.iter().map(line).collect()
}

/// The first finding begins so, or there is none.
fn holds(told: &[String], expected: Option<&str>) {
    match (told, expected) {
        ([], None) => {}
        ([one, ..], Some(start)) if one.starts_with(start) => {}
        _ => panic!("expected {expected:?}, told {told:#?}"),
    }
}

#[rstest]
#[case::ghcr("ghcr.io", RegistryType::Ghcr)]
#[case::ghcr_below_a_path("https://ghcr.io/acme/", RegistryType::Ghcr)]
#[case::github_enterprise("containers.acme.ghe.com", RegistryType::Ghcr)]
#[case::hub("https://index.docker.io/v1/", RegistryType::DockerHub)]
#[case::ecr("123456789012.dkr.ecr.eu-west-1.amazonaws.com", RegistryType::Ecr)]
#[case::ecr_in_china("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", RegistryType::Ecr)]
#[case::ecr_fips(
    "123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com",
    RegistryType::Ecr
)]
#[case::ecr_dual_stack("123456789012.dkr-ecr.eu-west-1.on.aws", RegistryType::Ecr)]
#[case::ecr_of_eleven_figures("12345678901.dkr.ecr.eu-west-1.amazonaws.com", RegistryType::Custom)]
#[case::ecr_of_somebody_else(
    "123456789012.dkr.ecr.eu-west-1.amazonaws.com.evil.test",
    RegistryType::Custom
)]
#[case::acr("myregistry-abc.azurecr.io", RegistryType::Acr)]
#[case::acr_of_somebody_else("x.azurecr.io.evil.test", RegistryType::Custom)]
#[case::gcr("eu.gcr.io", RegistryType::Google)]
#[case::gar("europe-west1-docker.pkg.dev", RegistryType::Google)]
#[case::quay("quay.io", RegistryType::Quay)]
#[case::harbor("harbor.corp.test:8443", RegistryType::Harbor)]
#[case::gitlab("registry.gitlab.com", RegistryType::GitLab)]
#[case::artifactory("acme.jfrog.io", RegistryType::Artifactory)]
#[case::any_other("registry.corp.test:5000", RegistryType::Custom)]
fn a_type_is_told_from_the_server(#[case] server: &str, #[case] expected: RegistryType) {
    assert_eq!(RegistryType::of_server(server), expected);
}

#[rstest]
#[case::host("r.test", None)]
#[case::port("r.test:5000", None)]
#[case::localhost("localhost:5000", None)]
#[case::path("r.test/team/", None)]
#[case::path_like_the_api("r.test/v2/v2/v1/", None)]
#[case::scheme("https://r.test", None)]
#[case::organisation_on_hub("docker.io/acme/", None)]
#[case::ip_version_6("[fd00::1]:5000", None)]
#[case::nothing("", Some("error: the server is empty"))]
#[case::no_host("not a host", Some("error: the server is no host to the kubelet"))]
#[case::a_tag(
    "r.test/team/app:1",
    Some("error: no image matches the key r.test/team/app:1: a key has no tag")
)]
#[case::upper_case_path(
    "r.test/Team/",
    Some(
        "error: no image matches the key r.test/Team/: repositories are in lower case: write r.test/team/"
    )
)]
#[case::no_dot(
    "registry",
    Some("error: no image matches the key registry: an image registry/app is Docker Hub's")
)]
#[case::hub_without_a_slash(
    "https://index.docker.io/v1",
    Some(
        "error: no image matches the key index.docker.io/v1: the key of Docker Hub is https://index.docker.io/v1/"
    )
)]
#[case::organisation_below_the_index(
    "index.docker.io/acme",
    Some(
        "error: no image matches the key index.docker.io/acme: the key of Docker Hub is https://index.docker.io/v1/, that of one organisation docker.io/acme/"
    )
)]
#[case::hub_website(
    "hub.docker.com",
    Some("error: no image matches the key hub.docker.com: the key of Docker Hub")
)]
#[case::hub_wildcard(
    "*.docker.io",
    Some("error: no image matches the key *.docker.io: the key of Docker Hub")
)]
#[case::not_ascii(
    "bücher.test",
    Some("error: no image matches the key bücher.test: an image cannot begin like that")
)]
#[case::upper_case_host(
    "R.test",
    Some("hint: only images that spell the host R.test match: write r.test")
)]
#[case::wildcard("*.r.test", Some("hint: *.r.test sends the password to every host"))]
#[case::default_port(
    "r.test:443",
    Some("hint: only images that spell the port match r.test:443: write r.test")
)]
#[case::no_slash(
    "r.test/team",
    Some("hint: the key r.test/team matches r.test/team-other too")
)]
#[case::a_query(
    "https://r.test?x",
    Some("hint: what follows a ? or # in the server is dropped")
)]
#[case::a_user(
    "https://bot:hunter2@r.test",
    Some("hint: the server holds a user, which the kubelet drops")
)]
fn a_server_is_checked(#[case] server: &str, #[case] expected: Option<&str>) {
    let told = told(server, "bot", "pw");
    assert!(
        !told.iter().any(|line| line.contains("hunter2")),
        "{told:?}"
    );
    holds(&told, expected);
}

#[rstest]
#[case::usual("bot", "pw", None)]
#[case::no_user("", "pw", Some("error: the user is empty"))]
#[case::no_password("bot", "", Some("error: the password is empty"))]
#[case::a_colon(
    "u:with:colon",
    "pw",
    Some(
        "error: the user has a colon: the kubelet splits user and password at the first one, so that it would log in as \"u\" with another password"
    )
)]
#[case::a_line_break_in_the_user("bot\n", "pw", Some("hint: the user has a control character"))]
#[case::space_around_the_user(" bot", "pw", Some("hint: the user begins or ends with white space"))]
#[case::a_line_break_at_the_end("bot", "pw\n", Some("hint: the password ends with a line break"))]
#[case::space_around(
    "bot",
    " pw",
    Some("hint: the password begins or ends with white space")
)]
#[case::a_tab_within("bot", "p\tw", Some("hint: the password has a control character"))]
#[case::a_variable("bot", "${TOKEN}", Some("hint: the password looks like a variable"))]
#[case::a_secret_of_a_workflow(
    "bot",
    "${{ secrets.TOKEN }}",
    Some("hint: the password looks like a variable")
)]
#[case::a_dollar("bot", "$ecret", None)]
#[case::a_token_that_lasts("bot", TOKEN, None)]
#[case::a_token_that_has_expired(
    "bot",
    OLD_TOKEN,
    Some("hint: the token has expired at 2026-01-01T00:00:00Z")
)]
fn a_login_is_checked(
    #[case] username: &str,
    #[case] password: &str,
    #[case] expected: Option<&str>,
) {
    holds(&told("r.test", username, password), expected);
}

#[test]
fn no_finding_shows_a_password() {
    let servers = [
        "",
        "r.test",
        "ghcr.io",
        "gcr.io",
        "quay.io",
        "x.azurecr.io",
        "acme.jfrog.io",
        "registry.gitlab.com",
    ];
    for server in servers {
        for username in [
            "bot",
            "u:v",
            ZERO,
            "_json_key",
            "oauth2accesstoken",
            "org+robot",
        ] {
            for password in [
                "hunter2",
                " hunter2\n",
                "{\"type\":\"x\",\"private_key\":\"hunter2\"}",
            ] {
                for line in told(server, username, password) {
                    assert!(!line.contains("hunter2"), "{line}");
                }
            }
        }
    }
    let shown = format!(
        "{:?}",
        Login {
            server: "s",
            username: "u",
            password: b"hunter2"
        }
    );
    assert!(!shown.contains("hunter2"), "{shown}");
}
