use clap::{CommandFactory as _, Parser as _};
use rstest::rstest;

use super::*;
use crate::config::args::ServeArgs;

#[derive(Debug, clap::Parser)]
enum Cli {
    Serve(Box<ServeArgs>),
}

fn config(flags: &[&str]) -> Result<Config, String> {
    let line = ["cotter", "serve"].iter().chain(flags);
    let Cli::Serve(args) = Cli::try_parse_from(line).map_err(|e| e.to_string())?;
    Config::new(*args).map_err(|error| error.to_string())
}

#[test]
fn the_command_line_is_well_formed() {
    Cli::command().debug_assert();
}

#[test]
fn standalone_listens_on_loopback() {
    let config = config(&["--standalone"]).unwrap();
    assert_eq!(config.webhook.listen.to_string(), "127.0.0.1:8443");
    assert_eq!(config.ops.to_string(), "127.0.0.1:8080");
    let certs = Certificate::Made {
        dir: "certs".into(),
    };
    assert_eq!(config.webhook.certificate, certs);
    let source = Source::Standalone {
        mode: Mode::Enforce,
        pull_secrets: None,
    };
    assert_eq!(config.source, source);
}

#[test]
fn with_a_cluster_everybody_may_connect() {
    let config = config(&[]).unwrap();
    assert_eq!(config.webhook.listen.to_string(), "0.0.0.0:8443");
    assert_eq!(config.ops.to_string(), "0.0.0.0:8080");
}

#[test]
fn a_registration_comes_with_a_certificate_of_its_own() {
    let flags = "--webhook-configuration w --service s --namespace n";
    let config = config(&flags.split(' ').collect::<Vec<_>>()).unwrap();
    let Certificate::Own { host, .. } = config.webhook.certificate else {
        panic!("{:?}", config.webhook.certificate);
    };
    assert_eq!(host, "s.n.svc");
    assert_eq!(config.webhook.shutdown_delay.as_secs(), 5);
    let registration = config.webhook.registration.unwrap();
    assert_eq!(registration.secret, "cotter-trust");
}

