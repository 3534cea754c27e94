//! Amazon's private registries: an account's in a region. Its passwords last half a day, and AWS makes them for a key or
//! for the identity that cotter runs with.

use smol_str::SmolStr;
use zeroize::Zeroizing;

use super::{
    Address, Field, Given, Hint, Problem, Rules, Wanted, host_of_type, scope, secret::Keys,
};
use crate::domain::registry_type::{
    RegistryType,
    amazon::{self, EcrHost},
};

const NAME: &str = "ECR";
const ID: &str = "accessKeyId";
const SECRET: &str = "secretAccessKey";
const SESSION: &str = "sessionToken";

/// What the regions of AWS' partitions begin with, and the domain of each (botocore's `partitions.json`).
const PARTITIONS: [(&str, &str); 6] = [
    ("cn-", "amazonaws.com.cn"),
    ("eusc-", "amazonaws.eu"),
    ("us-iso-", "c2s.ic.gov"),
    ("us-isob-", "sc2s.sgov.gov"),
    ("us-isof-", "csp.hci.ic.gov"),
    ("eu-isoe-", "cloud.adc-e.uk"),
];
/// The domain of all other regions.
const AWS: &str = "amazonaws.com";

pub(super) const RULES: Rules = Rules {
    name: NAME,
    registry_type: Some(RegistryType::Ecr),
    host,
    key: scope::key,
    keys: &[ID, SECRET, SESSION],
    login: None,
    given,
    // What a repository is called, only its owner knows.
    probe: |_, _| None,
};

/// What makes ECR's passwords (`GetAuthorizationToken`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenService {
    /// The region that requests are signed for.
    pub region: SmolStr,
    /// The host that is asked, over HTTPS.
    pub host: String,
}

/// What the partitions put behind the region in the names that have IPv6, too.
const DUAL_STACK: [(&str, &str); 2] = [
    (AWS, "api.aws"),
    ("amazonaws.com.cn", "api.amazonwebservices.com.cn"),
];

// === impl TokenService ===

impl TokenService {
    /// Its host as AWS' variables may want it, `AWS_USE_FIPS_ENDPOINT` and `AWS_USE_DUALSTACK_ENDPOINT`. A partition without
    /// IPv6 has the same host for both.
    #[must_use]
    pub fn host_for(&self, fips: bool, dual_stack: bool) -> String {
        let region = &self.region;
        let is_fips = fips || self.host.starts_with("ecr-fips.");
        let own = domain(region);
        let dual = DUAL_STACK
            .iter()
            .find(|(domain, _)| dual_stack && *domain == own);
        match (dual, is_fips) {
            (Some((_, domain)), true) => format!("ecr-fips.{region}.{domain}"),
            (Some((_, domain)), false) => format!("ecr.{region}.{domain}"),
            (None, true) => format!("ecr-fips.{region}.{own}"),
            (None, false) => self.host.clone(),
        }
    }
}

/// `None` where the region is not known, or is none.
pub(super) fn token_service(wanted: &Wanted<'_>) -> Option<TokenService> {
    let address = wanted.address().ok()?;
    let of_host = address.as_ref().and_then(|a| EcrHost::parse(a.bare_host()));
    let region = match &of_host {
        Some(of_host) => of_host.region,
        None => wanted.region?,
    };
    let region = checked_region(region).ok()?;
    let service = match &of_host {
        Some(of_host) if of_host.fips => "ecr-fips",
        _ => "api.ecr",
    };
    let host = format!("{service}.{region}.{}", domain(region));
    Some(TokenService {
        region: region.into(),
        host,
    })
}

/// Whether an address may be that of a registry whose account is not known yet.
pub(super) fn may_be(wanted: &Wanted<'_>, address: &Address) -> bool {
    let of_host = EcrHost::parse(address.bare_host());
    of_host.is_some_and(|of_host| wanted.region.is_none_or(|region| region == of_host.region))
}

/// Whether a host is that of a private registry at Amazon.
pub(super) fn is_amazons(host: &str) -> bool {
    EcrHost::parse(host).is_some()
}

fn host(
    wanted: &Wanted<'_>,
    address: Option<&Address>,
    notes: &mut Vec<Hint>,
) -> Result<Option<String>, Problem> {
    let region = wanted.region.map(checked_region).transpose()?;
    let account = wanted.account.map(checked_account).transpose()?;
    if let Some(address) = address {
        return written(region, account, address, notes).map(Some);
    }
    let text = "missing: write the registry's region, as eu-central-1";
    let region = region.ok_or_else(|| Problem::new(Field::Region, text))?;
    Ok(account.map(|account| format!("{account}.dkr.ecr.{region}.{}", domain(region))))
}

