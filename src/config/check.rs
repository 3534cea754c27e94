//! What the values of a `cotter.yaml` must be, and must be to each other.

use std::{
    collections::{BTreeMap, HashMap},
    io,
    path::Path,
    time::Duration,
};

use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use serde_saphyr::Spanned;
use smol_str::SmolStr;

use super::{
    file::{CredentialSource, PolicyName, RawRegistry, RawResolve, RegistryHost, Resolve},
    hosts,
    problem::{Place, Problem},
    units,
};
use crate::domain::{
    cloud::CloudRegistry,
    object::LONGEST_LABEL,
    policy::{Policy, PolicySet},
};

/// The longest time that Kubernetes lets a webhook take (`timeoutSeconds` is at most 30), so the longest that
/// waiting for a registry can make sense.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(30);

/// The checks of one file, and what they found.
pub(super) struct Check<'a> {
    pub(super) directory: Option<&'a Path>,
    pub(super) read: &'a dyn Fn(&Path) -> io::Result<Vec<u8>>,
    pub(super) problems: Vec<Problem>,
    pub(super) notices: Vec<String>,
}

// === impl Check ===

impl Check<'_> {
    fn problem(&mut self, place: Place, text: impl Into<String>) {
        self.problems.push(Problem::at(place, text));
    }

    fn keep<T>(&mut self, place: Place, key: &str, value: Result<T, String>) -> Option<T> {
        value
            .map_err(|said| self.problem(place, format!("{key}: {said}")))
            .ok()
    }

    pub(super) fn policies(
        &mut self,
        default: Option<&Spanned<SmolStr>>,
        policies: Option<Spanned<BTreeMap<PolicyName, Option<Policy>>>>,
    ) -> Option<PolicySet> {
        let name = default.map_or("standard", |name| &*name.value);
        let (place, named) = match policies {
            None => {
                let built_in = [
                    ("standard".into(), Policy::default()),
                    ("strict".into(), Policy::strict()),
                ];
                (None, Vec::from(built_in))
            }
            Some(policies) => {
                let place = Place::of(&policies);
                for PolicyName(name) in policies.value.keys() {
                    if !is_label_value(&name.value) {
                        let said = format!(
                            "{:?} cannot be chosen by a label; use at most {LONGEST_LABEL} letters, digits, hyphens, \
                             dots and underscores, the first and last a letter or a digit",
                            name.value
                        );
                        self.problem(Place::of(name), said);
                    }
                }
                let named = policies
                    .value
                    .into_iter()
                    .map(|(name, policy)| (name.0.value, policy.unwrap_or_default()));
                (Some(place), named.collect())
            }
        };
        let known: Vec<_> = named.iter().map(|(name, _)| name.to_string()).collect();
        let place = default.map(Place::of).or(place);
        PolicySet::new(name, named)
            .map_err(|_| {
                let accepted = match &*known {
                    [] => "add one, or remove `policies` for the built-in ones".to_owned(),
                    known => format!("accepted: {}", known.join(", ")),
                };
                let said = format!("defaultPolicy: {name:?} is not among the policies; {accepted}");
                self.problem(place.unwrap_or_default(), said);
            })
            .ok()
    }

    pub(super) fn registries(&mut self, raw: Vec<RawRegistry>) -> Vec<RegistryHost> {
        let mut seen: HashMap<SmolStr, Place> = HashMap::new();
        let mut found = Vec::with_capacity(raw.len());
        for raw in raw {
            let place = Place::of(&raw.host);
            let Some(host) = self.keep(place, "host", hosts::host(&raw.host.value)) else {
                continue;
            };
            if let Some(first) = seen.insert(host.clone(), place) {
                let said = format!(
                    "host: {host} is given twice, first in line {}; put everything about it in one place",
                    first.line
                );
                self.problem(place, said);
            }
            found.push(self.registry(host, raw));
        }
        found
    }

    fn registry(&mut self, host: SmolStr, raw: RawRegistry) -> RegistryHost {
        let RawRegistry {
            host: _,
            plain_http,
            ca_file,
            auth_hosts,
            allow_private,
            credentials,
            mirrors,
        } = raw;
        if let (Some(ca_file), true) = (&ca_file, plain_http) {
            let said = "caFile: plain HTTP has no certificates; remove caFile or plainHttp";
            self.problem(Place::of(ca_file), said);
        }
        let ca_file = ca_file.map(|file| {
            let place = Place::of(&file);
            let path = self.directory.unwrap_or(Path::new("")).join(file.value);
            (place, path)
        });
        let ca = match &ca_file {
            Some((place, path)) => self.certificates(*place, path),
            None => Vec::new(),
        };
        if credentials == CredentialSource::Node && CloudRegistry::of_host(&host).is_none() {
            self.notices.push(format!(
                "registries: `credentials: node` of {host}: cotter has a login of its own only at ECR, Artifact Registry, \
                 gcr.io and ACR, and this is none of them; its images are resolved anonymously"
            ));
        }
        RegistryHost {
            host,
            plain_http,
            ca,
            ca_file: ca_file.map(|(_, path)| path),
            auth_hosts: self.each(&auth_hosts, "authHosts", hosts::host),
            allow_private,
            credentials,
            mirrors: self.each(&mirrors, "mirrors", hosts::mirror),
        }
    }

    fn each<T>(
        &mut self,
        values: &[Spanned<String>],
        key: &str,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Vec<T> {
        let mut found = Vec::with_capacity(values.len());
        for value in values {
            found.extend(self.keep(Place::of(value), key, read(&value.value)));
        }
        found
    }

    fn certificates(&mut self, place: Place, path: &Path) -> Vec<CertificateDer<'static>> {
        let read = (self.read)(path)
            .map_err(|error| format!("cannot be read: {error}"))
            .and_then(|pem| certificates(&pem));
        let named = read.map_err(|said| {
            let path = path.display();
            format!("{path} {said}; name a PEM file with the registry's CA certificates")
        });
        self.keep(place, "caFile", named).unwrap_or_default()
    }

    fn duration(&mut self, raw: Option<&Spanned<String>>, key: &str, unset: Duration) -> Duration {
        raw.and_then(|raw| self.keep(Place::of(raw), key, units::duration(&raw.value)))
            .unwrap_or(unset)
    }

    pub(super) fn resolve(&mut self, raw: &RawResolve) -> Resolve {
        let unset = Resolve::default();
        let resolve = Resolve {
            fresh: self.duration(raw.fresh.as_ref(), "fresh", unset.fresh),
            ttl: self.duration(raw.ttl.as_ref(), "ttl", unset.ttl),
            max_stale: self.duration(raw.max_stale.as_ref(), "maxStale", unset.max_stale),
            negative_ttl: self.duration(
                raw.negative_ttl.as_ref(),
                "negativeTtl",
                unset.negative_ttl,
            ),
            timeout: self.duration(raw.timeout.as_ref(), "timeout", unset.timeout),
            per_registry: raw.per_registry.as_ref().map_or(unset.per_registry, |n| {
                usize::try_from(n.value).unwrap_or(usize::MAX)
            }),
            offline: raw.offline,
            deny_cidrs: self.each(&raw.deny_cidrs, "denyCidrs", hosts::cidr),
            allow_cidrs: self.each(&raw.allow_cidrs, "allowCidrs", hosts::cidr),
        };
        self.relations(raw, &resolve);
        if resolve.offline {
            self.notices.push(
                "resolve.offline: no registry is asked; images are brought into canonical form and pull secrets \
                 injected, no tag is pinned"
                    .to_owned(),
            );
        }
        if resolve.allow_cidrs.iter().any(|net| net.prefix_len() == 0) {
            self.notices.push(
                "resolve.allowCidrs holds every address: who may create a Pod can make cotter dial anything"
                    .to_owned(),
            );
        }
        resolve
    }

    /// What one value of `resolve` must be to another one.
    fn relations(&mut self, raw: &RawResolve, resolve: &Resolve) {
        let show = units::show;
        let place = |a: &Option<Spanned<String>>, b: &Option<Spanned<String>>| {
            let written = a.as_ref().or(b.as_ref());
            written.map(Place::of).unwrap_or_default()
        };
        let Resolve {
            fresh,
            ttl,
            max_stale,
            timeout,
            per_registry,
            ..
        } = resolve;
        if fresh > ttl {
            let said = format!(
                "fresh ({}) is longer than ttl ({}); write a fresh of at most the ttl",
                show(*fresh),
                show(*ttl)
            );
            self.problem(place(&raw.fresh, &raw.ttl), said);
        }
        if !max_stale.is_zero() && max_stale < ttl {
            let said = format!(
                "maxStale ({}) is shorter than ttl ({}); write at least the ttl, or 0s to turn it off",
                show(*max_stale),
                show(*ttl)
            );
            self.problem(place(&raw.max_stale, &raw.ttl), said);
        }
        if timeout.is_zero() || *timeout > LONGEST_TIMEOUT {
            let said = format!(
                "timeout: {} is out of range; write more than 0s and at most {}, the longest that an API server waits",
                show(*timeout),
                show(LONGEST_TIMEOUT)
            );
            self.problem(place(&raw.timeout, &None), said);
        }
        if *per_registry == 0 || *per_registry > 1000 {
            let place = raw.per_registry.as_ref().map(Place::of).unwrap_or_default();
            let said = format!(
                "perRegistry: {per_registry} is out of range; write 1 to 1000, how many requests a registry gets at once"
            );
            self.problem(place, said);
        }
    }
}

/// The certificates of a PEM file, each of them usable as a root.
fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|error| format!("is not PEM: {error}"))?;
    if found.is_empty() {
        return Err("holds no certificate".to_owned());
    }
    let mut roots = RootCertStore::empty();
    for certificate in &found {
        roots
            .add(certificate.clone())
            .map_err(|error| format!("holds a certificate that cannot be used: {error}"))?;
    }
    Ok(found)
}

fn is_label_value(text: &str) -> bool {
    let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    text.len() <= LONGEST_LABEL
        && ends(text.chars().next())
        && ends(text.chars().next_back())
        && text.chars().all(inner)
}
