//! What a pull does, step by step, for a person who wants to see which one fails: connect, TLS, challenge, token, what the
//! token grants, manifest. Each goes the way that a look-up goes.

use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use http::StatusCode;
use rustls::{CertificateError, Error, ProtocolVersion, pki_types::ServerName};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::TlsConnector;

use super::{
    challenge::{self, Challenge, Scheme},
    client::{Client, offline},
    exchange::{Exchange, Sent},
    grant, manifest,
    origin::Origin,
    reading::Place,
    realm::realm,
    setup::Profile,
    trouble::Trouble,
};
use crate::domain::question::Failure;

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The name is resolved, the address is allowed and accepts.
    Connect,
    /// The TLS handshake.
    Tls,
    /// `GET /v2/`: whether it is a registry, and what it wants to see.
    Challenge,
    /// A token from the token server.
    Token,
    /// The token grants a pull of the repository.
    Scope,
    /// The registry's root takes the credential. In place of [`Step::Manifest`] where no image is named.
    Accepted,
    /// The manifest is read.
    Manifest,
}

/// A step that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Which one.
    pub step: Step,
    /// How long it took.
    pub took: Duration,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It went through; what was seen.
    Passed(String),
    /// There was nothing to do; why.
    Needless(String),
    /// It failed, and so does a pull.
    Failed(Failure, Option<Hint>),
}

/// What is behind a failure, where its cause alone does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hint {
    /// Nobody who is trusted has signed the certificate.
    UnknownIssuer,
    /// The certificate is another host's.
    WrongName,
    /// The certificate is not valid at this time.
    Expired,
    /// The peer does not speak TLS.
    NoTls,
}

/// Hears of each step as it is taken.
pub type Listener<'a> = &'a mut (dyn FnMut(Taken) + Send);

/// What a registry's root wants.
enum Wants {
    Nothing,
    Basic,
    Token(Challenge),
}

/// What a step comes to, and what the next one needs of it.
type Stepped<T> = Result<(Outcome, T), (Trouble, Option<Hint>)>;

// === impl Client ===

impl Client {
    /// Connects to `host` as references spell it, and shakes hands. `true` if that went through.
    pub async fn reach(&self, host: &str, tell: Listener<'_>) -> bool {
        let setup = self.0.setup.load_full();
        let limit = setup.settings.timeout;
        let profile = setup.profile(host);
        let connected = async {
            if setup.settings.offline {
                return Err((Trouble::Refused(offline().detail), None));
            }
            connect(profile, host)
                .await
                .map_err(|trouble| (trouble, None))
        };
        let Some((origin, stream)) = step(Step::Connect, limit, tell, connected).await else {
            return false;
        };
        let shaken = shake_hands(profile, &origin, stream);
        step(Step::Tls, limit, tell, shaken).await.is_some()
    }

    /// Reads the manifest of `tag` as a pull does; without a tag, asks whether the registry takes the credential. `true` if
    /// that went through.
    pub async fn pull(&self, place: Place, tag: Option<&str>, tell: Listener<'_>) -> bool {
        let start = Instant::now();
        let pulled = async |exchange: &Exchange, limit: Duration| {
            Ok(pull(exchange, tag, limit, tell).await.is_some())
        };
        match self.0.read(place, pulled).await {
            Ok(went_through) => went_through,
            // It did not come to a first step: the registry is left alone, or is none.
            Err(failure) => {
                tell(Taken {
                    step: Step::Challenge,
                    took: start.elapsed(),
                    outcome: Outcome::Failed(failure, None),
                });
                false
            }
        }
    }
}

async fn pull(
    exchange: &Exchange,
    tag: Option<&str>,
    limit: Duration,
    tell: Listener<'_>,
) -> Option<()> {
    let plain = |trouble| (trouble, None);
    let asked = async { challenge(exchange).await.map_err(plain) };
    let wants = step(Step::Challenge, limit, tell, asked).await?;
    let got = async { authorise(exchange, &wants).await.map_err(plain) };
    let sent = step(Step::Token, limit, tell, got).await?;
    let Some(tag) = tag else {
        let taken = async { accepted(exchange, sent.as_ref()).await.map_err(plain) };
        return step(Step::Accepted, limit, tell, taken).await;
    };
    let granted = async { granted(exchange, sent.as_ref()).map_err(plain) };
    step(Step::Scope, limit, tell, granted).await?;
    let read = async {
        let digest = manifest::resolve(exchange, tag, None)
            .await
            .map_err(plain)?;
        Ok((Outcome::Passed(digest.to_string()), ()))
    };
    step(Step::Manifest, limit, tell, read).await
}

/// Takes a step within `limit` and tells of it; `None` if it failed.
async fn step<T>(
    step: Step,
    limit: Duration,
    tell: Listener<'_>,
    take: impl Future<Output = Stepped<T>>,
) -> Option<T> {
    let start = Instant::now();
    let stepped = timeout(limit, take).await;
    let stepped = stepped.unwrap_or_else(|_| Err((Trouble::timed_out(limit), None)));
    let (outcome, made) = match stepped {
        Ok((outcome, made)) => (outcome, Some(made)),
        Err((trouble, hint)) => (Outcome::Failed(trouble.into_failure(), hint), None),
    };
    let took = start.elapsed();
    tell(Taken {
        step,
        took,
        outcome,
    });
    made
}

async fn connect(profile: &Profile, host: &str) -> Result<(Outcome, (Origin, TcpStream)), Trouble> {
    let origin = Origin::of_registry(host, profile.host.plain_http)?;
    let dialled = profile.dialer.dial(&origin.url("/v2/")?).await;
    let stream = dialled.map_err(|error| Trouble::from_chain(&error))?;
    let seen = match profile.dialer.proxy_to(&origin) {
        Some(proxy) => format!("through the proxy {}", proxy.host),
        None => stream
            .peer_addr()
            .map_or_else(|_| String::new(), |peer| peer.to_string()),
    };
    Ok((Outcome::Passed(seen), (origin, stream)))
}

