//! Amazon's registries: one user, and a password that lasts half a day.

use super::{
    About::{Password, Username},
    Findings, Login,
};

/// The only user of a private or public registry.
const USER: &str = "AWS";

/// What AWS' partitions put behind the region.
const DOMAINS: [&str; 9] = [
    "amazonaws.com",
    "amazonaws.com.cn",
    "amazonaws.eu",
    "on.aws",
    "on.amazonwebservices.com.cn",
    "sc2s.sgov.gov",
    "c2s.ic.gov",
    "cloud.adc-e.uk",
    "csp.hci.ic.gov",
];

/// The first letters of access key ids, of 20 in all.
const ACCESS_KEYS: [&str; 5] = ["AKIA", "ASIA", "ABIA", "ACCA", "A3T"];

/// `<account>.dkr.ecr[-fips].<region>.<domain>`, also `dkr-ecr`, as `ecr-credential-provider` takes it; and the public one.
pub(super) fn is_host(host: &str) -> bool {
    if matches!(host, "public.ecr.aws" | "ecr-public.aws.com") {
        return true;
    }
    let Some((account, rest)) = host.split_once('.') else {
        return false;
    };
    let rest = rest
        .strip_prefix("dkr.ecr")
        .or_else(|| rest.strip_prefix("dkr-ecr"));
    let Some(rest) = rest else { return false };
    let rest = rest.strip_prefix("-fips").unwrap_or(rest);
    let region = rest.strip_prefix('.').and_then(|rest| rest.split_once('.'));
    let is_account = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
    is_account
        && region.is_some_and(|(region, domain)| !region.is_empty() && DOMAINS.contains(&domain))
}

pub(super) fn check(login: &Login<'_>, found: &mut Findings) {
    if login.username != USER && !login.username.is_empty() {
        found.error(
            Username,
            "the user of an ECR registry is AWS, whoever asked for the token: give the user AWS",
        );
    }
    let password = login.password_text();
    let is_key = password.len() == 20 && ACCESS_KEYS.iter().any(|key| password.starts_with(key));
    if is_key || is_secret_key(password) {
        found.hint(
            Password,
            "the password looks like an access key; ECR wants a token: aws ecr get-login-password",
        );
    } else {
        found.short_lived(
            "a token of ECR lasts 12 hours: the pull secret has to be renewed, or the nodes given a role",
        );
    }
}

/// 40 characters of base64, as secret access keys have.
fn is_secret_key(password: &str) -> bool {
    let of_key = |b: u8| b.is_ascii_alphanumeric() || b"/+=".contains(&b);
    password.len() == 40 && password.bytes().all(of_key)
}
