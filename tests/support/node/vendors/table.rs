//! What sets the vendors apart (facts §4.2, `cases/registry_types.json`).

/// A private registry of Amazon's: its account is the one that moto makes passwords for.
pub const ECR: &str = "123456789012.dkr.ecr.eu-central-1.amazonaws.com";
/// A registry of Azure's that takes tokens of Microsoft Entra, too, and the user that goes with its own.
pub const EXCHANGING: &str = "build.azurecr.io";
pub const ZERO_GUID: &str = "00000000-0000-0000-0000-000000000000";
/// Somebody's own registry, a Harbor.
pub const CUSTOM: &str = "registry.corp.example:5443";

const GOOGLE_REFUSAL: (u16, &str) = (
    401,
    r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication failed"}]}"#,
);

pub(super) struct Vendor {
    /// As images spell it.
    pub(super) host: &'static str,
    /// Where it is asked.
    pub(super) api: &'static str,
    /// Host and path of its tokens; nothing where every request takes user and password.
    pub(super) realm: Option<&'static str>,
    pub(super) service: &'static str,
    /// The members of a grant that hold the token.
    pub(super) members: &'static [&'static str],
    /// Status and body for a login that is wrong.
    pub(super) refusal: (u16, &'static str),
    /// Whether the token server, and not the registry, says no to nobody.
    pub(super) wants_login: bool,
    /// The status for a token that is asked for by POST.
    pub(super) post: u16,
    pub(super) quirk: Option<Quirk>,
}

/// What a client may stumble over.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Quirk {
    /// A HEAD of a tag that is refused comes without a challenge: `GET /v2/` has one.
    NoChallenge,
    /// A GET of a manifest does not name its digest, a HEAD does.
    NoDigest,
    /// It would take user and password as well.
    BasicToo,
    /// A tag is unknown to those who do not say that an index will do.
    NoIndexUnasked,
}

const VENDOR: Vendor = Vendor {
    host: "",
    api: "",
    realm: None,
    service: "",
    members: &["token"],
    refusal: (
        401,
        r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#,
    ),
    wants_login: false,
    post: 405,
    quirk: None,
};

const AZURE: Vendor = Vendor {
    members: &["access_token"],
    wants_login: true,
    post: 400,
    quirk: Some(Quirk::BasicToo),
    ..VENDOR
};

pub(super) const VENDORS: [Vendor; 10] = [
    Vendor {
        host: "ghcr.io",
        api: "ghcr.io",
        realm: Some("ghcr.io/token"),
        service: "ghcr.io",
        refusal: (403, r#"{"errors":[{"code":"DENIED","message":"denied"}]}"#),
        wants_login: true,
        ..VENDOR
    },
    Vendor {
        host: "docker.io",
        api: "registry-1.docker.io",
        realm: Some("auth.docker.io/token"),
        service: "registry.docker.io",
        members: &["token", "access_token"],
        refusal: (401, r#"{"details":"incorrect username or password"}"#),
        ..VENDOR
    },
    Vendor {
        host: ECR,
        api: ECR,
        service: "ecr.amazonaws.com",
        refusal: (
            403,
            r#"{"errors":[{"code":"DENIED","message":"Your authorization token has expired. Reauthenticate and try again."}]}"#,
        ),
        quirk: Some(Quirk::NoDigest),
        ..VENDOR
    },
    Vendor {
        host: "shop.azurecr.io",
        api: "shop.azurecr.io",
        realm: Some("shop.azurecr.io/oauth2/token"),
        service: "shop.azurecr.io",
        ..AZURE
    },
    Vendor {
        host: EXCHANGING,
        api: EXCHANGING,
        realm: Some("build.azurecr.io/oauth2/token"),
        service: EXCHANGING,
        ..AZURE
    },
    Vendor {
        host: "gcr.io",
        api: "gcr.io",
        realm: Some("gcr.io/v2/token"),
        service: "gcr.io",
        refusal: GOOGLE_REFUSAL,
        post: 404,
        quirk: Some(Quirk::NoChallenge),
        ..VENDOR
    },
    Vendor {
        host: "europe-west3-docker.pkg.dev",
        api: "europe-west3-docker.pkg.dev",
        realm: Some("europe-west3-docker.pkg.dev/v2/token"),
        service: "europe-west3-docker.pkg.dev",
        refusal: GOOGLE_REFUSAL,
        post: 404,
        ..VENDOR
    },
    Vendor {
        host: "quay.io",
        api: "quay.io",
        realm: Some("quay.io/v2/auth"),
        service: "quay.io",
        quirk: Some(Quirk::NoIndexUnasked),
        ..VENDOR
    },
    Vendor {
        host: CUSTOM,
        api: CUSTOM,
        realm: Some("registry.corp.example:5443/service/token"),
        service: "harbor-registry",
        members: &["token", "access_token"],
        ..VENDOR
    },
    Vendor {
        host: "public.ecr.aws",
        api: "public.ecr.aws",
        realm: Some("public.ecr.aws/token/"),
        service: "public.ecr.aws",
        ..VENDOR
    },
];