/// A host that is written has to be what account and region say.
fn written(
    region: Option<&str>,
    account: Option<&str>,
    address: &Address,
    notes: &mut Vec<Hint>,
) -> Result<String, Problem> {
    let problem = |text| Err(Problem::new(address.field.clone(), text));
    let host = address.bare_host();
    if amazon::is_public(host) {
        return problem(format!(
            "{host} is Amazon's public registry, and has other passwords: choose the type Public"
        ));
    }
    let Some(of_host) = EcrHost::parse(host) else {
        if amazon::is_amazon(host) || host.contains(".dkr.ecr") || host.contains(".dkr-ecr") {
            return problem(format!(
                "no host of a private registry: write <account>.dkr.ecr.<region>.{AWS}, the account with twelve figures"
            ));
        }
        if region.is_none() {
            let text = format!("missing: {host} does not tell which region makes its passwords");
            return Err(Problem::new(Field::Region, text));
        }
        return host_of_type(address, RegistryType::Ecr, NAME, notes);
    };
    if account.is_some_and(|account| account != of_host.account) {
        return problem(format!(
            "of another account than spec.account: the host names {}, so leave one of them out",
            of_host.account
        ));
    }
    if region.is_some_and(|region| region != of_host.region) {
        return problem(format!(
            "of another region than spec.region: the host names {}, so leave one of them out",
            of_host.region
        ));
    }
    Ok(address.host.clone())
}

fn checked_account(text: &str) -> Result<&str, Problem> {
    if amazon::is_account(text) {
        return Ok(text);
    }
    let text = "no account of AWS: twelve figures without dashes, in quotes so that YAML keeps a leading zero";
    Err(Problem::new(Field::Account, text))
}

fn checked_region(text: &str) -> Result<&str, Problem> {
    let problem = |text| Err(Problem::new(Field::Region, text));
    let of_region = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let is_region = text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.contains('-')
        && !text.ends_with('-')
        && text.bytes().all(of_region);
    if !is_region {
        return problem("no region of AWS: write it as eu-central-1".to_owned());
    }
    let region = text.trim_end_matches(|c: char| c.is_ascii_lowercase());
    if region != text && region.ends_with(|c: char| c.is_ascii_digit()) {
        return problem(format!(
            "{text} is an availability zone: write its region, {region}"
        ));
    }
    Ok(text)
}

fn domain(region: &str) -> &'static str {
    let own = PARTITIONS
        .iter()
        .find(|(start, _)| region.starts_with(start));
    own.map_or(AWS, |(_, domain)| domain)
}

/// The keys, or the identity that cotter runs with where the Secret holds none. One that holds anything else is not taken
/// for empty: a misspelt key must not make cotter use its own identity.
fn given(keys: &mut Keys<'_>) -> Option<Given> {
    if keys.are_none() {
        return Some(Given::AmbientAws);
    }
    let (id, secret) = (keys.text(ID), keys.text(SECRET));
    let session = keys.optional_text(SESSION);
    for (name, value) in [(ID, id), (SECRET, secret), (SESSION, session)] {
        if value.is_some_and(|value| value.contains(|c: char| c.is_whitespace() || c.is_control()))
        {
            let text = "a line break or other white space, which AWS' keys do not have: write it again, with printf %s \
                        instead of echo";
            keys.problem(name, text);
        }
    }
    let (id, secret) = (id?, secret?);
    look_at(keys, id.trim(), secret.trim(), session.is_some());
    let owned = |text: &str| Zeroizing::new(text.to_owned());
    Some(Given::AwsKeys {
        access_key_id: owned(id),
        secret_access_key: owned(secret),
        session_token: session.map(owned),
    })
}

/// What ids and keys look like. Patterns are hints, for AWS may come to make others.
fn look_at(keys: &mut Keys<'_>, id: &str, secret: &str, with_session: bool) {
    let is_temporary = id.starts_with("ASIA");
    if amazon::is_access_key_id(secret) || amazon::is_secret_key(id) {
        keys.hint(
            ID,
            format!("{ID} and {SECRET} look as if they had changed places"),
        );
    } else if !amazon::is_access_key_id(id) {
        keys.hint(
            ID,
            "does not look like an access key id (AKIA… or ASIA…, 20 characters)",
        );
    }
    if is_temporary && !with_session {
        keys.problem(
            SESSION,
            "missing: the access key is a temporary one, and works only with its session token",
        );
    } else if !is_temporary && with_session {
        keys.hint(
            SESSION,
            "goes with temporary keys (ASIA…) only: AWS turns it away with any other",
        );
    }
    if !amazon::is_secret_key(secret) && !amazon::is_access_key_id(secret) {
        keys.hint(
            SECRET,
            "does not look like a secret access key (40 letters, figures, + and /)",
        );
    }
}
