//! `registry_types.json`: the registries that cotter tells apart, and what their users and tokens look like.

use cotter::domain::registry_type::{About, Finding, Login, RegistryType, Severity, check};
use jiff::Timestamp;
use libtest_mimic::{Failed, Trial};
use serde::Deserialize;
use std::collections::BTreeMap;

use crate::support::{equal, trials_of};

#[derive(Deserialize)]
struct Row {
    #[serde(rename = "type")]
    name: String,
    secret_keys: Vec<String>,
    #[serde(default)]
    accepted_spellings: Vec<String>,
    #[serde(default)]
    rejected_spellings: Vec<String>,
    #[serde(default)]
    public_hosts: Vec<String>,
    password: Option<Password>,
}

#[derive(Deserialize)]
struct Password {
    #[serde(default)]
    patterns: BTreeMap<String, String>,
}

/// A type, its user, and a password for each of its patterns; `None` where the case file only describes it.
pub(crate) struct Known {
    pub(crate) name: &'static str,
    pub(crate) registry_type: RegistryType,
    pub(crate) username: &'static str,
    pub(crate) passwords: &'static [(&'static str, Option<&'static str>)],
}

const THIRTY_SIX: &str = "0123456789abcdefghijABCDEFGHIJ012345";

pub(crate) const KNOWN: [Known; 10] = [
    Known {
        name: "ghcr",
        registry_type: RegistryType::Ghcr,
        username: "bot",
        passwords: &[
            (
                "classic PAT",
                Some("ghp_0123456789abcdefghijABCDEFGHIJ012345"),
            ),
            ("oauth", Some("gho_0123456789abcdefghijABCDEFGHIJ012345")),
            (
                "user-to-server",
                Some("ghu_0123456789abcdefghijABCDEFGHIJ012345"),
            ),
            (
                "server-to-server / GITHUB_TOKEN",
                Some("ghs_1_eyJh.b-c.d0123456789abcdefghijABCDEFGHIJ"),
            ),
            ("refresh", Some("ghr_0123456789abcdefghijABCDEFGHIJ012345")),
            ("fine-grained PAT", Some("github_pat_0123456789abcdefghij")),
            ("legacy", Some("0123456789abcdef0123456789abcdef01234567")),
        ],
    },
    Known {
        name: "dockerhub",
        registry_type: RegistryType::DockerHub,
        username: "bot@example.com",
        passwords: &[
            ("PAT", Some("dckr_pat_0123456789abcdefghij_-A")),
            ("OAT", Some("dckr_oat_x")),
        ],
    },
    Known {
        name: "ecr",
        registry_type: RegistryType::Ecr,
        username: "AWS",
        passwords: &[
            (
                "AWS access key id (input of a refresher)",
                Some("AKIAABCDEFGHIJKLMNOP"),
            ),
            (
                "AWS secret key",
                Some("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKL/+"),
            ),
        ],
    },
    Known {
        name: "acr",
        registry_type: RegistryType::Acr,
        username: "myregistry",
        passwords: &[("GUID user", None), ("refresh token", None)],
    },
    Known {
        name: "gcr_gar",
        registry_type: RegistryType::Google,
        username: "oauth2accesstoken",
        passwords: &[
            ("_json_key", None),
            ("_json_key_base64", None),
            ("oauth2accesstoken", Some("ya29.x")),
        ],
    },
    Known {
        name: "quay",
        registry_type: RegistryType::Quay,
        username: "org+robot",
        passwords: &[(
            "robot token",
            Some("0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF"),
        )],
    },
    Known {
        name: "harbor",
        registry_type: RegistryType::Harbor,
        username: "robot$project+ci",
        passwords: &[],
    },
    Known {
        name: "gitlab",
        registry_type: RegistryType::GitLab,
        username: "gitlab+deploy-token-7",
        passwords: &[
            ("PAT", Some("glpat-0123456789abcdefghij")),
            ("deploy token", Some("gldt-0123456789abcdefghij")),
            ("CI job token", Some("glcbt-1f_0123456789abcdefghij")),
        ],
    },
    Known {
        name: "artifactory",
        registry_type: RegistryType::Artifactory,
        username: "bot",
        passwords: &[
            (
                "API key",
                Some("AKCp012345678901234567890123456789012345678901234567890123456789012345678"),
            ),
            (
                "reference token",
                Some("cmVmd01234567890123456789012345678901234567890123456789012345678"),
            ),
            ("access token", None),
        ],
    },
    Known {
        name: "custom",
        registry_type: RegistryType::Custom,
        username: "bot",
        passwords: &[],
    },
];

pub(crate) fn trials() -> Vec<Trial> {
    trials_of("registry_types", "registry_types", |row: Row| {
        Trial::test(format!("registry_types::{}", row.name), move || {
            check_row(&row)
        })
    })
}

fn check_row(row: &Row) -> Result<(), Failed> {
    let known = KNOWN.iter().find(|known| known.name == row.name);
    let known = known.ok_or("cotter does not know this type")?;
    let spelled = row
        .secret_keys
        .iter()
        .chain(&row.accepted_spellings)
        .chain(&row.public_hosts);
    for server in spelled.map(|key| filled(key, known.registry_type)) {
        equal(
            &server,
            &RegistryType::of_server(&server),
            &known.registry_type,
        )?;
        let found = findings(known, &server, THIRTY_SIX);
        let about_server: Vec<_> = found.iter().filter(|f| f.about == About::Server).collect();
        equal(&server, &about_server, &Vec::new())?;
    }
    for server in &row.rejected_spellings {
        let found = findings(known, server, THIRTY_SIX);
        let is_error = |f: &Finding| f.about == About::Server && f.severity == Severity::Error;
        equal(server, &found.iter().any(is_error), &true)?;
    }
    let patterns = row.password.as_ref().map(|p| &p.patterns);
    let names: Vec<&str> = patterns
        .into_iter()
        .flat_map(|p| p.keys())
        .map(String::as_str)
        .collect();
    let mut sampled: Vec<&str> = known.passwords.iter().map(|(name, _)| *name).collect();
    sampled.sort_unstable();
    equal("patterns", &sampled, &names)?;
    let server = row
        .secret_keys
        .first()
        .map(|key| filled(key, known.registry_type));
    for (name, password) in known.passwords {
        let Some(password) = password else { continue };
        let found = findings(known, server.as_deref().unwrap_or_default(), password);
        let errors: Vec<_> = found
            .iter()
            .filter(|f| f.severity == Severity::Error)
            .collect();
        equal(name, &errors, &Vec::new())?;
        let unlike = found.iter().find(|f| f.text.contains("does not look like"));
        equal(name, &unlike, &None)?;
    }
    Ok(())
}

fn findings(known: &Known, server: &str, password: &str) -> Vec<Finding> {
    let login = Login {
        server,
        username: known.username,
        password: password.as_bytes(),
    };
    check(&login, Timestamp::UNIX_EPOCH)
}

/// A key of the case file with something in its gaps.
pub(crate) fn filled(key: &str, registry_type: RegistryType) -> String {
    let host = match registry_type {
        RegistryType::Harbor => "harbor.example.com",
        RegistryType::Artifactory => "acme.jfrog.io",
        RegistryType::GitLab => "registry.gitlab.example.com",
        _ => "registry.example.com",
    };
    key.replace("<host>", host)
        .replace("[:5050]", ":5050")
        .replace("[:port]", ":5000")
        .replace("[/path/]", "/team/")
        .replace("<12 digits>", "123456789012")
        .replace("<region>", "eu-west-1")
        .replace("<name>", "myregistry")
}
