//! When a credential stops working, as far as it says so itself or its kind is known to live for so long (facts §7).

use std::time::Duration;

use base64::{
    Engine as _, alphabet,
    engine::{
        DecodePaddingMode,
        general_purpose::{GeneralPurpose, GeneralPurposeConfig},
    },
};
use jiff::Timestamp;
use serde::Deserialize;

use super::{credential::Credential, registry_key::RegistryKey};

/// How long ECR's `GetAuthorizationToken` makes a password for.
const ECR_LIFE: Duration = Duration::from_hours(12);
/// How long a Google access token lives.
const GOOGLE_LIFE: Duration = Duration::from_hours(1);
/// The user that stands for a Google access token.
const GOOGLE_USER: &[u8] = b"oauth2accesstoken";
/// The user of every ECR password.
const ECR_USER: &[u8] = b"AWS";

const LAX: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LAX);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LAX);

/// When a credential ends, and how that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expiry {
    /// From then on the registry turns it away.
    pub at: Timestamp,
    /// How that is known.
    pub evidence: Evidence,
}

/// How the end of a credential is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// The password is a JSON Web Token with `exp`.
    Jwt,
    /// The password is ECR's, and holds its end.
    Ecr,
    /// ECR's passwords live 12 hours, and the Secret was written then.
    EcrAge,
    /// Google's access tokens live one hour, and the Secret was written then.
    GoogleAge,
}

#[derive(Deserialize)]
struct Claims {
    exp: Option<serde_json::Number>,
}

#[derive(Deserialize)]
struct EcrPassword {
    expiration: i64,
}

/// When the credential of an `auths` entry ends; `None` where nothing says that it does. `written`: when the Secret's
/// data was written last, where that is known.
#[must_use]
pub fn expiry(
    key: &RegistryKey,
    credential: &Credential,
    written: Option<Timestamp>,
) -> Option<Expiry> {
    let password = credential.password();
    let found = |at, evidence| Some(Expiry { at, evidence });
    if let Some(at) = jwt_end(password) {
        return found(at, Evidence::Jwt);
    }
    let aged = |life: Duration| written?.checked_add(life).ok();
    if credential.username() == ECR_USER && is_ecr(key) {
        return match ecr_end(password) {
            Some(at) => found(at, Evidence::Ecr),
            None => found(aged(ECR_LIFE)?, Evidence::EcrAge),
        };
    }
    if credential.username() == GOOGLE_USER {
        return found(aged(GOOGLE_LIFE)?, Evidence::GoogleAge);
    }
    None
}

/// `exp` of a JSON Web Token (RFC 7519 §4.1.4: seconds, perhaps with a fraction).
fn jwt_end(password: &[u8]) -> Option<Timestamp> {
    let mut parts = password.split(|b| *b == b'.');
    let (header, claims, _, None) = (parts.next()?, parts.next()?, parts.next()?, parts.next())
    else {
        return None;
    };
    let json = |part: &[u8]| URL_SAFE.decode(part).ok();
    serde_json::from_slice::<serde_json::Map<_, _>>(&json(header)?).ok()?;
    let claims: Claims = serde_json::from_slice(&json(claims)?).ok()?;
    let exp = claims.exp?;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a moment far beyond all times is none"
    )]
    let seconds = exp
        .as_i64()
        .or_else(|| exp.as_f64().map(|exp| exp as i64))?;
    Timestamp::from_second(seconds).ok()
}

/// `<account>.dkr.ecr.<region>.amazonaws.com` and its like in other partitions.
fn is_ecr(key: &RegistryKey) -> bool {
    let host = key.as_str().split('/').next().unwrap_or_default();
    let is_amazon = [".amazonaws.com", ".amazonaws.com.cn", ".on.aws"]
        .iter()
        .any(|end| host.ends_with(end));
    is_amazon && (host.contains(".dkr.ecr") || host.contains(".dkr-ecr"))
}

/// The password is base64 of an object that names its own end in seconds.
fn ecr_end(password: &[u8]) -> Option<Timestamp> {
    let text = STANDARD.decode(password).ok()?;
    let password: EcrPassword = serde_json::from_slice(&text).ok()?;
    Timestamp::from_second(password.expiration).ok()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const ECR: &str = "123456789012.dkr.ecr.eu-central-1.amazonaws.com";

    fn found(
        key: &str,
        user: &str,
        password: &str,
        written: Option<i64>,
    ) -> Option<(i64, Evidence)> {
        let key = RegistryKey::prepare(key).unwrap();
        let written = written.map(|at| Timestamp::from_second(at).unwrap());
        let found = expiry(&key, &Credential::new(user, password), written)?;
        Some((found.at.as_second(), found.evidence))
    }

    fn jwt(claims: &str) -> String {
        let part = |text: &str| URL_SAFE.encode(text).trim_end_matches('=').to_owned();
        format!("{}.{}.c2ln", part(r#"{"alg":"RS256"}"#), part(claims))
    }

    #[rstest]
    #[case::whole_seconds(r#"{"exp":1700000000,"sub":"x"}"#, Some((1_700_000_000, Evidence::Jwt)))]
    #[case::with_a_fraction(r#"{"exp":1700000000.5}"#, Some((1_700_000_000, Evidence::Jwt)))]
    #[case::without_an_end(r#"{"sub":"x"}"#, None)]
    #[case::an_end_that_is_no_number(r#"{"exp":"soon"}"#, None)]
    fn a_json_web_token_says_it_itself(
        #[case] claims: &str,
        #[case] expected: Option<(i64, Evidence)>,
    ) {
        let user = "00000000-0000-0000-0000-000000000000";
        assert_eq!(
            found("acme.azurecr.io", user, &jwt(claims), Some(7)),
            expected
        );
    }

    #[test]
    fn an_ecr_password_says_it_itself() {
        let password = STANDARD.encode(r#"{"payload":"x","version":"2","expiration":1700000000}"#);
        let expected = Some((1_700_000_000, Evidence::Ecr));
        assert_eq!(found(ECR, "AWS", &password, Some(7)), expected);
    }

    #[rstest]
    #[case::ecr(ECR, "AWS", Some((43_207, Evidence::EcrAge)))]
    #[case::ecr_by_its_url("https://123456789012.dkr.ecr.us-gov-west-1.amazonaws.com/acme/", "AWS", Some((43_207, Evidence::EcrAge)))]
    #[case::another_user_there(ECR, "robot", None)]
    #[case::that_user_elsewhere("ghcr.io", "AWS", None)]
    #[case::google("europe-docker.pkg.dev", "oauth2accesstoken", Some((3_607, Evidence::GoogleAge)))]
    #[case::a_key_file("gcr.io", "_json_key", None)]
    fn otherwise_by_age(
        #[case] key: &str,
        #[case] user: &str,
        #[case] expected: Option<(i64, Evidence)>,
    ) {
        assert_eq!(found(key, user, "opaque", Some(7)), expected);
    }

    #[test]
    fn without_a_date_nothing_is_said() {
        assert_eq!(found(ECR, "AWS", "opaque", None), None);
    }
}
