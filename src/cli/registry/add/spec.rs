//! What the `Registry` says, from flags or from the person at the terminal.

use anyhow::bail;
use clap::{
    Args,
    builder::{PossibleValuesParser, TypedValueParser},
};

use crate::{
    api::registry::{Deletion, Kind, Namespaces, Probe, PullSecret, RegistrySpec, Selector},
    cli::{names, terminal},
    domain::registry_kind::{Field, Located},
};

/// The types, as they are written.
const KINDS: [(&str, Kind); 9] = [
    ("GHCR", Kind::Ghcr),
    ("DockerHub", Kind::DockerHub),
    ("ECR", Kind::Ecr),
    ("ACR", Kind::Acr),
    ("GCR", Kind::Gcr),
    ("GAR", Kind::Gar),
    ("Quay", Kind::Quay),
    ("Custom", Kind::Custom),
    ("Public", Kind::Public),
];

/// What the `Registry` says.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Registry")]
pub struct SpecArgs {
    /// What kind of registry it is
    #[arg(long = "type", value_name = "TYPE", ignore_case = true, value_parser = kinds())]
    pub kind: Option<Kind>,

    /// The registry's host as images spell it, with a port if it has one; for ACR, Custom and Public
    #[arg(long, value_name = "HOST")]
    pub host: Option<String>,

    /// Only images of this owner get the credential: acme for ghcr.io/acme/app
    #[arg(long, value_name = "OWNER")]
    pub owner: Option<String>,

    /// The region of ECR, the location of GAR
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,

    /// The AWS account of ECR; not needed with --ambient
    #[arg(long, value_name = "ACCOUNT")]
    pub account: Option<String>,

    /// The namespaces that get a pull secret
    #[arg(long, value_name = "NS,…", value_delimiter = ',', value_parser = names::namespace)]
    pub namespaces: Vec<String>,

    /// All namespaces with these labels get one; whoever may label a namespace gives it the credential
    #[arg(long, value_name = "KEY=VALUE,…", value_delimiter = ',', value_parser = label)]
    pub selector: Vec<(String, String)>,

    /// The name of the pull secrets [default: that of the Registry]
    #[arg(long, value_name = "NAME", value_parser = names::secret)]
    pub pull_secret: Option<String>,

    /// What the live test reads, without the host: acme/app:dev [default: the login alone is tested]
    #[arg(long, value_name = "REPOSITORY[:TAG]", value_parser = probe)]
    pub probe: Option<Probe>,

    /// Let the pull secrets stay when the Registry is deleted
    #[arg(long)]
    pub retain: bool,
}

// === impl SpecArgs ===

impl SpecArgs {
    /// The spec as far as the flags say it.
    fn spec(&self, kind: Kind) -> RegistrySpec {
        let selector = (!self.selector.is_empty()).then(|| Selector {
            match_labels: self.selector.iter().cloned().collect(),
            match_expressions: Vec::new(),
        });
        RegistrySpec {
            kind,
            host: self.host.clone(),
            owner: self.owner.clone(),
            region: self.region.clone(),
            account: self.account.clone(),
            pull_secret: PullSecret {
                name: self.pull_secret.clone(),
            },
            namespaces: Namespaces {
                names: self.namespaces.clone(),
                selector,
            },
            probe: self.probe.clone(),
            deletion: if self.retain {
                Deletion::Retain
            } else {
                Deletion::Delete
            },
            ..RegistrySpec::default()
        }
    }

    /// What the flags say without a terminal.
    ///
    /// # Errors
    /// With the flag that is missing, or what cannot be.
    pub(super) fn complete(&self) -> anyhow::Result<RegistrySpec> {
        let Some(kind) = self.kind else {
            bail!("missing: --type TYPE; without a terminal nobody can be asked");
        };
        let spec = self.spec(kind);
        if let Err(problem) = spec.wanted().place() {
            let flag = flag(&problem.about);
            bail!("{flag}: {}", problem.text);
        }
        Ok(spec)
    }

    /// Asks for what the type needs and no flag says; for what it can do without, where that is `wanted`.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub(super) async fn ask(&self, wanted: bool) -> anyhow::Result<RegistrySpec> {
        let kind = match self.kind {
            Some(kind) => kind,
            None => ask_kind().await?,
        };
        let mut spec = self.spec(kind);
        for (field, question) in questions(kind, wanted) {
            if let Some(slot) = slot(&mut spec, &field).filter(|slot| slot.is_none()) {
                *slot = some(terminal::line(question, "").await?);
            }
        }
        while let Err(problem) = spec.wanted().place() {
            terminal::warn(&problem.to_string())?;
            let Some(slot) = slot(&mut spec, &problem.about) else {
                bail!("{problem}");
            };
            let question = question(&problem.about);
            *slot = some(terminal::line(question, "").await?);
        }
        Ok(spec)
    }

    /// Asks where the pull secrets are wanted, and what the live test reads.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub(super) async fn ask_rest(&self, spec: &mut RegistrySpec) -> anyhow::Result<()> {
        if spec.kind == Kind::Public {
            return Ok(());
        }
        if self.namespaces.is_empty() && self.selector.is_empty() {
            let question = "Namespaces that get a pull secret, with commas (Enter: none yet)";
            spec.namespaces.names = asked(question, namespaces).await?.unwrap_or_default();
        }
        if self.probe.is_none() {
            let question = "Image that the test reads, without the host (Enter: test the login)";
            spec.probe = asked(question, probe).await?;
        }
        Ok(())
    }
}

