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

/// The host of a private registry, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::domain) struct EcrHost<'a> {
    /// Twelve figures.
    pub(in crate::domain) account: &'a str,
    /// Whether it is one that FIPS 140 was validated for.
    pub(in crate::domain) fips: bool,
    pub(in crate::domain) region: &'a str,
}

/// `<account>.dkr.ecr[-fips].<region>.<domain>`, also `dkr-ecr`, as `ecr-credential-provider` takes it; and the public one.
pub(super) fn is_host(host: &str) -> bool {
    is_public(host) || EcrHost::parse(host).is_some()
}

/// Whether it is the host of the public registry.
pub(in crate::domain) fn is_public(host: &str) -> bool {
    matches!(host, "public.ecr.aws" | "ecr-public.aws.com")
}

/// Whether a host, in lower case, is somewhere at AWS.
pub(in crate::domain) fn is_amazon(host: &str) -> bool {
    let below = |domain: &&str| {
        host.strip_suffix(*domain)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    is_public(host) || DOMAINS.iter().any(below)
}

/// Whether it is the number of an account.
pub(in crate::domain) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// Whether an access key id has one of the known prefixes and the alphabet of the rest.
pub(in crate::domain) fn is_access_key_id(text: &str) -> bool {
    let of_id = |b: u8| b.is_ascii_uppercase() || (b'2'..=b'7').contains(&b);
    let is_known = ACCESS_KEYS.iter().any(|key| text.starts_with(key));
    // A3T is followed by a letter or figure of its own.
    let rest = text.get(4..).filter(|rest| rest.len() == 16);
    is_known && rest.is_some_and(|rest| rest.bytes().all(of_id))
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
pub(in crate::domain) fn is_secret_key(password: &str) -> bool {
    let of_key = |b: u8| b.is_ascii_alphanumeric() || b"/+=".contains(&b);
    password.len() == 40 && password.bytes().all(of_key)
}

// === impl EcrHost ===

impl<'a> EcrHost<'a> {
    /// Takes a host in lower case apart; `None` where it is not that of a private registry.
    pub(in crate::domain) fn parse(host: &'a str) -> Option<Self> {
        let (account, rest) = host.split_once('.')?;
        let rest = rest
            .strip_prefix("dkr.ecr")
            .or_else(|| rest.strip_prefix("dkr-ecr"))?;
        let (fips, rest) = match rest.strip_prefix("-fips") {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let (region, domain) = rest.strip_prefix('.')?.split_once('.')?;
        let is_whole = is_account(account) && !region.is_empty() && DOMAINS.contains(&domain);
        is_whole.then_some(Self {
            account,
            fips,
            region,
        })
    }
}
