//! A conversation with one registry about one repository with one credential: it sends what this registry is known to
//! want, answers a challenge once, and follows redirects. No `GET /v2/` comes first.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header::WWW_AUTHENTICATE};
use hyper::body::Incoming;
use jiff::Timestamp;
use smol_str::SmolStr;
use tokio::time::Instant;

use super::{
    blocked::{self, Blocked},
    bounded::Bounded,
    challenge::{self, Scheme},
    flight::Began,
    limits::{self, read_at_most},
    origin::Origin,
    realm::{Realm, realm},
    redirect,
    setup::{Profile, Setup},
    token::{self, Errand, TokenKey, Tokens},
    transport::{self, Outgoing},
    trouble::Trouble,
};
use crate::{
    domain::credential::{Credential, Fingerprint},
    telemetry::metrics::Metrics,
};

/// Repositories and credentials whose way of authorising is remembered.
const ENTRIES: usize = 4096;

/// What all conversations share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) metrics: Arc<Metrics>,
    pub(super) blocked: Blocked,
    tokens: Arc<Tokens>,
    habits: Habits,
}

/// What registries asked for the last time, so that the next request brings it along.
#[derive(Debug)]
struct Habits {
    realms: Bounded<(SmolStr, SmolStr), Realm>,
    basic: Bounded<(SmolStr, Fingerprint), ()>,
}

/// One conversation.
pub(super) struct Exchange {
    pub(super) shared: Arc<Shared>,
    pub(super) host: SmolStr,
    pub(super) repository: SmolStr,
    pub(super) who: Fingerprint,
    pub(super) origin: Origin,
    pub(super) profile: Arc<Profile>,
    pub(super) credential: Option<Arc<Credential>>,
    setup: Arc<Setup>,
}

/// What is asked: a path below the registry's root.
#[derive(Clone, Debug)]
pub(super) struct Inquiry<'a> {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) accept: Option<HeaderValue>,
    /// Set where this request decides how fresh the answer is.
    pub(super) began: Option<&'a Began>,
}

/// How a request was authorised.
pub(super) enum Sent {
    Nothing,
    Basic(HeaderValue),
    Token {
        key: TokenKey,
        header: HeaderValue,
        kept: bool,
    },
}

// === impl Shared ===

impl Shared {
    pub(super) fn new(metrics: Arc<Metrics>) -> Self {
        Self {
            metrics,
            blocked: Blocked::default(),
            tokens: Arc::default(),
            habits: Habits {
                realms: Bounded::new(ENTRIES),
                basic: Bounded::new(ENTRIES),
            },
        }
    }

    /// Forgets how registries want to be asked; under other settings a realm may no longer be allowed.
    pub(super) fn forget_habits(&self) {
        self.habits.realms.retain(|_, _| false);
        self.habits.basic.retain(|_, ()| false);
    }
}

// === impl Exchange ===

impl Exchange {
    /// A conversation with `host` about `repository`.
    ///
    /// # Errors
    /// [`Trouble::Refused`] if `host` is no host.
    pub(super) fn new(
        shared: Arc<Shared>,
        setup: Arc<Setup>,
        host: SmolStr,
        repository: SmolStr,
        credential: Option<Arc<Credential>>,
    ) -> Result<Self, Trouble> {
        let profile = Arc::clone(setup.profile(&host));
        let origin = Origin::of_registry(&host, profile.host.plain_http)?;
        let credential = credential.filter(|credential| !credential.is_empty());
        let who = credential
            .as_ref()
            .map(|credential| credential.fingerprint());
        Ok(Self {
            shared,
            host,
            repository,
            who: who.unwrap_or(Fingerprint::ANONYMOUS),
            credential,
            setup,
            profile,
            origin,
        })
    }

