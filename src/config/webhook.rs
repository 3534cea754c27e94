//! The webhook's listener: its address, its certificate, its limits, and its registration with the API server.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use super::args::{CertificatesArg, ClusterArgs, ListenArgs, TlsArgs};

/// One body's largest size; the shared budget must hold at least one.
pub const LARGEST_BODY: usize = 32 << 20;

/// How long endpoints take to move away from a Pod: seconds (facts §9.2 lost nothing with 5 s).
const ENDPOINTS_MOVE: Duration = Duration::from_secs(5);

/// The shortest life of a certificate: the next one is made after two thirds, and callers have to learn of it.
const SHORTEST_LIFE: Duration = Duration::from_mins(10);

/// The webhook's listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Its address.
    pub listen: SocketAddr,
    /// Its certificate.
    pub certificate: Certificate,
    /// The CAs of its callers, PEM; `None` where callers present no certificate.
    pub client_ca: Option<PathBuf>,
    /// How the API server learns of it; `None` where that is the user's business and the path is plain `/mutate`.
    pub registration: Option<Registration>,
    /// The bytes that the bodies in flight may take together; at least [`LARGEST_BODY`].
    pub body_budget: usize,
    /// The longest that one review may take.
    pub deadline: Duration,
    /// How long new reviews are still answered after SIGTERM.
    pub shutdown_delay: Duration,
    /// How long reviews in flight are waited for after that.
    pub drain: Duration,
}

/// Where the webhook's certificate comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Certificate {
    /// Files of the user's, PEM.
    Files {
        /// The chain, leaf first.
        cert: PathBuf,
        /// The private key.
        key: PathBuf,
        /// The authority to keep in `caBundle`; `None` where others keep it.
        ca: Option<PathBuf>,
    },
    /// A CA and a leaf for localhost of cotter's own, kept in this directory.
    Made {
        /// The directory.
        dir: PathBuf,
    },
    /// A CA of cotter's own that all replicas share, and each replica's leaf of it.
    Own {
        /// The DNS name that the API server calls, `<service>.<namespace>.svc`.
        host: String,
        /// How long the CA lives.
        ca_life: Duration,
        /// How long a leaf lives.
        leaf_life: Duration,
    },
}

/// The webhook configurations that cotter keeps right, and the Secret that its replicas share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// The name of the `MutatingWebhookConfiguration`.
    pub configuration: String,
    /// The name of the one for `Registry` objects; `None` where there is none.
    pub registries: Option<String>,
    /// The Service that webhooks of cotter's name.
    pub service: String,
    /// The namespace of the Service and of the Secret: cotter's own.
    pub namespace: String,
    /// The name of the Secret.
    pub secret: String,
}

/// Checks what the flags say of the listener; `None` if a problem leaves no certificate.
pub(super) fn webhook(
    standalone: bool,
    listen: &ListenArgs,
    tls: TlsArgs,
    cluster: &ClusterArgs,
    problems: &mut Vec<String>,
) -> Option<Webhook> {
    let ListenArgs {
        listen,
        ops: _,
        body_budget,
        deadline,
        drain,
        shutdown_delay,
    } = *listen;
    let listen = listen.unwrap_or(any_or_loopback(standalone, 8443));
    let client_ca = tls.client_ca.clone();
    // Without a cluster nobody is authenticated, so any Pod that reaches the port could use the pull secrets.
    if standalone && client_ca.is_none() && !listen.ip().to_canonical().is_loopback() {
        problems.push(format!(
            "--listen {listen} is reachable from elsewhere, and --standalone asks nobody who they are; \
             listen on 127.0.0.1 or [::1], or add --client-ca"
        ));
    }
    if body_budget < LARGEST_BODY {
        problems.push("--body-budget holds not even one review; write at least 32Mi".to_owned());
    }
    // 300 ms is the least that design §2.6 grants a review, 30 s the most that an API server waits.
    if deadline < Duration::from_millis(300) || deadline > Duration::from_secs(30) {
        problems.push("--deadline is out of range; write 300ms to 30s".to_owned());
    }
    let registration = registration(standalone, cluster, problems);
    let certificate = certificate(tls, registration.as_ref(), problems)?;
    let moving = if standalone {
        Duration::ZERO
    } else {
        ENDPOINTS_MOVE
    };
    Some(Webhook {
        listen,
        certificate,
        client_ca,
        registration,
        body_budget,
        deadline,
        shutdown_delay: shutdown_delay.unwrap_or(moving),
        drain,
    })
}

