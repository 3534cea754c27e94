//! The kinds of a `Registry`: where each is found, the `auths` key of its pull secrets, and what its credential Secret
//! has to hold (design §5).
//!
//! An error is only what cannot work or would give the credential away; all else is a hint. No text repeats any part of
//! a credential. Nobody is asked here.

mod acr;
mod address;
mod custom;
mod docker_hub;
mod ecr;
mod gar;
mod gcr;
mod ghcr;
mod given;
mod public;
mod quay;
mod reading;
mod remark;
mod scope;
mod secret;
#[cfg(test)]
mod tests;

use std::fmt;

use smol_str::SmolStr;

use self::{address::Address, secret::Keys};
pub use self::{
    ecr::TokenService,
    given::Given,
    reading::Reading,
    remark::{Field, Hint, Problem},
};
use super::registry_type::{self, RegistryType, Severity};

/// A kind of registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// GitHub's container registry.
    Ghcr,
    /// Docker Hub.
    DockerHub,
    /// Amazon's private registries.
    Ecr,
    /// Azure's.
    Acr,
    /// Google's Container Registry.
    Gcr,
    /// Google's Artifact Registry.
    Gar,
    /// Quay, the public one or somebody's own.
    Quay,
    /// Any other.
    Custom,
    /// One that is asked anonymously.
    Public,
}

/// A registry as its `spec` describes it. Of the three places for the host, one at most is used.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// What kind it is.
    pub kind: Kind,
    /// `spec.host`: `host[:port][/path]`.
    pub host: Option<&'a str>,
    /// `spec.loginServer`: a host or a URL.
    pub login_server: Option<&'a str>,
    /// `spec.url`: a URL or a host.
    pub url: Option<&'a str>,
    /// `spec.owner`: what the path of its images begins with.
    pub owner: Option<&'a str>,
    /// `spec.account` of ECR.
    pub account: Option<&'a str>,
    /// `spec.region` of ECR and GAR.
    pub region: Option<&'a str>,
}

/// Where a registry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Located {
    /// There.
    At(Place),
    /// In the ECR of the account that the credential belongs to, which AWS has to be asked for: see
    /// [`Wanted::place_of`].
    OfAccount,
}

/// Where images of a registry come from, and which of them get its credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// `host[:port]` in lower case, as images spell it once they are canonical.
    pub host: SmolStr,
    /// The `auths` key that matches the images of this host and owner, and no others.
    pub key: String,
    /// What was read otherwise than it was written, and what looks odd.
    pub notes: Vec<Hint>,
}

/// An image that a live test reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// The repository without its host.
    pub repository: &'static str,
    /// The tag.
    pub tag: &'static str,
}

/// What one kind says of itself; a file for each.
struct Rules {
    /// As `spec.type` spells it.
    name: &'static str,
    /// Whose users and tokens it takes; `None` where its host tells.
    registry_type: Option<RegistryType>,
    /// The host of its images; `None` where only AWS knows it.
    host: FindHost,
    /// The `auths` key of a host's images below a path.
    key: fn(host: &str, scope: &str) -> String,
    /// The keys of its Secret.
    keys: &'static [&'static str],
    /// Which of them hold the user and the password, where it has them.
    login: Option<(&'static str, &'static str)>,
    /// Reads them.
    given: fn(&mut Keys<'_>) -> Option<Given>,
    /// Reads an image that any login may read.
    probe: fn(&Wanted<'_>, &Given) -> Option<Probe>,
}

/// Finds the host of a registry, of whose address some part may be written.
type FindHost =
    fn(&Wanted<'_>, Option<&Address>, &mut Vec<Hint>) -> Result<Option<String>, Problem>;

// === impl Kind ===

impl Kind {
    const fn rules(self) -> &'static Rules {
        match self {
            Self::Ghcr => &ghcr::RULES,
            Self::DockerHub => &docker_hub::RULES,
            Self::Ecr => &ecr::RULES,
            Self::Acr => &acr::RULES,
            Self::Gcr => &gcr::RULES,
            Self::Gar => &gar::RULES,
            Self::Quay => &quay::RULES,
            Self::Custom => &custom::RULES,
            Self::Public => &public::RULES,
        }
    }

    /// The keys of its credential Secret.
    #[must_use]
    pub const fn keys(self) -> &'static [&'static str] {
        self.rules().keys
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.rules().name)
    }
}

// === impl Wanted ===