    /// Asks, authorised as this registry wants it. Every status but 401 and 429 is an answer.
    ///
    /// # Errors
    /// [`Trouble::Unauthorized`] if the credential does not do, [`Trouble::Limited`] after a 429, or why there is no
    /// answer.
    pub(super) async fn ask(&self, inquiry: &Inquiry<'_>) -> Result<Response<Incoming>, Trouble> {
        let reply = self.ask_twice(inquiry).await;
        if let Err(Trouble::Limited(until)) = reply {
            self.shared.blocked.note(&self.host, self.who, until);
        }
        reply
    }

    async fn ask_twice(&self, inquiry: &Inquiry<'_>) -> Result<Response<Incoming>, Trouble> {
        let sent = self.habitual().await?;
        let reply = self.follow(inquiry, sent.header()).await?;
        if reply.status() != StatusCode::UNAUTHORIZED {
            return unless_limited(reply);
        }
        self.unlearn(&sent);
        let headers = reply.headers().clone();
        // Reading it to its end keeps the connection for the next request.
        drop(read_at_most(reply.into_body(), limits::ERROR).await);
        let second = self.answer(&headers, &sent).await?;
        let reply = self.follow(inquiry, second.header()).await?;
        if reply.status() != StatusCode::UNAUTHORIZED {
            if matches!(second, Sent::Basic(_)) {
                let key = (self.host.clone(), self.who);
                self.shared.habits.basic.insert(key, ());
            }
            return unless_limited(reply);
        }
        self.unlearn(&second);
        Err(Trouble::Unauthorized(
            "the registry answered 401 again".to_owned(),
        ))
    }

    /// What this registry wanted the last time.
    async fn habitual(&self) -> Result<Sent, Trouble> {
        let habits = &self.shared.habits;
        if let Some(credential) = &self.credential
            && habits
                .basic
                .read(&(self.host.clone(), self.who), |()| ())
                .is_some()
        {
            return Ok(Sent::Basic(token::basic(credential)?));
        }
        let place = (self.host.clone(), self.repository.clone());
        match habits.realms.read(&place, Realm::clone) {
            Some(realm) => self.token(realm).await,
            None => Ok(Sent::Nothing),
        }
    }

    /// A 401 to what habit said: it does so no longer.
    fn unlearn(&self, sent: &Sent) {
        match sent {
            Sent::Nothing => {}
            Sent::Basic(_) => {
                let key = (self.host.clone(), self.who);
                self.shared.habits.basic.remove_if(&key, |()| true);
            }
            Sent::Token { key, header, .. } => self.shared.tokens.drop_stale(key, header),
        }
    }

    /// Answers the challenges of a 401 to `sent` with the best means that was not tried yet.
    async fn answer(&self, headers: &HeaderMap, sent: &Sent) -> Result<Sent, Trouble> {
        let pinged;
        let headers = if headers.contains_key(WWW_AUTHENTICATE) {
            headers
        } else {
            // Google's registries leave the challenge off a real request's 401 and tell it at the root.
            pinged = self.ping().await?;
            &pinged
        };
        for challenge in challenge::challenges(headers) {
            match (challenge.scheme, &self.credential) {
                (Scheme::Bearer, _) => {
                    let host = &self.profile.host;
                    let realm = realm(&challenge, &self.origin, host, &self.repository)?;
                    let is_tried =
                        matches!(sent, Sent::Token { key, kept: false, .. } if key.realm == realm);
                    if is_tried {
                        break;
                    }
                    let token = self.token(realm.clone()).await?;
                    let place = (self.host.clone(), self.repository.clone());
                    self.shared.habits.realms.insert(place, realm);
                    return Ok(token);
                }
                (Scheme::Basic, Some(credential)) if !matches!(sent, Sent::Basic(_)) => {
                    return Ok(Sent::Basic(token::basic(credential)?));
                }
                _ => {}
            }
        }
        Err(Trouble::Unauthorized(
            "the registry answered 401".to_owned(),
        ))
    }

