//! A `Registry` with a credential for it: what can be told of the two before anybody is asked, and what its live test asks.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{anyhow, bail};
use clap::Args;
use jiff::Timestamp;
use smol_str::SmolStr;
use zeroize::Zeroizing;

use super::test::{Printer, Target, TestReport, To, Trial, Verdict, test};
use crate::{
    api::registry::{Probe, RegistrySpec},
    cli::{
        asking::RegistryArgs,
        credentials::{Origin, Way},
        output, terminal,
    },
    cloud::aws,
    config::proxy::ProxyArgs,
    domain::{
        credential::Credential,
        registry_kind::{Given, Located, Place, Reading},
    },
    registry::client::Client,
};

/// The keys of a credential Secret.
pub(super) type Data = BTreeMap<String, Zeroizing<Vec<u8>>>;

/// A `Registry`, and what its Secret holds or is to hold.
pub(super) struct Candidate<'a> {
    pub(super) name: &'a str,
    pub(super) spec: &'a RegistrySpec,
    pub(super) data: &'a Data,
}

/// What can be told of it.
pub(super) struct Checked {
    /// Where it is; `None` where only AWS knows, or the spec is wrong.
    pub(super) place: Option<Place>,
    /// The credential; `None` where it cannot work.
    given: Option<Given>,
    pub(super) verdicts: Vec<Verdict>,
    took: Duration,
}

/// How a credential is tested before it is written.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Test")]
pub struct AskArgs {
    /// Do not ask the registry first
    #[arg(long)]
    pub no_test: bool,

    /// What the test asks by: registries (private CAs, plain HTTP) and how to resolve
    #[arg(long, value_name = "FILE", env = "COTTER_CONFIG")]
    pub config: Option<PathBuf>,

    /// The environment's proxies.
    #[command(flatten)]
    pub proxy: ProxyArgs,
}

// === impl AskArgs ===

impl AskArgs {
    /// What asks the registry; `None` where nobody is to.
    ///
    /// # Errors
    /// If the settings cannot be used.
    pub(super) fn client(&self) -> anyhow::Result<Option<Client>> {
        let registries = RegistryArgs {
            config: self.config.clone(),
            proxy: self.proxy.clone(),
            ..RegistryArgs::default()
        };
        let is_wanted = !self.no_test;
        is_wanted.then(|| registries.client()).transpose()
    }
}

// === impl Candidate ===