/// Every interface, or without a cluster loopback only.
pub(super) fn any_or_loopback(standalone: bool, port: u16) -> SocketAddr {
    let address = if standalone {
        Ipv4Addr::LOCALHOST
    } else {
        Ipv4Addr::UNSPECIFIED
    };
    (address, port).into()
}

fn registration(
    standalone: bool,
    cluster: &ClusterArgs,
    problems: &mut Vec<String>,
) -> Option<Registration> {
    let registries = cluster.registry_webhook_configuration.clone();
    let Some(configuration) = cluster.webhook_configuration.clone() else {
        if registries.is_some() {
            let said = "--registry-webhook-configuration is kept together with --webhook-configuration; add that";
            problems.push(said.to_owned());
        }
        return None;
    };
    if registries.is_some() && !cluster.registries {
        let said = "--registry-webhook-configuration has cotter called for Registry objects; add --registries";
        problems.push(said.to_owned());
    }
    if registries.as_ref() == Some(&configuration) {
        let said = "--registry-webhook-configuration and --webhook-configuration are two objects; write two names";
        problems.push(said.to_owned());
    }
    if standalone {
        let said = "--webhook-configuration is a cluster's; remove it or --standalone";
        problems.push(said.to_owned());
        return None;
    }
    let (Some(service), Some(namespace)) = (&cluster.service, &cluster.namespace) else {
        let said = "--webhook-configuration needs --service and --namespace, by which the API server reaches cotter";
        problems.push(said.to_owned());
        return None;
    };
    Some(Registration {
        configuration,
        registries,
        service: service.clone(),
        namespace: namespace.clone(),
        secret: cluster.trust_secret.clone(),
    })
}

fn certificate(
    tls: TlsArgs,
    registration: Option<&Registration>,
    problems: &mut Vec<String>,
) -> Option<Certificate> {
    let TlsArgs {
        certificates,
        cert,
        key,
        certs_dir,
        ca,
        ca_life,
        leaf_life,
        client_ca: _,
    } = tls;
    let kind = certificates.unwrap_or(match (&cert, &key, registration) {
        (None, None, None) => CertificatesArg::Local,
        (None, None, Some(_)) => CertificatesArg::Own,
        _ => CertificatesArg::Files,
    });
    if kind != CertificatesArg::Files && (cert.is_some() || key.is_some() || ca.is_some()) {
        let said = "--cert, --key and --ca go with --certificates files; remove them or change it";
        problems.push(said.to_owned());
    }
    match (kind, cert, key) {
        (CertificatesArg::Local, ..) => Some(Certificate::Made { dir: certs_dir }),
        (CertificatesArg::Own, ..) => own(registration, ca_life, leaf_life, problems),
        (CertificatesArg::Files, Some(cert), Some(key)) => {
            if ca.is_some() && registration.is_none() {
                let said = "--ca is written into a webhook configuration; add --webhook-configuration or remove it";
                problems.push(said.to_owned());
            }
            Some(Certificate::Files { cert, key, ca })
        }
        (CertificatesArg::Files, cert, key) => {
            let said = match (cert, key) {
                (Some(_), _) => "--cert needs its private key; add --key FILE",
                (_, Some(_)) => "--key needs its certificate; add --cert FILE",
                _ => "--certificates files needs --cert FILE and --key FILE",
            };
            problems.push(said.to_owned());
            None
        }
    }
}

fn own(
    registration: Option<&Registration>,
    ca_life: Duration,
    leaf_life: Duration,
    problems: &mut Vec<String>,
) -> Option<Certificate> {
    let Some(Registration {
        service, namespace, ..
    }) = registration
    else {
        let said =
            "--certificates self needs --webhook-configuration, whose callers have to trust it";
        problems.push(said.to_owned());
        return None;
    };
    if leaf_life < SHORTEST_LIFE || ca_life < leaf_life {
        let said = "--leaf-life must be at least 10m, and --ca-life at least as long";
        problems.push(said.to_owned());
    }
    Some(Certificate::Own {
        host: format!("{service}.{namespace}.svc"),
        ca_life,
        leaf_life,
    })
}
