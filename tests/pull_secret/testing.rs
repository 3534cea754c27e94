//! `--test`: the registry is asked with the login before anything is written.

use rstest::rstest;
use tokio::runtime::Runtime;

use crate::{
    home::Home,
    oci_registry::{Image, OciRegistry},
    support::command::Outcome,
};

struct Lab {
    runtime: Runtime,
    registry: OciRegistry,
    home: Home,
    config: String,
}

impl Lab {
    /// A registry with a private repository that `bot` may read with the password `right`, and a public one.
    fn start() -> Self {
        let runtime = Runtime::new().unwrap();
        let registry = runtime.block_on(OciRegistry::start());
        registry.add_user("bot", "right", &["team/app"]);
        registry.push("team/app", "dev", &Image::new("a"));
        registry.push("open/app", "dev", &Image::new("b"));
        registry.make_public("open/app");
        let home = Home::new();
        let ca = home.write("ca.pem", registry.ca_pem());
        let host = registry.host();
        let config =
            format!("registries: [{{ host: '{host}', caFile: '{ca}', allowPrivate: true }}]\n");
        let config = home.write("cotter.yaml", config);
        Self {
            runtime,
            registry,
            home,
            config,
        }
    }

    fn pull_secret(&self, server: &str, image: &str, password: &str) -> Outcome {
        let image = format!("{}/{image}", self.registry.host());
        let args = [
            "pull-secret",
            "--server",
            server,
            "--username",
            "bot",
            "--password-stdin",
        ];
        let more = ["--config", &self.config, "--test", &image];
        self.home
            .cotter(&[args.as_slice(), &more].concat(), password)
    }
}

#[rstest]
#[case::the_right_password("right", "team/app:dev", None)]
#[case::a_wrong_one("wrong", "team/app:dev", Some("the test failed: "))]
#[case::a_wrong_one_for_a_public_image("wrong", "open/app:dev", Some("the test failed: "))]
#[case::an_image_that_is_not_there("right", "team/app:gone", Some("the test failed: "))]
fn a_pull_secret_is_written_if_it_opens_the_image(
    #[case] password: &str,
    #[case] image: &str,
    #[case] failure: Option<&str>,
) {
    let lab = Lab::start();
    let Outcome {
        code,
        stdout,
        stderr,
    } = lab.pull_secret(&lab.registry.host(), image, password);
    match failure {
        None => {
            assert_eq!(code, 0, "{stderr}");
            assert!(stdout.contains("kind: Secret"), "{stdout}");
            assert!(
                stderr.contains("the test passed: ") && stderr.contains(" is sha256:"),
                "{stderr}"
            );
        }
        Some(said) => {
            assert_eq!((code, stdout.as_str()), (1, ""), "{stderr}");
            assert!(stderr.contains(said), "{stderr}");
        }
    }
}

#[test]
fn a_secret_for_another_server_fails_before_anybody_is_asked() {
    let lab = Lab::start();
    let Outcome {
        code,
        stdout,
        stderr,
    } = lab.pull_secret("r.test", "team/app:dev", "right");
    assert_eq!((code, stdout.as_str()), (1, ""), "{stderr}");
    assert!(stderr.contains("no key of the secret matches"), "{stderr}");
    assert_eq!(lab.registry.take_counts().challenges, 0);
}

#[test]
fn a_login_is_kept_if_it_opens_the_image() {
    let lab = Lab::start();
    let (host, image) = (
        lab.registry.host(),
        format!("{}/team/app:dev", lab.registry.host()),
    );
    let log_in = |password: &str| {
        let args = [
            "registry",
            "login",
            &host,
            "--username",
            "bot",
            "--password-stdin",
        ];
        let more = ["--config", &lab.config, "--test", &image];
        lab.home
            .cotter(&[args.as_slice(), &more].concat(), password)
    };
    let Outcome {
        code,
        stdout,
        stderr,
    } = log_in("wrong");
    assert_eq!((code, stdout.as_str()), (1, ""), "{stderr}");
    assert!(stderr.contains("the test failed: "), "{stderr}");
    assert!(!lab.home.file(".docker/config.json").exists());
    log_in("right").ok();
    assert!(lab.home.read(".docker/config.json").contains(&host));
}