#[rstest]
#[case::cert_alone(&["--cert", "a.pem"], "--cert needs its private key; add --key FILE")]
#[case::key_alone(&["--key", "a.pem"], "--key needs its certificate; add --cert FILE")]
#[case::pull_secrets_with_a_cluster(
    &["--pull-secrets", "a"],
    "--pull-secrets replaces a cluster's; add --standalone, or remove it and cotter reads the cluster's own"
)]
#[case::mode_with_a_cluster(
    &["--mode", "audit"],
    "--mode is each namespace's own in a cluster; add --standalone, or label the namespaces with \
     cotter.dev/mode=enforce or cotter.dev/mode=audit"
)]
#[case::two_configurations(
    &["--config", "a.yaml", "--config-map", "a", "--namespace", "b"],
    "--config and --config-map are two sources of one configuration; remove one"
)]
#[case::a_config_map_of_nowhere(
    &["--config-map", "a"],
    "--config-map is in cotter's own namespace; add --namespace"
)]
#[case::a_registration_of_nowhere(
    &["--webhook-configuration", "cotter"],
    "--webhook-configuration needs --service and --namespace, by which the API server reaches cotter"
)]
#[case::registries_alone(
    &["--registries", "--namespace", "n", "--registry-webhook-configuration", "r"],
    "--registry-webhook-configuration is kept together with --webhook-configuration; add that"
)]
#[case::registries_that_nobody_looks_after(
    &["--webhook-configuration", "w", "--service", "s", "--namespace", "n", "--registry-webhook-configuration", "r"],
    "--registry-webhook-configuration has cotter called for Registry objects; add --registries"
)]
#[case::one_configuration_by_two_names(
    &["--registries", "--webhook-configuration", "w", "--service", "s", "--namespace", "n", "--registry-webhook-configuration", "w"],
    "--registry-webhook-configuration and --webhook-configuration are two objects; write two names"
)]
#[case::own_certificates_that_nobody_trusts(
    &["--certificates", "self"],
    "--certificates self needs --webhook-configuration, whose callers have to trust it"
)]
#[case::certificate_files_that_are_not_named(
    &["--certificates", "files"],
    "--certificates files needs --cert FILE and --key FILE"
)]
#[case::files_beside_another_source(
    &["--certificates", "local", "--cert", "a", "--key", "b"],
    "--cert, --key and --ca go with --certificates files; remove them or change it"
)]
#[case::a_ca_for_no_configuration(
    &["--cert", "a", "--key", "b", "--ca", "c"],
    "--ca is written into a webhook configuration; add --webhook-configuration or remove it"
)]
#[case::a_leaf_that_outlives_its_ca(
    &["--webhook-configuration", "w", "--service", "s", "--namespace", "n", "--ca-life", "1h", "--leaf-life", "2h"],
    "--leaf-life must be at least 10m, and --ca-life at least as long"
)]
#[case::no_name(
    &["--watch-namespaces", "shop,Bank"],
    "--watch-namespaces: \"Bank\" is no namespace's name; write a,b with small letters, figures and hyphens"
)]
#[case::namespaces_without_a_cluster(
    &["--standalone", "--watch-namespaces", "shop"],
    "--watch-namespaces lists namespaces of a cluster; remove it or --standalone"
)]
#[case::cluster_without_one(
    &["--standalone", "--context", "kind"],
    "--kubeconfig, --context and --config-map name a cluster; remove them or --standalone"
)]
#[case::everywhere(
    &["--standalone", "--listen", "0.0.0.0:8443"],
    "--listen 0.0.0.0:8443 is reachable from elsewhere, and --standalone asks nobody who they are; \
     listen on 127.0.0.1 or [::1], or add --client-ca"
)]
#[case::two_problems(
    &["--cert", "a.pem", "--body-budget", "1Mi"],
    "--body-budget holds not even one review; write at least 32Mi\n\
     --cert needs its private key; add --key FILE"
)]
#[case::deadline(&["--deadline", "100ms"], "--deadline is out of range; write 300ms to 30s")]
#[case::no_file(
    &["--config", "/nonexistent/cotter.yaml"],
    "/nonexistent/cotter.yaml: cannot be read: No such file or directory (os error 2); check the path and its \
     permissions, or leave out --config"
)]
fn refused(#[case] flags: &[&str], #[case] said: &str) {
    assert_eq!(config(flags).unwrap_err(), said);
}

#[rstest]
#[case::loopback_v6(&["--standalone", "--listen", "[::1]:0"])]
#[case::with_client_ca(&["--standalone", "--listen", "0.0.0.0:8443", "--client-ca", "ca.pem"])]
#[case::own_certificate(&["--cert", "a.pem", "--key", "b.pem"])]
fn accepted(#[case] flags: &[&str]) {
    assert!(config(flags).is_ok());
}

#[rstest]
#[case::two("shop, bank,", &["shop", "bank"])]
#[case::an_empty_variable("", &[])]
fn watched_namespaces(#[case] text: &str, #[case] names: &[&str]) {
    let Source::Cluster { namespaces, .. } = config(&["--watch-namespaces", text]).unwrap().source
    else {
        panic!("a cluster");
    };
    assert_eq!(namespaces, names);
}

#[test]
fn a_bad_duration_names_the_flag_and_the_remedy() {
    let said = config(&["--drain", "20"]).unwrap_err();
    assert!(said.contains("--drain"), "{said}");
    assert!(
        said.contains("has no unit; write a duration such as"),
        "{said}"
    );
}

#[test]
fn every_option_has_an_environment_form() {
    let cli = Cli::command();
    let serve = cli.find_subcommand("serve").unwrap();
    for option in serve.get_arguments().filter(|a| !a.is_hide_set()) {
        let Some(long) = option
            .get_long()
            .filter(|l| *l != "help" && *l != "version")
        else {
            continue;
        };
        let form = format!("COTTER_{}", long.to_uppercase().replace('-', "_"));
        assert_eq!(option.get_env().unwrap().to_str(), Some(&*form));
    }
}
