//! Google's Artifact Registry: a host for each location. The credential is that of [`gcr`].

use super::{Address, Field, Hint, Problem, Rules, Wanted, gcr, host_of_type, scope};
use crate::domain::registry_type::RegistryType;

const NAME: &str = "GAR";
/// What follows the location in the host of a registry of images.
const OF_IMAGES: &str = "-docker.pkg.dev";

pub(super) const RULES: Rules = Rules {
    name: NAME,
    registry_type: Some(RegistryType::Google),
    host,
    key: scope::key,
    keys: &[gcr::KEY],
    login: Some((gcr::KEY, gcr::KEY)),
    given: gcr::login,
    probe: |_, _| None,
};

fn host(
    wanted: &Wanted<'_>,
    address: Option<&Address>,
    notes: &mut Vec<Hint>,
) -> Result<Option<String>, Problem> {
    let region = wanted.region.map(location).transpose()?;
    let Some(address) = address else {
        let text = "missing: write the location of the repositories, as europe-west3 or us";
        let region = region.ok_or_else(|| Problem::new(Field::Region, text))?;
        return Ok(Some(format!("{region}{OF_IMAGES}")));
    };
    let problem = |text| Err(Problem::new(address.field.clone(), text));
    let host = address.bare_host();
    if (host == "pkg.dev" || host.ends_with(".pkg.dev")) && !host.ends_with(OF_IMAGES) {
        return problem(format!(
            "no images are at {host}: write <location>{OF_IMAGES}, or leave it out"
        ));
    }
    let of_host = host.strip_suffix(OF_IMAGES);
    if let (Some(region), Some(of_host)) = (region, of_host)
        && region != of_host
    {
        return problem(format!(
            "of another location than spec.region, {region}: leave one of them out"
        ));
    }
    host_of_type(address, RegistryType::Google, NAME, notes).map(Some)
}

/// A region or a group of them.
fn location(text: &str) -> Result<&str, Problem> {
    let problem = |text| Err(Problem::new(Field::Region, text));
    let of_location = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let is_location = text.starts_with(|c: char| c.is_ascii_lowercase())
        && !text.ends_with('-')
        && text.bytes().all(of_location);
    if !is_location {
        return problem("no location of Google: write it as europe-west3 or us".to_owned());
    }
    match text.rsplit_once('-') {
        Some((region, zone))
            if zone.len() == 1 && region.ends_with(|c: char| c.is_ascii_digit()) =>
        {
            problem(format!("{text} is a zone: write its region, {region}"))
        }
        _ => Ok(text),
    }
}
