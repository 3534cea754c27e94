//! Redirects of manifest requests.

use cotter::domain::policy::Cause;
use rstest::rstest;

use crate::{
    common::{alice, ask, ask_as, client_with, listed, outcome, settings},
    hostile::{Hostile, Tricks, Wants},
};

struct Two {
    registry: Hostile,
    store: Hostile,
}

impl Two {
    async fn start() -> Self {
        let registry = Hostile::start(Tricks {
            wants: Wants::Bearer,
            ..Tricks::default()
        })
        .await;
        let store = Hostile::start(Tricks::default()).await;
        Self { registry, store }
    }

    async fn ask(&self, location: String) -> Result<String, Cause> {
        self.registry.trick(|t| t.redirect = Some(location));
        let client = client_with(settings(vec![
            listed(&self.registry.host(), self.registry.ca_pem()),
            listed(&self.store.host(), self.store.ca_pem()),
        ]));
        let ask = ask(&self.registry.host(), "team/app", "dev");
        outcome(&client, ask_as(&alice(), ask)).await
    }
}

#[tokio::test]
async fn a_redirect_carries_no_credential_to_another_port() {
    let two = Two::start().await;
    let location = format!("https://{}/v2/x/manifests/y", two.store.host());
    assert!(two.ask(location).await.is_ok());
    let seen = two.store.take_seen();
    assert_eq!((seen.len(), seen[0].authorization.clone()), (1, None));
    let home = two.registry.take_seen();
    assert!(home.iter().any(|seen| seen.authorization.is_some()));
}

#[rstest]
#[case::metadata("http://169.254.169.254/latest/meta-data", Cause::Refused)]
#[case::metadata_over_tls("https://169.254.169.254/latest/meta-data", Cause::Refused)]
#[case::unlisted_loopback("https://127.0.0.1:1/m", Cause::Refused)]
#[case::unlisted_name("https://localhost/m", Cause::Refused)]
#[case::in_disguise("https://2852039166/m", Cause::Refused)]
#[case::mapped("https://[::ffff:127.0.0.1]/m", Cause::Refused)]
#[case::downgrade("http://{store}/m", Cause::Refused)]
#[case::user_info("https://me@{store}/m", Cause::Refused)]
#[case::loop_("/v2/team/app/manifests/dev", Cause::Unavailable)]
#[case::nowhere("", Cause::Unavailable)]
#[tokio::test]
async fn redirects_that_end_the_look_up(#[case] location: &str, #[case] cause: Cause) {
    let two = Two::start().await;
    let location = location.replace("{store}", &two.store.host());
    if location.is_empty() {
        return assert_eq!(two.ask("http://".to_owned()).await, Err(cause));
    }
    assert_eq!(two.ask(location).await, Err(cause));
    assert!(two.store.take_seen().is_empty());
    assert!(
        two.registry.take_seen().len() <= 6,
        "at most three hops after the token"
    );
}

#[tokio::test]
async fn a_store_that_wants_a_credential_gets_none() {
    let two = Two::start().await;
    two.store.trick(|t| t.wants = Wants::Basic);
    let location = format!("https://{}/v2/x/manifests/y", two.store.host());
    assert_eq!(two.ask(location).await, Err(Cause::Unavailable));
    assert!(
        two.store
            .take_seen()
            .iter()
            .all(|seen| seen.authorization.is_none())
    );
}
