//! Its credential has ended: every pull with it fails, of public images too.

use jiff::Timestamp;

use super::SecretCase;
use crate::domain::{
    expiry::{Evidence, Expiry, expiry},
    keyring::Entry,
};

pub(super) fn judge(case: &SecretCase<'_>) -> Option<String> {
    let written = case.room.written.get(case.secret.name()).copied();
    let ended = |entry: &Entry| {
        let expiry = expiry(&entry.key, &entry.credential, written)?;
        (expiry.at <= case.now).then(|| (entry.key.as_str().to_owned(), expiry))
    };
    let ended: Vec<_> = case.secret.entries().iter().filter_map(ended).collect();
    let (key, expiry) = ended.first()?;
    let more = match ended.len() {
        1 => String::new(),
        many => format!(", and {} more", many - 1),
    };
    Some(format!(
        "its credential for {key}{more} {}; renew it",
        why(expiry)
    ))
}

fn why(expiry: &Expiry) -> String {
    let at = moment(expiry.at);
    match expiry.evidence {
        Evidence::Jwt | Evidence::Ecr => format!("ended at {at}"),
        Evidence::EcrAge => {
            format!("ended at {at}, 12 hours after it was written, as all of ECR's do")
        }
        Evidence::GoogleAge => {
            format!(
                "ended at {at}, one hour after it was written, as all of Google's access tokens do"
            )
        }
    }
}

fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