/// Completes the account of an ECR registry that gets a credential of its own: the Secret names the host that it is for.
///
/// # Errors
/// If nobody can be asked, or the terminal is gone.
pub(super) async fn account(spec: &mut RegistrySpec, asks: bool) -> anyhow::Result<()> {
    while let Ok(Located::OfAccount) = spec.wanted().place() {
        if !asks {
            bail!("missing: --account ACCOUNT; without a terminal nobody can be asked");
        }
        let answer = terminal::some_line(question(&Field::Account)).await?;
        spec.account = Some(answer);
        if let Err(problem) = spec.wanted().place() {
            terminal::warn(&problem.to_string())?;
            spec.account = None;
        }
    }
    Ok(())
}

/// What is asked of a type beside its credential.
fn questions(kind: Kind, optional: bool) -> Vec<(Field, &'static str)> {
    let of = |fields: &[Field]| {
        let with_question = |field: &Field| (field.clone(), question(field));
        fields.iter().map(with_question).collect()
    };
    match kind {
        Kind::Ghcr | Kind::DockerHub | Kind::Docker | Kind::Quay if optional => of(&[Field::Owner]),
        Kind::Ecr | Kind::Gar => of(&[Field::Region]),
        Kind::Acr | Kind::Custom | Kind::Public => of(&[Field::Host]),
        _ => Vec::new(),
    }
}

fn question(field: &Field) -> &'static str {
    match field {
        Field::Owner => "Only for images of this owner (Enter: all)",
        Field::Region => "Region or location (eu-central-1, europe-west3)",
        Field::Account => "AWS account, twelve figures",
        _ => "Host, as images spell it",
    }
}

fn flag(field: &Field) -> String {
    match field {
        Field::Owner => "--owner".to_owned(),
        Field::Region => "--region".to_owned(),
        Field::Account => "--account".to_owned(),
        Field::Host => "--host".to_owned(),
        other => other.to_string(),
    }
}

fn slot<'s>(spec: &'s mut RegistrySpec, field: &Field) -> Option<&'s mut Option<String>> {
    match field {
        Field::Host => Some(&mut spec.host),
        Field::Owner => Some(&mut spec.owner),
        Field::Region => Some(&mut spec.region),
        Field::Account => Some(&mut spec.account),
        _ => None,
    }
}

async fn ask_kind() -> anyhow::Result<Kind> {
    let names: Vec<_> = KINDS.iter().map(|(name, _)| *name).collect();
    let question = format!("Type: {}", names.join(", "));
    loop {
        let answer = terminal::some_line(&question).await?;
        match kind_of(&answer) {
            Some(kind) => return Ok(kind),
            None => terminal::warn("that is none of them; Custom is any other registry")?,
        }
    }
}

/// Asks until the answer can be read; `None` for none.
async fn asked<T>(
    question: &str,
    read: fn(&str) -> Result<T, String>,
) -> anyhow::Result<Option<T>> {
    loop {
        let answer = terminal::line(question, "").await?;
        if answer.is_empty() {
            return Ok(None);
        }
        match read(&answer) {
            Ok(answer) => return Ok(Some(answer)),
            Err(why) => terminal::warn(&why)?,
        }
    }
}

fn some(answer: String) -> Option<String> {
    Some(answer).filter(|answer| !answer.is_empty())
}

fn kinds() -> impl TypedValueParser<Value = Kind> {
    PossibleValuesParser::new(KINDS.map(|(name, _)| name))
        .map(|name| kind_of(&name).unwrap_or_default())
}

fn kind_of(text: &str) -> Option<Kind> {
    let mut all = KINDS.iter();
    let found = all.find(|(name, _)| name.eq_ignore_ascii_case(text));
    found.map(|(_, kind)| *kind)
}

fn namespaces(text: &str) -> Result<Vec<String>, String> {
    let each = text.split([',', ' ']).filter(|name| !name.is_empty());
    each.map(names::namespace).collect()
}

fn label(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write KEY=VALUE, as team=shop".to_owned()),
    }
}

/// A repository with its tag.
fn probe(text: &str) -> Result<Probe, String> {
    if text.contains('@') {
        return Err("a digest is not read by the test: write acme/app:dev".to_owned());
    }
    let (repository, tag) = match text.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => (repository, tag),
        _ => (text, "latest"),
    };
    if repository.is_empty() || repository.contains(':') || tag.is_empty() {
        return Err("write the repository without the host: acme/app:dev".to_owned());
    }
    Ok(Probe {
        repository: repository.to_owned(),
        tag: tag.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::a_tag("acme/app:dev", Some(("acme/app", "dev")))]
    #[case::none("acme/app", Some(("acme/app", "latest")))]
    #[case::a_host_with_a_port("r.test:5000/acme/app", None)]
    #[case::a_digest("acme/app@sha256:00", None)]
    #[case::no_repository(":dev", None)]
    fn probes(#[case] text: &str, #[case] expected: Option<(&str, &str)>) {
        let probe = probe(text).ok();
        let read = probe
            .as_ref()
            .map(|p| (p.repository.as_str(), p.tag.as_str()));
        assert_eq!(read, expected);
    }

    #[test]
    fn every_type_is_written_as_the_definition_has_it() {
        for (name, kind) in KINDS {
            assert_eq!(serde_json::to_value(kind).unwrap(), name);
            assert_eq!(kind.meant().to_string(), name);
        }
    }
}
