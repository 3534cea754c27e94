//! One admission: decode, find what is asked for, ask, plan, encode.

use std::{sync::Arc, time::Instant};

use arc_swap::ArcSwap;
use bytes::Bytes;

use crate::{
    domain::{
        assess::{Assessed, Verdict, assess},
        credentials::Candidates,
        images::Changes,
        injection::Injection,
        object::Object,
        plan::{Inputs, Plan, plan},
        policy::{Cause, Mode, Policy, Workloads},
        question::Answer,
        reference::Canonical,
        scope::Reach,
        slots::Kind,
        warning::{Warnings, Weight},
    },
    telemetry::metrics::{self, Metrics},
};

use super::{
    deadline::{deadline, within},
    findings::Findings,
    injecting,
    kin::Kin,
    looked::{Looked, is_skipped},
    ports::{Cluster, Namespace, Registry},
    questions::{Terms, ask_all},
    report::Report,
    review::{self, Decoded, Request, Told},
    reviewer::{BadReview, ReviewRequest, Reviewer},
    secrets::{Pod, Secrets},
    settings::Settings,
    stickiness::{NoSiblings, Siblings},
};

/// Answers reviews with the help of a registry, a cluster and what siblings run.
#[derive(Debug)]
pub struct Handler<R, C, S = NoSiblings> {
    registry: R,
    cluster: C,
    siblings: S,
    settings: Arc<ArcSwap<Settings>>,
    metrics: Arc<Metrics>,
    report: Report,
}

/// What is known of one review before its images are asked for.
struct Case<'r> {
    kind: Kind,
    request: &'r Request<'r>,
    object: &'r Object<'r>,
    looked: Looked<'r>,
    namespace: &'r str,
    mode: Mode,
    policy: Arc<Policy>,
    settings: Arc<Settings>,
    arrived: Instant,
    deadline: Instant,
}

impl<R: Registry, C: Cluster, S: Siblings> Handler<R, C, S> {
    /// A handler over these ports.
    pub fn new(
        registry: R,
        cluster: C,
        siblings: S,
        settings: Arc<ArcSwap<Settings>>,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            registry,
            cluster,
            siblings,
            settings,
            metrics,
            report: Report::default(),
        }
    }

    /// The same handler, with somebody who hears of what is found about controllers' Pods.
    #[must_use]
    pub fn telling(mut self, findings: Arc<dyn Findings>) -> Self {
        self.report.findings = findings;
        self
    }

    async fn answer(
        &self,
        body: &[u8],
        asked: ReviewRequest,
    ) -> Result<(Bytes, metrics::Answer), BadReview> {
        let (kind, request) = match review::decode(body)? {
            Decoded::Foreign(uid) => return Ok((review::allow(&uid), metrics::Answer::Allowed)),
            Decoded::Ours(kind, request) => (kind, request),
        };
        let (plan, told) = match self.case(kind, &request, asked).await {
            Some((case, notes)) => self.plan(&case, notes).await,
            None => (self.unread(kind, &request), None),
        };
        let answer = match (&plan.denial, plan.patch.is_empty()) {
            (Some(_), _) => metrics::Answer::Denied,
            (None, true) => metrics::Answer::Allowed,
            (None, false) => metrics::Answer::Patched,
        };
        Ok((review::encode(&request.uid, plan, told), answer))
    }

    /// The case of a request, and what else there is to say; `None` where there is nothing to look at, or its
    /// namespace is not opted in.
    async fn case<'r>(
        &self,
        kind: Kind,
        request: &'r Request<'r>,
        asked: ReviewRequest,
    ) -> Option<(Case<'r>, Warnings)> {
        let object = request.object.as_ref()?;
        let looked = Looked::of(kind, request, object)?;
        let settings = self.settings.load_full();
        let deadline = deadline(asked.arrived, asked.timeout, settings.timeout);
        let name = request.namespace();
        let namespace = self.namespace(name, deadline).await?;
        let mode = namespace.mode?;
        let mut notes = Warnings::default();
        let policy = settings
            .policies
            .choose(namespace.policy.as_deref())
            .unwrap_or_else(|default| {
                let named = namespace.policy.as_deref().unwrap_or_default();
                self.report.unknown_policy(name, named);
                let line =
                    format!("namespace {name}: no policy is called {named:?}; the default is used");
                notes.push(Weight::Note, line);
                default
            })
            .clone();
        if looked.reach.is_none() && policy.workloads == Workloads::Off {
            return None;
        }
        if is_skipped(kind, object, &policy, &mut notes) {
            return None;
        }
        let case = Case {
            kind,
            request,
            object,
            looked,
            namespace: name,
            mode,
            policy,
            settings,
            arrived: asked.arrived,
            deadline,
        };
        Some((case, notes))
    }

    /// The plan for what passes unread.
    fn unread(&self, kind: Kind, request: &Request<'_>) -> Plan {
        let mut plan = Plan::default();
        let name = request.namespace();
        let looked = |object| Looked::of(kind, request, object);
        if !self.cluster.watches(name) && request.object.as_ref().and_then(looked).is_some() {
            let line = format!(
                "namespace {name} is not among those that cotter watches; its images are left as they are"
            );
            plan.warnings.push(Weight::Unpinned, line);
        }
        plan
    }

    async fn namespace(&self, name: &str, deadline: Instant) -> Option<Namespace> {
        if let Some(known) = self.cluster.namespace(name) {
            return Some(known);
        }
        if !self.cluster.watches(name) {
            self.metrics.unwatched_review();
            let why = "namespace is not among those that cotter watches";
            self.report.unread(name, why);
            return None;
        }
        self.metrics.live_look_up();
        let asked = self.cluster.look_up_namespace(name, deadline);
        let found = within(deadline, asked).await.flatten();
        if found.is_none() {
            self.report.unread(name, "namespace is not known");
        }
        found
    }

    async fn plan(&self, case: &Case<'_>, notes: Warnings) -> (Plan, Option<Told>) {
        let looked = &case.looked;
        let offline = case.settings.offline;
        let assessed: Vec<_> = looked
            .slots
            .iter()
            .map(|s| assess(*s, &case.policy, offline))
            .collect();
        let (terms, injectable) = (case.terms(), case.injectable());
        let mut secrets =
            Secrets::of(&self.cluster, &self.metrics, case.pod(), case.deadline).await;
        let mut answers = self.ask(case, &terms, &assessed, &secrets, &[]).await;
        if injectable && wants_newer_secrets(&answers) && secrets.look_up().await {
            answers = self.ask(case, &terms, &assessed, &secrets, &answers).await;
        }
        let credentials = &secrets.credentials;
        let injection = if injectable {
            let registry = &self.registry;
            injecting::inject(
                registry,
                &terms,
                &assessed,
                &mut answers,
                credentials,
                offline,
            )
            .await
        } else {
            Injection::default()
        };
        let inputs = Inputs {
            kind: case.kind,
            kind_name: case.request.kind_name(),
            object: case.object,
            namespace: case.namespace,
            reach: looked.reach,
            mode: case.mode,
            policy: &case.policy,
            assessed: &assessed,
            answers: &answers,
            restored: &looked.restored,
            credentials,
            injection: &injection,
        };
        let mut plan = plan(&inputs);
        plan.warnings.append(notes);
        if case.is_stored()
            && let Some(kin) = case.kin(&self.siblings)
        {
            kin.remember(&assessed, &plan.changes);
        }
        let told = self
            .report
            .tell(&self.metrics, &inputs, case.request, &plan);
        (plan, told)
    }

    /// Asks for the slots that want it; `earlier` holds what was told with other secrets.
    async fn ask(
        &self,
        case: &Case<'_>,
        terms: &Terms,
        assessed: &[Assessed<'_>],
        secrets: &Secrets<'_, C>,
        earlier: &[Answer],
    ) -> Vec<Answer> {
        let injectable = case.injectable();
        let kin = case.kin(&self.siblings).and_then(|kin| kin.known());
        let record = &case.object.metadata.annotations.images;
        let record = record.as_deref().map(|text| Changes::read(Some(text)));
        let start = |assessed: &Assessed<'_>, canonical: &Canonical| {
            let asks = matches!(assessed.verdict, Verdict::Ask(_));
            let settled = record.as_ref().is_some_and(|r| r.pinned(&assessed.slot));
            let name = canonical.reference.lookup_name();
            Answer {
                candidates: if case.settings.is_node_held(canonical.reference.domain()) {
                    Candidates::node_held()
                } else {
                    let injectable = injectable && !settled;
                    secrets.credentials.candidates(name, injectable)
                },
                kept: kin
                    .as_ref()
                    .filter(|_| asks)
                    .and_then(|kin| kin.digest(&assessed.slot)),
                settled,
                ..Answer::default()
            }
        };
        ask_all(&self.registry, terms, assessed, earlier, start).await
    }
}

