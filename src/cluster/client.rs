//! A client of the API server: from a kubeconfig, or from the Pod's own service account. It is asked directly: the
//! environment's proxy is for registries.

use std::path::{Path, PathBuf};

use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig, KubeconfigError},
};

use super::errors::chain;

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The file named by the user.
    #[error(
        "{}: {reason}; name a kubeconfig that kubectl can use",
        path.display()
    )]
    Kubeconfig {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Neither a kubeconfig in the usual places nor a service account.
    #[error(
        "no cluster: the kubeconfig ($KUBECONFIG or ~/.kube/config): {kubeconfig}; the Pod's service account: \
         {in_cluster}; name a kubeconfig with --kubeconfig, or run without a cluster with --standalone"
    )]
    NoCluster {
        /// What is wrong with the kubeconfig.
        kubeconfig: String,
        /// What is wrong with the service account.
        in_cluster: String,
    },
    /// What was found cannot be used.
    #[error(
        "the cluster's client cannot be made: {0}; check the certificates and proxies of its configuration"
    )]
    Unusable(String),
    /// The kubeconfig wants a proxy. Its URL is not shown: it may hold a password.
    #[error(
        "the kubeconfig names a proxy-url for the cluster, which cotter does not use; name a context without one"
    )]
    Proxy,
}

/// Makes a client. Nothing is asked of the API server yet.
///
/// # Errors
/// [`ClientError`], with what to do.
pub async fn connect(
    kubeconfig: Option<&Path>,
    context: Option<&str>,
) -> Result<Client, ClientError> {
    let config = config(kubeconfig, context).await?;
    if config.proxy_url.is_some() {
        return Err(ClientError::Proxy);
    }
    // kube and rustls take the process's provider of cryptography, and rustls panics where two are compiled in and
    // none was chosen. An error here means that it was chosen already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    Client::try_from(config).map_err(|error| ClientError::Unusable(chain(&error)))
}

async fn config(kubeconfig: Option<&Path>, context: Option<&str>) -> Result<Config, ClientError> {
    let options = KubeConfigOptions {
        context: context.map(str::to_owned),
        ..KubeConfigOptions::default()
    };
    if let Some(path) = kubeconfig {
        let fail = |error| ClientError::Kubeconfig {
            path: path.to_owned(),
            reason: chain(&error),
        };
        let file = Kubeconfig::read_from(path).map_err(fail)?;
        return of_file(file, &options).await.map_err(fail);
    }
    let found = match Kubeconfig::read() {
        Ok(file) => of_file(file, &options).await,
        Err(error) => Err(error),
    };
    let kubeconfig = match found {
        Ok(config) => return Ok(config),
        Err(error) => chain(&error),
    };
    // A context that was asked for is never silently another cluster.
    if context.is_some() {
        let in_cluster = "not tried, since a context is named".to_owned();
        return Err(ClientError::NoCluster {
            kubeconfig,
            in_cluster,
        });
    }
    Config::incluster().map_err(|error| ClientError::NoCluster {
        kubeconfig,
        in_cluster: chain(&error),
    })
}

async fn of_file(file: Kubeconfig, options: &KubeConfigOptions) -> Result<Config, KubeconfigError> {
    let proxied = has_proxy(&file, options.context.as_deref());
    let mut config = Config::from_custom_kubeconfig(file, options).await?;
    // kube takes the environment's where the file has none.
    config.proxy_url = config.proxy_url.filter(|_| proxied);
    Ok(config)
}

/// Whether the file itself names a proxy for the cluster of this context.
fn has_proxy(file: &Kubeconfig, context: Option<&str>) -> bool {
    let wanted = context.or(file.current_context.as_deref());
    let context = file.contexts.iter().find(|one| Some(&*one.name) == wanted);
    let cluster = context.and_then(|one| Some(&one.context.as_ref()?.cluster));
    let cluster = file.clusters.iter().find(|one| Some(&one.name) == cluster);
    let proxy = cluster.and_then(|one| one.cluster.as_ref()?.proxy_url.as_deref());
    proxy.is_some_and(|proxy| !proxy.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KUBECONFIG: &str = "
apiVersion: v1
kind: Config
clusters: [{ name: c, cluster: { server: 'https://127.0.0.1:1', insecure-skip-tls-verify: true } }]
users: [{ name: u, user: { token: t } }]
contexts: [{ name: here, context: { cluster: c, user: u } }]
current-context: here
";

    async fn error(text: &str, context: Option<&str>) -> String {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config");
        std::fs::write(&path, text).unwrap();
        let result = connect(Some(&path), context).await;
        let said = result.err().map(|error| error.to_string());
        said.unwrap_or_default()
            .replace(&path.display().to_string(), "config")
    }

    #[tokio::test]
    async fn a_kubeconfig_makes_a_client() {
        assert_eq!(error(KUBECONFIG, Some("here")).await, "");
    }

    #[tokio::test]
    async fn a_proxy_of_the_kubeconfig_is_refused_without_its_password() {
        let server = "server: 'https://127.0.0.1:1',";
        let proxy = "proxy-url: 'http://alice:s3cret@proxy:3128',";
        let with_proxy = KUBECONFIG.replace(server, &format!("{server} {proxy}"));
        let said = error(&with_proxy, None).await;
        assert!(said.contains("names a proxy-url"), "{said}");
        assert!(!said.contains("s3cret"), "{said}");
    }

    #[tokio::test]
    async fn a_context_that_is_not_there_is_named() {
        let said = error(KUBECONFIG, Some("there")).await;
        assert!(
            said.starts_with("config: ") && said.contains("there"),
            "{said}"
        );
        assert!(
            said.ends_with("name a kubeconfig that kubectl can use"),
            "{said}"
        );
    }

    #[tokio::test]
    async fn a_file_that_is_not_there_is_named() {
        let result = connect(Some(Path::new("/nonexistent/config")), None).await;
        let said = result.err().map(|error| error.to_string()).unwrap();
        assert!(said.starts_with("/nonexistent/config: "), "{said}");
    }
}
