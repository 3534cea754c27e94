//! What a function is told beside its input.

use anyhow::{anyhow, bail};
use clap::ValueEnum as _;

use crate::{cli::pin::Style, domain::yaml::View};

/// What the `functionConfig` says.
#[derive(Debug, Default)]
pub(super) struct Options {
    pub(super) style: Option<Style>,
    pub(super) policy: Option<String>,
    pub(super) offline: bool,
}

impl Options {
    /// Reads them.
    ///
    /// # Errors
    /// If there is one that cotter does not know, or a style that there is not.
    pub(super) fn of(root: View<'_, '_>) -> anyhow::Result<Self> {
        let mut options = Self::default();
        let Some(config) = root
            .get("functionConfig")
            .filter(|config| config.is_mapping())
        else {
            return Ok(options);
        };
        let entries = ["spec", "data"]
            .into_iter()
            .filter_map(|key| config.get(key));
        for (key, value) in entries.flat_map(View::entries) {
            let (key, value) = (
                key.scalar().unwrap_or_default(),
                value.scalar().unwrap_or_default(),
            );
            match key {
                "style" => {
                    let style = Style::from_str(value, false);
                    options.style = Some(style.map_err(|_| {
                        anyhow!("functionConfig: {value:?} is no style; there are digest, git-sha and git-sha-digest")
                    })?);
                }
                "policy" => options.policy = Some(value.to_owned()),
                "offline" => options.offline = value == "true",
                _ => bail!(
                    "functionConfig: {key:?} is not known; there are style, policy and offline"
                ),
            }
        }
        Ok(options)
    }
}
