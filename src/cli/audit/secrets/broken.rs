//! The kubelet cannot read it, and then pulls nothing for a Pod that names it.

use super::SecretCase;

pub(super) fn judge(case: &SecretCase<'_>) -> Option<String> {
    let error = case.secret.broken()?;
    let why = error.hint().unwrap_or_else(|| error.to_string());
    Some(format!(
        "the kubelet cannot read it, which breaks every pull of the Pods that name it: {why}; create it anew"
    ))
}