impl<R: Registry, C: Cluster, S: Siblings> Reviewer for Handler<R, C, S> {
    async fn review(&self, body: Bytes, request: ReviewRequest) -> Result<Bytes, BadReview> {
        let _in_flight = self.metrics.in_flight();
        let arrived = request.arrived;
        let result = self.answer(&body, request).await;
        let answer = result
            .as_ref()
            .map_or(metrics::Answer::Rejected, |(_, answer)| *answer);
        self.metrics.admission(answer, arrived.elapsed());
        result.map(|(bytes, _)| bytes)
    }
}

/// A registry wants credentials that the watched secrets do not have: perhaps they were made a moment ago.
fn wants_newer_secrets(answers: &[Answer]) -> bool {
    answers.iter().any(|answer| {
        let none_matches = answer.candidates.list.iter().all(|c| c.secret.is_none());
        answer.resolved().is_none()
            && answer.failure().is_some_and(|failure| match failure.cause {
                // No pull secret helps cotter's own identity.
                _ if failure.own.is_some() => false,
                Cause::Unauthorized => true,
                // Some registries hide what they do not show.
                Cause::NotFound => none_matches,
                _ => false,
            })
    })
}

impl<'r> Case<'r> {
    /// A Pod is answered freshly, and so is whoever tries something out; the analysis of a template is content with
    /// the longer `ttl`.
    fn terms(&self) -> Terms {
        let settings = &self.settings;
        let age = if self.looked.reach.is_some() || self.request.is_dry_run() {
            settings.fresh
        } else {
            settings.ttl
        };
        Terms::new(self.policy.pin.style, self.arrived, age, self.deadline)
    }

    /// Whether the Pod may get pull secrets that it does not name.
    fn injectable(&self) -> bool {
        self.policy.inject.enabled && matches!(self.looked.reach, None | Some(Reach::Whole))
    }

    /// Whether what is changed will be stored, as far as cotter has a say. A denial changes nothing.
    fn is_stored(&self) -> bool {
        self.mode == Mode::Enforce && !self.request.is_dry_run()
    }

    fn pod(&self) -> Pod<'r> {
        Pod {
            namespace: self.namespace,
            spec: self.kind.pod_spec(self.object),
            is_template: self.looked.reach.is_none(),
        }
    }

    fn kin<'k, S: Siblings>(&'k self, siblings: &'k S) -> Option<Kin<'k, S>> {
        let metadata = &self.object.metadata;
        let what = (self.request.operation(), self.looked.reach);
        Kin::of(siblings, self.namespace, what, metadata, &self.policy.pin)
    }
}
