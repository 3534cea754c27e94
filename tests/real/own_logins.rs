//! `credentials: node`: a registry of each cloud under its real name, asked with what the cloud gives cotter itself. A proxy
//! brings the names to this machine; behind them is a real registry.

use std::fs;

use serde_json::{Value, json};

use crate::{
    connect_proxy::{ConnectProxy, Manners},
    lab::{Cotter, Lab, eventually, lab, one, pinned, seeded},
    support::{
        ca::Ca,
        https_server,
        moto::{self, Moto},
        ports,
        registry_part::Registry,
        require,
        scratch::Scratch,
        token_server::Grant,
    },
};

mod amazon;
mod clouds;
mod front;

use amazon::{Amazon, POD_TOKEN, SECRET_KEY};
use clouds::{ENTRA_TOKEN, Entra, Google};
use front::Front;

/// What the tests' metadata server gives.
const GOOGLE: (&str, &str) = ("oauth2accesstoken", "ya29.of-the-pod");
/// What the tests' ACR gives for a token of Entra.
const AZURE: (&str, &str) = ("00000000-0000-0000-0000-000000000000", "of-the-registry");

/// A registry at a cloud, and the way to it.
struct Site {
    registry: Registry,
    front: Front,
    proxy: ConnectProxy,
    scratch: Scratch,
}

impl Site {
    /// The registry `name`, where `login` alone may read `acme/`.
    fn start(name: &str, login: (&str, &str)) -> Self {
        let grants = vec![Grant::new(login.0, "acme/", &["pull"])];
        let registry = seeded(Registry::with_tokens(&[login], grants));
        let front = Front::start(name, &registry);
        Self {
            registry,
            front,
            proxy: https_server::runtime().block_on(ConnectProxy::start(Manners::default())),
            scratch: Scratch::new("cloud"),
        }
    }

    /// A cotter whose nodes hold the credential; `more` are the hosts that its cloud has, with their CA.
    fn cotter(&self, lab: &Lab, more: &[(&str, &Ca)], env: &[(&str, &str)]) -> Cotter {
        let auth = self.registry.auth_host().unwrap();
        let cas = self.registry.ca_file();
        let mut hosts = vec![
            json!({"host": self.front.host(), "credentials": "node", "allowPrivate": true, "authHosts": [auth],
                "caFile": self.file("front.pem", self.front.ca())}),
            json!({"host": auth, "caFile": cas, "allowPrivate": true}),
        ];
        hosts.extend(more.iter().map(|(host, ca)| {
            json!({"host": host, "caFile": self.file("cloud.pem", ca.pem()), "allowPrivate": true})
        }));
        let config = format!("registries: {}", Value::from(hosts));
        let proxy = format!("http://127.0.0.1:{}", self.proxy.port());
        let env = [&[("HTTPS_PROXY", proxy.as_str())], env].concat();
        Cotter::start_in(&lab.plane, &config, &[], &env)
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.scratch.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_string_lossy().into_owned()
    }

    fn image(&self, rest: &str) -> String {
        format!("{}/{rest}", self.front.host())
    }

    /// Waits until cotter has a login of its own, or has none.
    fn has_login(&self, cotter: &Cotter, is_held: bool) {
        let metric = format!(
            "cotter_own_login{{host=\"{}\"}} {}",
            self.front.host(),
            i32::from(is_held)
        );
        eventually(&metric, || {
            let metrics = cotter.ops("/metrics").1;
            metrics.lines().any(|line| line == metric).then_some(())
        });
    }

    /// A Pod without a pull secret is pinned, and nobody but `user` has asked.
    fn pins(&self, lab: &Lab, cotter: &Cotter, user: &str) {
        self.has_login(cotter, true);
        let ns = lab.namespace_for(cotter, &[("cotter.dev/mode", "enforce")]);
        let image = self.image("acme/app:dev");
        let made = ns.run(&image);
        let digest = self.registry.digest("acme/app", "dev");
        assert_eq!(made.image(), pinned(&image, &digest), "{}", cotter.log());
        assert!(made.secrets().is_empty());
        assert!(made.warnings.is_empty(), "{:?}", made.warnings);
        assert_eq!(self.who_asked(), [user]);
    }

    /// The users that the token server was asked by, besides crane; nobody is the empty one.
    fn who_asked(&self) -> Vec<String> {
        let asked = self.registry.tokens().requests().into_iter();
        let users = asked.map(|asked| asked.user.unwrap_or_default());
        users.filter(|user| user != "pusher").collect()
    }
}

/// No secret is anywhere that people look.
fn hides(cotter: &Cotter, secrets: &[&str]) {
    let (log, metrics) = (cotter.log(), cotter.ops("/metrics").1);
    for secret in secrets {
        let is_shown = log.contains(secret) || metrics.contains(secret);
        assert!(!is_shown, "{secret}");
    }
}

/// A private image of ECR is pinned with the identity that AWS' own variables lead to.
fn is_pinned_at_ecr(site: &Site, env: &[(&str, &str)]) {
    let lab = lab!();
    let aws = Moto::start("127.0.0.1", ports::free());
    let everywhere = [
        ("AWS_ENDPOINT_URL", aws.url()),
        ("AWS_REGION", "eu-central-1"),
    ];
    let cotter = site.cotter(&lab, &[], &[&everywhere, env].concat());
    site.pins(&lab, &cotter, moto::LOGIN.0);
    hides(&cotter, &[moto::LOGIN.1, SECRET_KEY, POD_TOKEN]);
}

fn site_at_ecr() -> Site {
    let name = "123456789012.dkr.ecr.eu-central-1.amazonaws.com";
    Site::start(name, moto::LOGIN)
}