async fn shake_hands(profile: &Profile, origin: &Origin, stream: TcpStream) -> Stepped<()> {
    if !origin.is_https() {
        let why = "the registry is spoken to in plain HTTP".to_owned();
        return Ok((Outcome::Needless(why), ()));
    }
    let host = origin.host().trim_matches(['[', ']']).to_owned();
    let unfit = |_| {
        (
            Trouble::Refused("TLS knows no such name".to_owned()),
            None::<Hint>,
        )
    };
    let name = ServerName::try_from(host).map_err(unfit)?;
    let connector = TlsConnector::from(Arc::clone(&profile.tls));
    let stream = connector.connect(name, stream).await.map_err(|error| {
        let hint = hint(&error);
        (Trouble::from_chain(&error), hint)
    })?;
    let version = match stream.get_ref().1.protocol_version() {
        Some(ProtocolVersion::TLSv1_3) => "TLS 1.3",
        _ => "TLS 1.2",
    };
    Ok((Outcome::Passed(version.to_owned()), ()))
}

fn hint(error: &io::Error) -> Option<Hint> {
    use CertificateError as Fault;
    let inner = error.get_ref()?;
    let error = inner.downcast_ref::<Error>();
    match error.or_else(|| inner.source()?.downcast_ref())? {
        Error::InvalidCertificate(fault) => match fault {
            Fault::UnknownIssuer => Some(Hint::UnknownIssuer),
            Fault::NotValidForName | Fault::NotValidForNameContext { .. } => Some(Hint::WrongName),
            Fault::Expired
            | Fault::ExpiredContext { .. }
            | Fault::NotValidYet
            | Fault::NotValidYetContext { .. } => Some(Hint::Expired),
            _ => None,
        },
        Error::InvalidMessage(_) => Some(Hint::NoTls),
        _ => None,
    }
}

async fn challenge(exchange: &Exchange) -> Result<(Outcome, Wants), Trouble> {
    let (status, headers) = exchange.root(None).await?;
    match status {
        StatusCode::OK => {
            let seen = "anybody may ask".to_owned();
            return Ok((Outcome::Passed(seen), Wants::Nothing));
        }
        StatusCode::UNAUTHORIZED => {}
        status => {
            let detail = format!("GET /v2/ is answered with {status}, as no registry does");
            return Err(Trouble::Unavailable(detail));
        }
    }
    for challenge in challenge::challenges(&headers) {
        match challenge.scheme {
            Scheme::Bearer => {
                let realm = realm(&challenge, &exchange.origin, &exchange.profile.host, "");
                let seen = match realm {
                    Ok(realm) => format!("it wants a token from {}", realm.origin.authority()),
                    Err(_) => "it wants a token".to_owned(),
                };
                return Ok((Outcome::Passed(seen), Wants::Token(challenge)));
            }
            Scheme::Basic => {
                let seen = "it wants user and password with each request".to_owned();
                return Ok((Outcome::Passed(seen), Wants::Basic));
            }
            Scheme::Digest => {}
        }
    }
    let detail = "it wants a credential in a way that container runtimes do not know".to_owned();
    Err(Trouble::Unauthorized(detail))
}

async fn authorise(exchange: &Exchange, wants: &Wants) -> Result<(Outcome, Option<Sent>), Trouble> {
    let needless = |why: &str| Outcome::Needless(why.to_owned());
    match (wants, &exchange.credential) {
        (Wants::Nothing, _) => Ok((needless("the registry wants none"), None)),
        (Wants::Basic, None) => Err(Trouble::Unauthorized(
            "the registry wants user and password, and there are none".to_owned(),
        )),
        (Wants::Basic, Some(_)) => {
            let sent = exchange.basic()?;
            Ok((needless("user and password are sent as they are"), sent))
        }
        (Wants::Token(challenge), _) => {
            let (origin, host) = (&exchange.origin, &exchange.profile.host);
            let realm = realm(challenge, origin, host, &exchange.repository)?;
            let seen = format!("granted by {}", realm.origin.authority());
            let sent = exchange.token(realm).await?;
            Ok((Outcome::Passed(seen), Some(sent)))
        }
    }
}

fn granted(exchange: &Exchange, sent: Option<&Sent>) -> Result<(Outcome, ()), Trouble> {
    let repository = &exchange.repository;
    let outcome = match sent {
        Some(Sent::Token { header, .. }) => match grant::pulls(header, repository) {
            Some(true) => Outcome::Passed(format!("pull of {repository}")),
            Some(false) => {
                let detail = format!("the token grants no pull of {repository}");
                return Err(Trouble::Unauthorized(detail));
            }
            None => Outcome::Needless("the token does not say; the manifest will".to_owned()),
        },
        _ => Outcome::Needless("there is no token".to_owned()),
    };
    Ok((outcome, ()))
}

async fn accepted(exchange: &Exchange, sent: Option<&Sent>) -> Result<(Outcome, ()), Trouble> {
    let Some(sent) = sent else {
        let why = "the registry asks for none; name an image to test a pull".to_owned();
        return Ok((Outcome::Needless(why), ()));
    };
    let (status, _) = exchange.root(Some(sent)).await?;
    let detail = format!("GET /v2/ is answered with {status}");
    match status {
        StatusCode::OK => Ok((Outcome::Passed("GET /v2/".to_owned()), ())),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(Trouble::Unauthorized(detail)),
        _ => Err(Trouble::Unavailable(detail)),
    }
}
