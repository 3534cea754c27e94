//! What is checked of the logins of single types.

use rstest::rstest;

use super::{OLD_TOKEN, TOKEN, ZERO, holds, told};

#[rstest]
#[case::fine_grained(
    "ghcr.io",
    "bot",
    "github_pat_x",
    Some("hint: a fine-grained token has no rights")
)]
#[case::of_a_job(
    "ghcr.io",
    "bot",
    "ghs_x",
    Some("short: a token of GitHub Actions ends with its job")
)]
#[case::refresh(
    "ghcr.io",
    "bot",
    "ghr_x",
    Some("hint: a refresh token logs nobody in")
)]
#[case::of_github("ghcr.io", "bot", "ghp_x", None)]
#[case::a_password(
    "ghcr.io",
    "bot",
    "pw",
    Some("hint: the password does not look like a token of GitHub")
)]
#[case::hub("docker.io", "bot", "any password", None)]
#[case::ecr_user(
    "123456789012.dkr.ecr.eu-west-1.amazonaws.com",
    "aws",
    "AKIAABCDEFGHIJKLMNOP",
    Some("error: the user of an ECR")
)]
#[case::ecr_token(
    "public.ecr.aws",
    "AWS",
    "token",
    Some("short: a token of ECR lasts 12 hours")
)]
#[case::ecr_key(
    "public.ecr.aws",
    "AWS",
    "AKIAABCDEFGHIJKLMNOP",
    Some("hint: the password looks like an access key")
)]
#[case::acr_admin("x.azurecr.io", "x", "pw", None)]
#[case::acr_token(
    "x.azurecr.io",
    ZERO,
    TOKEN,
    Some("short: a refresh token of ACR lasts")
)]
#[case::acr_expired(
    "x.azurecr.io",
    ZERO,
    OLD_TOKEN,
    Some("error: the refresh token has expired at 2026-01-01T00:00:00Z")
)]
#[case::acr_of_another(
    "y.azurecr.io",
    ZERO,
    TOKEN,
    Some("error: the refresh token is for x.azurecr.io, not for y.azurecr.io")
)]
#[case::acr_no_token(
    "x.azurecr.io",
    ZERO,
    "pw",
    Some("error: the user 00000000-… goes with a refresh token")
)]
#[case::acr_unreadable(
    "x.azurecr.io",
    ZERO,
    "eyJ.a.b",
    Some("hint: the refresh token cannot be read")
)]
#[case::google_user(
    "gcr.io",
    "bot",
    "pw",
    Some("error: Google's registries know no users")
)]
#[case::google_helper("gcr.io", "_dcgcloud_token", "pw", Some("hint: the user is none of"))]
#[case::google_token(
    "gcr.io",
    "oauth2accesstoken",
    "ya29.x",
    Some("short: an access token of Google lasts an hour")
)]
#[case::google_key_as_token(
    "gcr.io",
    "oauth2accesstoken",
    "{}",
    Some("error: the user oauth2accesstoken goes with")
)]
#[case::google_no_json(
    "gcr.io",
    "_json_key",
    "pw",
    Some("error: the password is not the JSON")
)]
#[case::google_of_a_person(
    "gcr.io",
    "_json_key",
    r#"{"type":"authorized_user"}"#,
    Some("error: the key is of type \"authorized_user\"")
)]
#[case::google_half(
    "gcr.io",
    "_json_key",
    r#"{"type":"service_account"}"#,
    Some("hint: the key has no project_id, private_key_id, private_key, client_email, token_uri")
)]
#[case::google_no_base64(
    "gcr.io",
    "_json_key_base64",
    "{}",
    Some("error: the user _json_key_base64 goes with")
)]
#[case::google_base64(
    "gcr.io",
    "_json_key_base64",
    "e30=",
    Some("hint: the key names no type")
)]
#[case::quay_robot(
    "quay.io",
    "org+Robot",
    "0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF",
    Some("hint: a robot of Quay is")
)]
#[case::quay_token(
    "quay.io",
    "org+robot",
    "TOK",
    Some("hint: the password does not look like a robot's token")
)]
#[case::quay_person("quay.io", "me", "pw", None)]
#[case::harbor_robot("harbor.test", "robot$ci", "pw", None)]
#[case::harbor_shell(
    "harbor.test",
    "robot+ci",
    "pw",
    Some("hint: a robot of Harbor is robot$name")
)]
#[case::gitlab_job(
    "registry.gitlab.com",
    "gitlab-ci-token",
    "x",
    Some("short: a token of a CI job ends with it")
)]
#[case::gitlab_mixed(
    "registry.gitlab.com",
    "gitlab+deploy-token-1",
    "glpat-x",
    Some("hint: the user is a deploy token's")
)]
#[case::gitlab_deploy("registry.gitlab.com", "gitlab+deploy-token-1", "gldt-x", None)]
#[case::gitlab_deploy_by_name(
    "registry.gitlab.com",
    "me",
    "gldt-x",
    Some("hint: the password is a deploy token")
)]
#[case::gitlab_password(
    "registry.gitlab.com",
    "me",
    "pw",
    Some("hint: the password does not look like a token of GitLab")
)]
#[case::artifactory_cut(
    "acme.jfrog.io",
    "me",
    "AKCpx",
    Some("hint: the password looks like an API key of Artifactory, but those have 73")
)]
#[case::artifactory_password("acme.jfrog.io", "me", "pw", None)]
fn a_login_of_a_type_is_checked(
    #[case] server: &str,
    #[case] username: &str,
    #[case] password: &str,
    #[case] expected: Option<&str>,
) {
    holds(&told(server, username, password), expected);
}

#[test]
fn a_whole_service_account_key_is_fine_and_a_strange_one_told() {
    let key = |uri: &str, email: &str| {
        serde_json::json!({
            "type": "service_account", "project_id": "p", "private_key_id": "k",
            "private_key": "-----BEGIN PRIVATE KEY-----\nAA\n-----END PRIVATE KEY-----\n",
            "client_email": email, "token_uri": uri,
        })
        .to_string()
    };
    let usual = key(
        "https://oauth2.googleapis.com/token",
        "ci@p.iam.gserviceaccount.com",
    );
    holds(&told("gcr.io", "_json_key", &usual), None);
    let file = usual + "\n";
    holds(&told("gcr.io", "_json_key", &file), None);
    let elsewhere = key(
        "https://oauth2.googleapis.com.evil.test/t",
        "ci@p.iam.gserviceaccount.com",
    );
    holds(
        &told("gcr.io", "_json_key", &elsewhere),
        Some("hint: the key's token_uri is not Google's"),
    );
    for trick in [
        "https://evil.test?.googleapis.com",
        "https://evil.test#.googleapis.com",
        "https://evil.test\\.googleapis.com",
        "https://me@evil.test:x.googleapis.com",
    ] {
        let elsewhere = key(trick, "ci@p.iam.gserviceaccount.com");
        holds(
            &told("gcr.io", "_json_key", &elsewhere),
            Some("hint: the key's token_uri is not Google's"),
        );
    }
    let person = key("https://oauth2.googleapis.com/token", "me@example.com");
    holds(
        &told("gcr.io", "_json_key", &person),
        Some("hint: the key's client_email is no service account's"),
    );
}
