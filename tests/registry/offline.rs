//! Offline nobody is asked: no registry, no mirror, no token server, no proxy, and no DNS.

use cotter::{
    admission::ports::Registry as _,
    domain::{digest::Digest, policy::Cause},
    registry::{
        describe::Depth,
        reading::Place,
        settings::{HostSettings, Mirror, ProxySettings, Settings},
    },
};

use crate::{
    common::{Names, alice, ask, ask_as, client_with_names, listed, outcome, settings},
    connect_proxy::{ConnectProxy, Manners},
    hostile::{Hostile, MANIFEST, Tricks},
};

#[tokio::test]
async fn nobody_is_asked() {
    let (registry, mirror) = (
        Hostile::start(Tricks::default()).await,
        Hostile::start(Tricks {
            status: Some((404, "MANIFEST_UNKNOWN")),
            ..Tricks::default()
        })
        .await,
    );
    let proxy = ConnectProxy::start(Manners::default()).await;
    let names = Names::new(&[&["127.0.0.1"]]);
    let host = format!("registry.example:{}", registry.port());
    let entry = HostSettings {
        mirrors: vec![Mirror::named(&mirror.host())],
        ..listed(&host, registry.ca_pem())
    };
    let online = Settings {
        proxy: Some(ProxySettings {
            host: "proxy".into(),
            port: proxy.port(),
            credential: None,
            except: String::new(),
        }),
        ..settings(vec![entry, listed(&mirror.host(), mirror.ca_pem())])
    };
    let offline = Settings {
        offline: true,
        ..online.clone()
    };
    let client = client_with_names(offline.clone(), &names);
    let dev = || ask_as(&alice(), ask(&host, "team/app", "dev"));
    let digest = Digest::of(MANIFEST.as_bytes());
    for (tunnels, looked_up) in [(1, vec!["proxy".to_owned()]), (0, vec![])] {
        assert_eq!(outcome(&client, dev()).await, Err(Cause::Refused));
        assert!(client.known(&dev()).is_some_and(|known| known.is_err()));
        let place = Place::of(&dev());
        let told = client.tags(place.clone()).await.unwrap_err();
        assert_eq!(told.cause, Cause::Refused);
        let told = client.describe(place.clone(), &digest, Depth::Sizes).await;
        assert_eq!(told.unwrap_err().cause, Cause::Refused);
        assert!(!client.pull(place, Some("dev"), &mut |_| {}).await);
        assert!(!client.reach(&host, &mut |_| {}).await);
        let seen = (registry.take_seen().len(), mirror.take_seen().len());
        assert_eq!(seen, (0, 0));
        assert!(proxy.take_asked().is_empty());
        assert_eq!(names.take_asked(), [""; 0]);
        // What was known from before is not told either.
        client.swap(online.clone()).unwrap();
        assert!(outcome(&client, dev()).await.is_ok());
        let seen = (registry.take_seen().len(), mirror.take_seen().len());
        assert_eq!(seen, (1, 1), "all of them are in the way");
        assert_eq!(proxy.take_asked().len(), tunnels);
        assert_eq!(names.take_asked(), looked_up);
        client.swap(offline.clone()).unwrap();
    }
}