#[test]
fn eks_and_ecr_by_the_role_of_a_service_account() {
    require!("moto_server", "registry", "crane");
    let site = site_at_ecr();
    let token = site.file("token", "a token of the cluster");
    let env = [
        ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/cotter"),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", &token),
    ];
    is_pinned_at_ecr(&site, &env);
}

#[test]
fn eks_and_ecr_by_the_identity_of_the_pod() {
    require!("moto_server", "registry", "crane");
    let (site, amazon) = (site_at_ecr(), Amazon::start());
    let token = site.file("token", POD_TOKEN);
    let env = [
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", &*amazon.agent()),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", &token),
    ];
    is_pinned_at_ecr(&site, &env);
}

#[test]
fn eks_and_ecr_by_the_profile_of_the_instance() {
    require!("moto_server", "registry", "crane");
    let (site, amazon) = (site_at_ecr(), Amazon::start());
    let metadata = amazon.metadata();
    let env = [("AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata.as_str())];
    is_pinned_at_ecr(&site, &env);
}

#[test]
fn gke_and_artifact_registry_by_the_metadata_server() {
    let lab = lab!();
    let site = Site::start("europe-docker.pkg.dev", GOOGLE);
    let google = Google::start(GOOGLE.1);
    let cotter = site.cotter(&lab, &[], &[("GCE_METADATA_HOST", &google.host())]);
    site.pins(&lab, &cotter, GOOGLE.0);
    hides(&cotter, &[GOOGLE.1]);
}

#[test]
fn aks_and_acr_by_a_federated_token() {
    let lab = lab!();
    let site = Site::start("shop.azurecr.io", AZURE);
    let entra = Entra::start("a token of the cluster");
    site.front.exchanges(ENTRA_TOKEN, AZURE.1);
    // A file's last line ends.
    let token = site.file("token", "a token of the cluster\n");
    let env = [
        ("AZURE_AUTHORITY_HOST", &*entra.url()),
        ("AZURE_CLIENT_ID", "client"),
        ("AZURE_TENANT_ID", "tenant"),
        ("AZURE_FEDERATED_TOKEN_FILE", &token),
    ];
    let cotter = site.cotter(&lab, &[(&entra.host(), entra.ca())], &env);
    site.pins(&lab, &cotter, AZURE.0);
    hides(&cotter, &[AZURE.1, ENTRA_TOKEN, "a token of the cluster"]);
}

#[test]
fn aks_and_acr_by_the_identity_of_the_node() {
    let lab = lab!();
    let site = Site::start("shop.azurecr.io", AZURE);
    let entra = Entra::start("");
    site.front.exchanges(ENTRA_TOKEN, AZURE.1);
    let env = [
        ("AZURE_POD_IDENTITY_AUTHORITY_HOST", &*entra.metadata()),
        ("AZURE_CLIENT_ID", "client"),
    ];
    let cotter = site.cotter(&lab, &[], &env);
    site.pins(&lab, &cotter, AZURE.0);
}

#[test]
fn while_a_cloud_refuses_nobody_is_asked_and_who_can_mend_it_reads_how() {
    let lab = lab!();
    let site = Site::start("europe-docker.pkg.dev", GOOGLE);
    let google = Google::start(GOOGLE.1);
    google.refuse("Permission iam.serviceAccounts.getAccessToken denied");
    let cotter = site.cotter(&lab, &[], &[("GCE_METADATA_HOST", &google.host())]);
    site.has_login(&cotter, false);
    let ns = lab.namespace_for(&cotter, &[("cotter.dev/mode", "enforce")]);
    let image = site.image("acme/app:dev");
    let made = ns.run(&image);
    assert_eq!(made.image(), image);
    made.warns(
        "not pinned: cotter gets no login from Google Cloud; its operator sees why in its log",
    );
    assert_eq!(made.warnings.len(), 1, "{:?}", made.warnings);
    assert_eq!(site.who_asked(), [""; 0]);
    let log = cotter.log();
    let said = format!(
        "Google Cloud makes no login for cotter's own identity: its metadata server {} answered 403 Forbidden: Permission \
         iam.serviceAccounts.getAccessToken denied; give cotter's Pods one (Workload Identity Federation for GKE or the \
         node's service account) with roles/artifactregistry.reader",
        google.host()
    );
    assert!(log.contains(&said), "{log}");
    google.grant();
    site.pins(&lab, &cotter, GOOGLE.0);
}

#[test]
fn where_cotters_own_identity_may_not_read_no_pull_secret_is_blamed() {
    let lab = lab!();
    let site = Site::start("europe-docker.pkg.dev", GOOGLE);
    let google = Google::start(GOOGLE.1);
    let cotter = site.cotter(&lab, &[], &[("GCE_METADATA_HOST", &google.host())]);
    site.has_login(&cotter, true);
    let ns = lab.namespace_for(&cotter, &[("cotter.dev/mode", "enforce")]);
    let config = json!({"auths": {site.front.host(): {"username": "me", "password": "mine"}}});
    ns.secret("own", &config.to_string());
    let mut spec = one(&site.image("beta/app:dev"));
    spec["imagePullSecrets"] = json!([{"name": "own"}]);
    let made = ns.create(&json!({"generateName": "p-"}), &spec, "");
    made.warns(
        "no such tag, or cotter's own Google Cloud identity may not read it; ask its operator",
    );
    assert_eq!(made.warnings.len(), 1, "{:?}", made.warnings);
    let needs = "cotter asked with its own Google Cloud identity, which needs roles/artifactregistry.reader";
    let log = cotter.log();
    assert!(log.contains(needs), "{log}");
    assert_eq!(site.who_asked(), [GOOGLE.0]);
}
