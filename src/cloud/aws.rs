//! AWS: passwords of ECR, for keys that somebody gave or for the identity that cotter runs with. AWS' own library finds that
//! identity and signs; the one request is sent from here.

use std::{error::Error, time::SystemTime};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::{Credentials, provider::ProvideCredentials as _};
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use aws_types::service_config::ServiceConfigKey;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::Request;
use jiff::Timestamp;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::reply;
use crate::{
    domain::registry_kind::{Given, TokenService},
    registry::client::Client,
};

/// The user of all passwords.
pub const USER: &str = "AWS";

/// The one request, in AWS' JSON 1.1.
const TYPE: (&str, &str) = ("content-type", "application/x-amz-json-1.1");
const TARGET: (&str, &str) = (
    "x-amz-target",
    "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken",
);
const BODY: &[u8] = b"{}";

/// A password, and the registry that it is for.
#[derive(Clone)]
pub struct Password {
    /// Of the registry; twelve figures.
    pub account: String,
    /// The password itself.
    pub text: Zeroizing<Vec<u8>>,
    /// When it ends.
    pub ends: Timestamp,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    authorization_data: Vec<Data>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    authorization_token: Zeroizing<String>,
    /// Seconds since 1970.
    expires_at: f64,
    proxy_endpoint: String,
}

/// A new password for the keys of `given`; for the identity that cotter runs with where it has none.
///
/// # Errors
/// What AWS says, without any part of the keys.
pub async fn password(
    client: &Client,
    service: &TokenService,
    given: &Given,
) -> Result<Password, String> {
    let region = Region::new(service.region.to_string());
    let config = aws_config::defaults(BehaviorVersion::latest()).region(region);
    let config = config.load().await;
    let credentials = credentials(&config, given).await?;
    let url = endpoint(&config, service)?;
    let request = signed(&url, service, credentials)
        .map_err(|error| format!("the request cannot be signed: {}", said(&*error)))?;
    let answer = client.send(request).await?;
    let answer: Answer = reply::read(&url, &answer)?;
    let data = answer.authorization_data.first();
    data.and_then(read)
        .ok_or_else(|| format!("{url} answered without a password that can be read"))
}

async fn credentials(config: &SdkConfig, given: &Given) -> Result<Credentials, String> {
    if let Given::AwsKeys {
        access_key_id,
        secret_access_key,
        session_token,
    } = given
    {
        let session = session_token.as_ref().map(|token| token.to_string());
        let (id, secret) = (access_key_id.as_str(), secret_access_key.as_str());
        return Ok(Credentials::new(id, secret, session, None, "cotter"));
    }
    let provider = config.credentials_provider();
    let provider = provider.ok_or("no identity is configured")?;
    let found = provider.provide_credentials().await;
    found.map_err(|error| format!("no identity is found: {}", said(&error)))
}

/// Where AWS' own variables and files say that ECR is, and else where everybody's is.
fn endpoint(config: &SdkConfig, service: &TokenService) -> Result<String, String> {
    let key = ServiceConfigKey::builder()
        .service_id("ECR")
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build()
        .map_err(|error| error.to_string())?;
    let written = config.service_config().and_then(|own| own.load_config(key));
    Ok(written.unwrap_or_else(|| {
        let fips = config.use_fips().unwrap_or_default();
        let dual_stack = config.use_dual_stack().unwrap_or_default();
        format!("https://{}", service.host_for(fips, dual_stack))
    }))
}

fn signed(
    url: &str,
    service: &TokenService,
    credentials: Credentials,
) -> Result<Request<Bytes>, Box<dyn Error + Send + Sync>> {
    let identity = credentials.into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(&service.region)
        .name("ecr")
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()?
        .into();
    let mut request = Request::post(url)
        .header(TYPE.0, TYPE.1)
        .header(TARGET.0, TARGET.1)
        .body(Bytes::from_static(BODY))?;
    let whole = request.uri().to_string();
    let headers = [TYPE, TARGET].into_iter();
    let signable = SignableRequest::new("POST", whole, headers, SignableBody::Bytes(BODY))?;
    let (instructions, _) = sign(signable, &params)?.into_parts();
    instructions.apply_to_request_http1x(&mut request);
    Ok(request)
}

fn read(data: &Data) -> Option<Password> {
    let decoded = BASE64_STANDARD.decode(data.authorization_token.as_bytes());
    let decoded = Zeroizing::new(decoded.ok()?);
    let password = decoded.strip_prefix(b"AWS:")?;
    let endpoint = &data.proxy_endpoint;
    let host = endpoint
        .split_once("://")
        .map_or(&**endpoint, |(_, host)| host);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a moment far beyond all times is none"
    )]
    let ends = data.expires_at as i64;
    Some(Password {
        account: host.split('.').next()?.to_owned(),
        text: Zeroizing::new(password.to_vec()),
        ends: Timestamp::from_second(ends).ok()?,
    })
}

/// The error with its causes, in one line. AWS' own texts name no key.
fn said(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = error.source();
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn data(token: &str) -> Data {
        Data {
            authorization_token: Zeroizing::new(BASE64_STANDARD.encode(token)),
            expires_at: 43_200.5,
            proxy_endpoint: "https://123456789012.dkr.ecr.eu-central-1.amazonaws.com".to_owned(),
        }
    }

    #[test]
    fn a_password_is_for_the_account_of_its_endpoint() {
        let read = read(&data("AWS:se:cret")).unwrap();
        assert_eq!(read.account, "123456789012");
        assert_eq!(&**read.text, b"se:cret");
        assert_eq!(read.ends.as_second(), 43_200);
    }

    #[rstest]
    #[case::another_user("me:secret")]
    #[case::no_user("secret")]
    fn what_is_no_password_of_ecr_is_not_taken(#[case] token: &str) {
        assert!(read(&data(token)).is_none());
    }

    #[test]
    fn a_request_is_signed_for_ecr_in_its_region_with_what_makes_keys_temporary() {
        let service = TokenService {
            region: "eu-central-1".into(),
            host: "api.ecr.eu-central-1.amazonaws.com".to_owned(),
        };
        let session = Some("session".to_owned());
        let keys = Credentials::new("AKIAIOSFODNN7EXAMPLE", "secret", session, None, "test");
        let request = signed(&format!("https://{}", service.host), &service, keys).unwrap();
        let header = |name: &str| request.headers()[name].to_str().unwrap().to_owned();
        let signature = header("authorization");
        assert!(
            signature.contains("Credential=AKIAIOSFODNN7EXAMPLE/"),
            "{signature}"
        );
        assert!(
            signature.contains("/eu-central-1/ecr/aws4_request"),
            "{signature}"
        );
        let headers =
            "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target";
        assert!(signature.contains(headers), "{signature}");
        assert_eq!(header("x-amz-security-token"), "session");
        assert_eq!(header("x-amz-target"), TARGET.1);
    }
}