    /// A token of `realm` for this conversation's credential.
    ///
    /// # Errors
    /// [`Trouble`], as the token server answered.
    pub(super) async fn token(&self, realm: Realm) -> Result<Sent, Trouble> {
        let listed = self.setup.listed(&realm.origin);
        let errand = Errand {
            profile: Arc::clone(listed.unwrap_or(&self.profile)),
            credential: self.credential.clone(),
            host: self.host.clone(),
            metrics: Arc::clone(&self.shared.metrics),
            timeout: self.setup.settings.timeout,
        };
        let who = self.who;
        let key = TokenKey { realm, who };
        match self.shared.tokens.get(&key, errand).await {
            Ok((token, kept)) => Ok(Sent::Token {
                key,
                header: token.header,
                kept,
            }),
            Err(trouble) => {
                let place = (self.host.clone(), self.repository.clone());
                self.shared.habits.realms.remove_if(&place, |_| true);
                Err(trouble)
            }
        }
    }

    async fn ping(&self) -> Result<HeaderMap, Trouble> {
        let (_, headers) = self.root(None).await?;
        Ok(headers)
    }

    /// User and password, where there are any.
    pub(super) fn basic(&self) -> Result<Option<Sent>, Trouble> {
        let header = self.credential.as_deref().map(token::basic).transpose()?;
        Ok(header.map(Sent::Basic))
    }

    /// What the registry's root answers.
    ///
    /// # Errors
    /// Why there is no answer.
    pub(super) async fn root(
        &self,
        sent: Option<&Sent>,
    ) -> Result<(StatusCode, HeaderMap), Trouble> {
        let root = Inquiry {
            method: Method::GET,
            path: "/v2/".to_owned(),
            accept: None,
            began: None,
        };
        let reply = self.follow(&root, sent.and_then(Sent::header)).await?;
        let (status, headers) = (reply.status(), reply.headers().clone());
        drop(read_at_most(reply.into_body(), limits::ERROR).await);
        Ok((status, headers))
    }

    /// Sends, and follows where the answer leads. `authorization` goes to the registry's own origin only.
    async fn follow(
        &self,
        inquiry: &Inquiry<'_>,
        authorization: Option<&HeaderValue>,
    ) -> Result<Response<Incoming>, Trouble> {
        let mut url = self.origin.url(&inquiry.path)?;
        if let Some(began) = inquiry.began {
            began.mark(Instant::now().into_std());
        }
        for _ in 0..=redirect::MOST {
            let origin = Origin::of(&url)?;
            let at_home = origin == self.origin;
            let profile = if at_home {
                &self.profile
            } else {
                self.setup.listed(&origin).unwrap_or(self.setup.unlisted())
            };
            let outgoing = Outgoing {
                method: inquiry.method.clone(),
                url: url.clone(),
                accept: inquiry.accept.clone(),
                authorization: authorization.filter(|_| at_home).cloned(),
            };
            let metrics = &self.shared.metrics;
            let reply = transport::send(profile, outgoing, &self.host, metrics).await?;
            if redirect::is_redirect(reply.status()) {
                url = redirect::target(&url, reply.headers())?;
            } else if !at_home && reply.status() == StatusCode::UNAUTHORIZED {
                let detail = format!("{} wants a credential after a redirect", origin.authority());
                return Err(Trouble::Unavailable(detail));
            } else {
                return Ok(reply);
            }
        }
        Err(Trouble::Unavailable("too many redirects".to_owned()))
    }
}

// === impl Sent ===

impl Sent {
    pub(super) fn header(&self) -> Option<&HeaderValue> {
        match self {
            Self::Nothing => None,
            Self::Basic(header) | Self::Token { header, .. } => Some(header),
        }
    }
}

fn unless_limited(reply: Response<Incoming>) -> Result<Response<Incoming>, Trouble> {
    if reply.status() != StatusCode::TOO_MANY_REQUESTS {
        return Ok(reply);
    }
    let pause = blocked::pause(reply.headers(), Timestamp::now());
    Err(Trouble::Limited(Instant::now().into_std() + pause))
}
