//! Whether a login opens an image: what `--test` asks.

use std::{io::Write as _, path::PathBuf, sync::Arc};

use super::{
    asking::RegistryArgs,
    credentials::{Credentials, Way, docker::DockerConfig},
    terminal,
};
use crate::{
    admission::ports::Registry as _,
    domain::{
        policy::PinStyle,
        reference::{self, Reference},
    },
};

/// The image that `--test` names.
///
/// # Errors
/// If it names none.
pub fn image(text: &str) -> anyhow::Result<Reference> {
    let canonical = reference::canonicalise(text, false);
    let canonical = canonical.map_err(|error| anyhow::anyhow!("--test {text}: {error}"))?;
    Ok(canonical.reference)
}

/// Asks for `image` in these ways, and with nothing else, until one is told what it is, and tells what came of it on stderr.
///
/// # Errors
/// If the settings cannot be used.
pub async fn opens(
    image: &Reference,
    ways: Vec<Way>,
    registries: &RegistryArgs,
) -> anyhow::Result<bool> {
    let nothing = DockerConfig::read(PathBuf::new(), b"")?;
    let nothing = Credentials::Docker(Arc::new(nothing));
    let asker = registries.asker(&registries.file()?, nothing, false)?;
    let mut why = "there is nothing to ask with".to_owned();
    for way in ways {
        let ask = asker.ask(image, &way, PinStyle::Digest);
        match asker.client.resolve(ask).await {
            Ok(resolved) => {
                let digest = resolved.digest;
                let mut out = anstream::stderr();
                writeln!(out, "the test passed: {image} is {}", digest.as_str())?;
                return Ok(true);
            }
            Err(failure) => why = failure.to_string(),
        }
    }
    terminal::warn(&format!("the test failed: {image}: {why}"))?;
    Ok(false)
}