impl Candidate<'_> {
    /// Checks spec and credential by the rules of the kind.
    pub(super) fn check(&self, now: Timestamp) -> Checked {
        let start = Instant::now();
        let wanted = self.spec.wanted();
        let mut verdicts = Vec::new();
        let place = match wanted.place() {
            Ok(Located::At(place)) => Some(place),
            Ok(Located::OfAccount) => None,
            Err(problem) => {
                verdicts.push(verdict(true, &problem));
                None
            }
        };
        let Reading { given, hints } = wanted.credential(self.data, now);
        let notes = place.iter().flat_map(|place| &place.notes).chain(&hints);
        verdicts.extend(notes.map(|note| verdict(false, note)));
        let given = match given {
            Ok(given) => Some(given),
            Err(problems) => {
                verdicts.extend(problems.iter().map(|problem| verdict(true, problem)));
                None
            }
        };
        Checked {
            place,
            given,
            verdicts,
            took: start.elapsed(),
        }
    }

    /// What the live test asks; `None` where only cotter can ask, as its own identity is meant, or nobody knows where.
    ///
    /// # Errors
    /// If no image can be at the host, or AWS makes no password for keys.
    pub(super) async fn trial(
        &self,
        checked: &Checked,
        client: &Client,
    ) -> anyhow::Result<Option<(Target, Trial)>> {
        let (Some(place), given) = (&checked.place, &checked.given) else {
            return Ok(None);
        };
        let credential = match given {
            Some(Given::AmbientAws) => return Ok(None),
            Some(keys @ Given::AwsKeys { .. }) => self.of_aws(keys, client).await?,
            Some(Given::Login { username, password }) => {
                Some(Credential::new(username.as_bytes(), password.as_slice()))
            }
            Some(Given::Nobody) | None => None,
        };
        let credential = credential.map(Arc::new);
        let origin = match given {
            Some(Given::Nobody) => Origin::Anonymous,
            _ => Origin::Registry {
                name: SmolStr::new(self.name),
                key: SmolStr::new(&place.key),
            },
        };
        let target = Target::of_registry(&place.host, self.probe(given.as_ref()).as_ref())?;
        let trial = Trial {
            way: Way { origin, credential },
            structure: Some((checked.verdicts.clone(), checked.took)),
            is_usable: checked.is_usable(),
        };
        Ok(Some((target, trial)))
    }

    /// The login that AWS makes for keys; `None` where it is not known which region makes it.
    async fn of_aws(&self, keys: &Given, client: &Client) -> anyhow::Result<Option<Credential>> {
        let Some(service) = self.spec.wanted().token_service() else {
            return Ok(None);
        };
        let password = aws::password(client, &service, keys).await;
        let password = password.map_err(|said| {
            anyhow!("AWS makes no password for ECR: {said}; the key's user needs ecr:GetAuthorizationToken")
        })?;
        let login = Credential::new(aws::USER, password.text.as_slice());
        Ok(Some(login))
    }

    /// What came of the live test by `client`, each step printed as it is taken; `None` where only cotter can make it.
    ///
    /// # Errors
    /// If nobody reads what is printed.
    pub(super) async fn tested(
        &self,
        checked: &Checked,
        client: &Client,
        to: To,
    ) -> anyhow::Result<Option<TestReport>> {
        let Some((target, trial)) = self.trial(checked, client).await? else {
            output::note("cotter's own identity is tested in the cluster, and not from here")?;
            return Ok(None);
        };
        let mut printer = Printer::new(to);
        let report = test(client, &target, &[trial], &mut printer).await;
        printer.finish()?;
        Ok(Some(report))
    }

    /// What the live test reads.
    fn probe(&self, given: Option<&Given>) -> Option<Probe> {
        self.spec.probe.clone().or_else(|| {
            let probe = self.spec.wanted().default_probe(given?)?;
            Some(Probe {
                repository: probe.repository.to_owned(),
                tag: probe.tag.to_owned(),
            })
        })
    }
}

// === impl Checked ===

impl Checked {
    /// Whether nothing is known that cannot work.
    pub(super) fn is_usable(&self) -> bool {
        !self.verdicts.iter().any(|verdict| verdict.fatal)
    }

    /// Fails with what cannot work; `warns` of what may not.
    ///
    /// # Errors
    /// All that cannot work; or if stderr is gone.
    pub(super) fn judge(&self, warns: bool) -> anyhow::Result<()> {
        for verdict in self
            .verdicts
            .iter()
            .filter(|verdict| warns && !verdict.fatal)
        {
            terminal::warn(&verdict.text)?;
        }
        if !self.is_usable() {
            bail!("{}", self.problems());
        }
        Ok(())
    }

    /// The user and the password, where it is a login.
    pub(super) fn login(&self) -> Option<(&str, &[u8])> {
        match &self.given {
            Some(Given::Login { username, password }) => Some((username, password)),
            _ => None,
        }
    }

    /// All that cannot work, in one line.
    pub(super) fn problems(&self) -> String {
        let fatal = self.verdicts.iter().filter(|verdict| verdict.fatal);
        let fatal: Vec<_> = fatal.map(|verdict| verdict.text.as_str()).collect();
        fatal.join("; ")
    }
}

fn verdict(fatal: bool, text: &impl ToString) -> Verdict {
    Verdict {
        fatal,
        text: output::printable(&text.to_string()),
    }
}
