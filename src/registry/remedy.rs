//! What to do about a registry's no. Each vendor has its own reasons for one, and its own place to change it.

use std::borrow::Cow;

use super::steps::{Hint, Step};
use crate::domain::{policy::Cause, registry_type::RegistryType};

/// Who reads a remedy, and so what they can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// A person at a prompt, who asked as themselves.
    Person,
    /// An operator of the cotter in a cluster, with a `Registry` object before them.
    Operator,
}

/// What a registry of this type refuses a credential for.
fn wants(of: RegistryType) -> &'static str {
    match of {
        RegistryType::Ghcr => {
            "GHCR wants a classic personal access token with the scope read:packages, approved for the organisation's SSO where \
             it has one (Configure SSO, beside the token); fine-grained tokens do not work for packages; and the package's \
             visibility, or its Manage access, has to let this user read it. A token that has expired is refused for public \
             packages too"
        }
        RegistryType::DockerHub => {
            "Docker Hub wants the Docker ID, not the e-mail address, and a password or an access token with Read; a private \
             repository has to list the user as a collaborator or a member of a team"
        }
        RegistryType::Ecr => {
            "ECR wants the user AWS and a password of aws ecr get-login-password, which lasts 12 hours and is of one region; \
             the identity needs ecr:BatchGetImage and ecr:GetDownloadUrlForLayer"
        }
        RegistryType::Acr => {
            "ACR wants a token or a principal with the role AcrPull; a refresh token lasts 3 hours"
        }
        RegistryType::Google => {
            "Google wants the user _json_key with a service account's key, or oauth2accesstoken with a token, which lasts an \
             hour; the account needs the role Artifact Registry Reader"
        }
        RegistryType::Quay => {
            "Quay wants a robot account (organisation+name) with the permission Read on the repository"
        }
        RegistryType::Harbor => {
            "Harbor wants a member of the project or a robot account (robot$name) with the permission Pull"
        }
        RegistryType::GitLab => {
            "GitLab wants a token with the scope read_registry, and its user in the project"
        }
        RegistryType::Artifactory | RegistryType::Custom => {
            "check user and password, and that this user may pull the repository"
        }
    }
}

/// What to do about a look-up that failed for `cause`; `named`: a user and a password were sent.
#[must_use]
pub fn of(host: &str, cause: Cause, named: bool) -> Cow<'static, str> {
    of_cause(host, cause, named, Reader::Person)
}

fn of_cause(host: &str, cause: Cause, named: bool, reader: Reader) -> Cow<'static, str> {
    let of_type = RegistryType::of_host(host);
    match cause {
        Cause::Invalid => "write [HOST/]REPOSITORY[:TAG][@DIGEST]".into(),
        Cause::NotFound => {
            "check repository and tag; cotter tags lists those that there are".into()
        }
        Cause::Unauthorized if named => wants(of_type).into(),
        Cause::Unauthorized => no_credential(host, of_type, reader).into(),
        Cause::Unavailable => {
            format!("see whether {host} is up and reachable from here: cotter registry test {host}")
                .into()
        }
        Cause::Refused => {
            let what = "allowPrivate for addresses of your own, authHosts for a token server elsewhere, plainHttp, caFile";
            format!("if this is meant, {}: {what}", reader.lists(host)).into()
        }
    }
}

fn no_credential(host: &str, of_type: RegistryType, reader: Reader) -> String {
    if reader == Reader::Operator {
        return "it does not answer anonymously: choose the spec.type that it is of, and name a Secret with a credential in \
                spec.credentials"
            .to_owned();
    }
    let login = match of_type {
        RegistryType::DockerHub => "docker login".to_owned(),
        _ => format!("docker login {host}"),
    };
    let wants = match of_type {
        RegistryType::Custom => String::new(),
        other => format!("; {}", wants(other)),
    };
    format!(
        "no credential for {host} was sent: {login}, or name pull secrets with --pull-secrets or -n{wants}"
    )
}

// === impl Reader ===

impl Reader {
    /// Where what is special about a host is said.
    fn lists(self, host: &str) -> String {
        match self {
            Self::Person => format!("list {host} under registries in a file for --config"),
            Self::Operator => format!("list {host} under registries in cotter.yaml"),
        }
    }

    /// From where the registry was asked.
    fn place(self) -> &'static str {
        match self {
            Self::Person => "this machine",
            Self::Operator => "cotter's Pods",
        }
    }
}

/// What to do about a step that failed.
#[must_use]
pub fn of_step(
    host: &str,
    step: Step,
    cause: Cause,
    hint: Option<Hint>,
    named: bool,
    reader: Reader,
) -> Cow<'static, str> {
    let config = |what: &str| format!("{}, with {what}", reader.lists(host));
    let place = reader.place();
    match (step, hint, cause) {
        (_, Some(Hint::UnknownIssuer), _) => config("caFile: the CA that signed its certificate").into(),
        (_, Some(Hint::WrongName), _) => {
            format!("its certificate is for other names; ask for it by one of those, or have one made for {host}").into()
        }
        (_, Some(Hint::Expired), _) => {
            "its certificate is not valid now: renew it, or set the clock of the machine that asks".into()
        }
        (_, Some(Hint::NoTls), _) => {
            let plain = config("plainHttp: true");
            format!("it does not speak TLS on this port; if it is meant to be so, {plain}").into()
        }
        (Step::Connect, None, Cause::Unavailable) => {
            format!("check the host's name and port, the DNS, and that a firewall lets {place} through").into()
        }
        (Step::Challenge, None, Cause::Unavailable) => {
            "check that a registry is there: host and port, and the path prefix of a proxy before it".into()
        }
        (Step::Token, None, Cause::Unavailable) => {
            "see whether its token server is up and reachable from here; if its CA is private too, list it under registries".into()
        }
        (Step::Manifest, None, Cause::Unavailable) => {
            "the registry takes the credential and fails then; its own log says more".into()
        }
        (_, None, cause) => of_cause(host, cause, named, reader),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::with_a_credential(true)]
    #[case::without_one(false)]
    fn github_says_what_its_tokens_need(#[case] named: bool) {
        for step in [Step::Token, Step::Scope, Step::Manifest] {
            let text = of_step(
                "ghcr.io",
                step,
                Cause::Unauthorized,
                None,
                named,
                Reader::Person,
            );
            for word in [
                "read:packages",
                "SSO",
                "visibility",
                "fine-grained tokens do not work",
            ] {
                assert!(text.contains(word), "{step:?}: {text}");
            }
        }
    }

    #[rstest]
    #[case::a_foreign_address(Step::Connect, Cause::Refused, None)]
    #[case::an_unknown_issuer(Step::Tls, Cause::Unavailable, Some(Hint::UnknownIssuer))]
    #[case::an_old_certificate(Step::Tls, Cause::Unavailable, Some(Hint::Expired))]
    #[case::nobody_answers(Step::Connect, Cause::Unavailable, None)]
    #[case::a_login_is_wanted(Step::Manifest, Cause::Unauthorized, None)]
    fn an_operator_is_told_what_an_operator_can_do(
        #[case] step: Step,
        #[case] cause: Cause,
        #[case] hint: Option<Hint>,
    ) {
        let text = of_step(
            "registry.example.com",
            step,
            cause,
            hint,
            false,
            Reader::Operator,
        );
        for word in ["--config", "docker login", "-n", "this machine"] {
            assert!(!text.contains(word), "{text}");
        }
    }
}