impl Wanted<'_> {
    /// A registry of this kind of which nothing else is said.
    #[must_use]
    pub const fn new(kind: Kind) -> Self {
        Self {
            kind,
            host: None,
            login_server: None,
            url: None,
            owner: None,
            account: None,
            region: None,
        }
    }

    /// Where it is, as far as the spec tells.
    ///
    /// # Errors
    /// A [`Problem`] where no image can be there, or the spec contradicts itself.
    pub fn place(&self) -> Result<Located, Problem> {
        let place = self.locate()?;
        Ok(place.map_or(Located::OfAccount, Located::At))
    }

    /// Where it is, `account` being that of the credential. An account that the spec names goes first, since one account
    /// may let another in.
    ///
    /// # Errors
    /// As [`place`](Self::place), and where `account` is none.
    pub fn place_of(&self, account: &str) -> Result<Place, Problem> {
        let known = Wanted {
            account: self.account.or(Some(account)),
            ..*self
        };
        let unknown = || Problem::new(Field::Account, "not known: name it");
        known.locate()?.ok_or_else(unknown)
    }

    /// What ECR's passwords are asked of; `None` for another kind, or where the region is not known.
    #[must_use]
    pub fn token_service(&self) -> Option<TokenService> {
        if self.kind == Kind::Ecr {
            ecr::token_service(self)
        } else {
            None
        }
    }

    /// Whether the identity that cotter runs with may be used for a registry, with no Secret that says so: whoever may write
    /// a `Registry` need not be allowed to have its passwords sent where they like.
    ///
    /// # Errors
    /// The host is none of the cloud's.
    pub fn may_use_own_identity(&self, place: &Place) -> Result<(), Problem> {
        if self.kind == Kind::Ecr && !ecr::is_amazons(&place.host) {
            let text = format!(
                "cotter's own AWS identity is used at Amazon's hosts only, and {} is none: name a Secret in \
                 spec.credentials that is annotated for it",
                place.host
            );
            return Err(Problem::new(Field::Host, text));
        }
        Ok(())
    }

    /// What the live test reads where the spec names nothing; `None` where only the login can be tested.
    #[must_use]
    pub fn default_probe(&self, given: &Given) -> Option<Probe> {
        (self.kind.rules().probe)(self, given)
    }

    /// What stands in the one place for the host that is used.
    fn address(&self) -> Result<Option<Address>, Problem> {
        let places = [
            (Field::Host, self.host),
            (Field::LoginServer, self.login_server),
            (Field::Url, self.url),
        ];
        let mut written = places
            .into_iter()
            .filter_map(|(field, text)| Some((field, text?)));
        let Some((field, text)) = written.next() else {
            return Ok(None);
        };
        if let Some((other, _)) = written.next() {
            let text = format!("{field} says the same: write one of them");
            return Err(Problem::new(other, text));
        }
        Address::parse(field, text).map(Some)
    }

    fn locate(&self) -> Result<Option<Place>, Problem> {
        let rules = self.kind.rules();
        let address = self.address()?;
        let mut notes = Vec::new();
        self.unused(&mut notes);
        let host = (rules.host)(self, address.as_ref(), &mut notes)?;
        // Without a host, the rest is checked all the same.
        let spelled = host.as_deref().unwrap_or("the host");
        let scope = scope::of(self.owner, address.as_ref(), spelled, &mut notes)?;
        let Some(host) = host else { return Ok(None) };
        let key = (rules.key)(&host, &scope);
        let field = address.as_ref().map_or(Field::Host, |a| a.field.clone());
        for finding in registry_type::check_server(&key) {
            match finding.severity {
                Severity::Error => return Err(Problem::new(field, finding.text)),
                _ => notes.push(Hint::new(field.clone(), finding.text)),
            }
        }
        let mut read = address.map(|address| address.notes).unwrap_or_default();
        read.append(&mut notes);
        Ok(Some(Place {
            host: host.into(),
            key,
            notes: read,
        }))
    }

    /// Fields that say nothing for this kind.
    fn unused(&self, notes: &mut Vec<Hint>) {
        let with_region = matches!(self.kind, Kind::Ecr | Kind::Gar);
        let fields = [
            (Field::Account, self.account, self.kind == Kind::Ecr),
            (Field::Region, self.region, with_region),
        ];
        for (field, value, is_used) in fields {
            if value.is_some() && !is_used {
                let text = format!("says nothing for {}: leave it out", self.kind);
                notes.push(Hint::new(field, text));
            }
        }
    }
}

/// The host that is written, as [`host_of_type`] takes it; `default` without one.
fn host_of_type_or(
    default: &str,
    address: Option<&Address>,
    own: RegistryType,
    kind: &str,
    notes: &mut Vec<Hint>,
) -> Result<Option<String>, Problem> {
    let host = match address {
        None => default.to_owned(),
        Some(address) => host_of_type(address, own, kind, notes)?,
    };
    Ok(Some(host))
}

/// A host of this kind, or of nobody known; a known one of another kind is a mistake.
fn host_of_type(
    address: &Address,
    own: RegistryType,
    kind: &str,
    notes: &mut Vec<Hint>,
) -> Result<String, Problem> {
    let found = RegistryType::of_host(&address.host);
    // Only these are known by their domain; the rest by a word in their name.
    let is_known = matches!(
        found,
        RegistryType::Ghcr
            | RegistryType::DockerHub
            | RegistryType::Ecr
            | RegistryType::Acr
            | RegistryType::Google
    ) || address.host == quay::HOST;
    let host = address.host.clone();
    if found == own {
        return Ok(host);
    }
    if is_known {
        let text = format!(
            "{host} is a host of {found} and not of {kind}: choose the type of that, or another host"
        );
        return Err(Problem::new(address.field.clone(), text));
    }
    let text =
        format!("{kind} is not known to be at {host}: the credential is sent there, so look twice");
    notes.push(Hint::new(address.field.clone(), text));
    Ok(host)
}
