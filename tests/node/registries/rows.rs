//! A row for each type: where it is, what its Secret holds, and what its pull secrets are to hold (facts §7).

use serde_json::{Value, json};

use crate::support::moto;
use crate::support::node::vendors::{self, ZERO_GUID};

pub(super) struct Row {
    /// Of the Registry, its Secret, its pull secrets and its Pod.
    pub(super) name: &'static str,
    pub(super) spec: Value,
    /// As images spell it.
    pub(super) host: &'static str,
    pub(super) repository: &'static str,
    pub(super) account: Option<Account>,
}

pub(super) struct Account {
    /// What the Secret holds: a credential that the registry refuses, and one that it takes.
    pub(super) wrong: Value,
    pub(super) right: Value,
    /// User and password of the pull secrets, and the `auths` key that they stand under.
    pub(super) login: (&'static str, String),
    pub(super) auths: &'static str,
    /// Words of what is said to the wrong one.
    pub(super) remedy: &'static str,
}

/// `refresh` is a token of ACR that stands for a password.
pub(super) fn rows(refresh: &str) -> Vec<Row> {
    clouds(refresh).into_iter().chain(others()).collect()
}

fn clouds(refresh: &str) -> [Row; 5] {
    let forged = format!("{refresh}AAAA");
    [
        Row {
            name: "ecr",
            spec: json!({"type": "ECR", "account": "123456789012", "region": "eu-central-1"}),
            host: vendors::ECR,
            repository: "shop/ecr",
            account: Some(aws().under(vendors::ECR, "ecr:BatchGetImage")),
        },
        Row {
            name: "acr",
            spec: json!({"type": "ACR", "host": "shop.azurecr.io"}),
            host: "shop.azurecr.io",
            repository: "shop/acr",
            account: Some(
                login("ci-pull", "password", ["azure-revoked", "azure-current"])
                    .under("shop.azurecr.io", "AcrPull"),
            ),
        },
        Row {
            name: "acr-refresh-token",
            spec: json!({"type": "ACR", "host": vendors::EXCHANGING}),
            host: vendors::EXCHANGING,
            repository: "shop/acr-refresh-token",
            account: Some(
                login(ZERO_GUID, "password", [&forged, refresh])
                    .under(vendors::EXCHANGING, "a refresh token lasts 3 hours"),
            ),
        },
        Row {
            name: "gcr",
            spec: json!({"type": "GCR"}),
            host: "gcr.io",
            repository: "shop-project/app",
            account: Some(google().under("gcr.io", "a service account's key")),
        },
        Row {
            name: "gar",
            spec: json!({"type": "GAR", "region": "europe-west3"}),
            host: "europe-west3-docker.pkg.dev",
            repository: "shop-project/images/app",
            account: Some(google().under("europe-west3-docker.pkg.dev", "a service account's key")),
        },
    ]
}

fn others() -> [Row; 5] {
    [
        Row {
            name: "ghcr",
            spec: json!({"type": "GHCR", "owner": "bytequester"}),
            host: "ghcr.io",
            repository: "bytequester/app",
            account: Some(
                login("octocat", "token", ["ghp_revoked", "ghp_current"])
                    .under("ghcr.io/bytequester/", "read:packages"),
            ),
        },
        Row {
            name: "docker-hub",
            spec: json!({"type": "DockerHub"}),
            host: "docker.io",
            repository: "bytequester/hub",
            account: Some(
                login("acme", "password", ["dckr_pat_old", "dckr_pat_current"])
                    .under("https://index.docker.io/v1/", "the Docker ID"),
            ),
        },
        Row {
            name: "quay",
            spec: json!({"type": "Quay", "owner": "shop"}),
            host: "quay.io",
            repository: "shop/quay",
            account: Some(
                login("shop+ci", "token", ["QUAYREVOKED", "QUAYCURRENT"])
                    .under("quay.io/shop/", "a robot account"),
            ),
        },
        Row {
            name: "custom",
            spec: json!({"type": "Custom", "host": vendors::CUSTOM}),
            host: vendors::CUSTOM,
            repository: "shop/custom",
            account: Some(
                login(
                    "robot$shop+ci",
                    "password",
                    ["harbor-old", "harbor-current"],
                )
                .under(vendors::CUSTOM, "Check user and password"),
            ),
        },
        Row {
            name: "public",
            spec: json!({"type": "Public", "host": "public.ecr.aws"}),
            host: "public.ecr.aws",
            repository: "public/app",
            account: None,
        },
    ]
}

impl Account {
    fn under(self, auths: &'static str, remedy: &'static str) -> Self {
        Self {
            auths,
            remedy,
            ..self
        }
    }
}

/// A credential, of which a row says the rest.
fn account(wrong: Value, right: Value, login: (&'static str, String)) -> Account {
    Account {
        wrong,
        right,
        login,
        auths: "",
        remedy: "",
    }
}

fn login(user: &'static str, key: &str, [wrong, right]: [&str; 2]) -> Account {
    let data = |password| json!({"username": user, key: password});
    account(data(wrong), data(right), (user, right.to_owned()))
}

fn google() -> Account {
    let [wrong, right] = ["revoked", "current"].map(service_account);
    let data = |key| json!({"serviceAccountKey": key});
    account(data(&wrong), data(&right), ("_json_key", right))
}

fn service_account(key: &str) -> String {
    json!({"type": "service_account", "project_id": "shop-project", "private_key_id": key,
        "private_key": "-----BEGIN PRIVATE KEY-----\nAA\n-----END PRIVATE KEY-----\n",
        "client_email": "ci@shop-project.iam.gserviceaccount.com", "token_uri": "https://oauth2.googleapis.com/token"})
    .to_string()
}

fn aws() -> Account {
    let keys = |secret| json!({"accessKeyId": "AKIAIOSFODNN7EXAMPLE", "secretAccessKey": secret});
    account(
        keys("bJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        keys("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        (moto::LOGIN.0, moto::LOGIN.1.to_owned()),
    )
}
