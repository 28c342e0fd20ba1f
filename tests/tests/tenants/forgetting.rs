//! Forgetting a tenant wins over the look-ups that are under way.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use conformance::{AUDIENCE, NOW, Request};
use portcullis::{
    Authenticator, Issuer, NumericDate, Principal, ReloadableAuthenticator,
    future::BoxFuture,
    grant::ResolverConfig,
    keys::{KeyDocument, KeySource, KeySourceError, Loaded, Validators},
    strategy::{Attempt, Credential, Identity, Strategy, Tenants},
};
use portcullis_testkit::{ManualClock, TestIssuer};
use tokio::{sync::watch, task::JoinHandle};

use crate::{
    gate::Gate,
    world::{outcome, patient, settle},
};

const ACME: &str = "https://acme.test";

struct World {
    clock: ManualClock,
    /// The tenant before and after it has changed its keys.
    old: TestIssuer,
    new: TestIssuer,
    gate: Gate,
    tenants: Tenants,
    auth: Authenticator,
}

impl World {
    fn new() -> Self {
        let clock = ManualClock::at(NumericDate::from_seconds(NOW));
        let issuer = || TestIssuer::new(ACME).clock(clock.clone());
        let (old, new) = (issuer(), issuer());
        let gate = Gate::default();
        let tenants = gate.tenants(&clock);
        let auth = Authenticator::builder().strategy(tenants.clone()).clock(clock.clone());
        Self { auth: auth.build().unwrap(), clock, old, new, gate, tenants }
    }

    /// Starts a request, which waits for a look-up.
    async fn start(&self, issuer: &TestIssuer) -> JoinHandle<String> {
        let (auth, token) = (self.auth.clone(), token(issuer));
        let request =
            tokio::spawn(
                async move { outcome(&patient(&auth, &Request::new().bearer(&token)).await) },
            );
        settle().await;
        request
    }
}

fn token(issuer: &TestIssuer) -> String {
    issuer.token().audience(AUDIENCE).build()
}

fn row(issuer: &TestIssuer) -> Issuer {
    issuer.trusted().audience(AUDIENCE)
}

#[tokio::test]
async fn a_look_up_from_before_keeps_no_tenant() {
    let world = World::new();
    let before = world.start(&world.old).await;
    world.tenants.forget(ACME);
    world.gate.answer(0, Some(row(&world.old)));
    settle().await;
    // The request from before looks again, and learns that the tenant is gone.
    assert_eq!(world.gate.started(), 2);
    world.gate.answer(1, None);
    assert_eq!(before.await.unwrap(), "no_credentials");
    assert!(world.tenants.is_empty());
    let after = world.start(&world.old).await;
    assert_eq!(after.await.unwrap(), "no_credentials");
    assert_eq!(world.gate.started(), 2);
}

#[tokio::test]
async fn a_request_that_begins_later_joins_no_older_look_up() {
    let world = World::new();
    let before = world.start(&world.old).await;
    world.tenants.forget(ACME);
    let after = world.start(&world.new).await;
    assert_eq!(world.gate.started(), 2);
    world.gate.answer(1, Some(row(&world.new)));
    assert_eq!(after.await.unwrap(), ACME);
    world.gate.answer(0, Some(row(&world.old)));
    // Its key was replaced while it waited.
    assert_eq!(before.await.unwrap(), "signature_mismatch");
    // The older answer came last and has replaced nothing.
    assert_eq!(world.start(&world.new).await.await.unwrap(), ACME);
    assert_eq!(world.start(&world.old).await.await.unwrap(), "signature_mismatch");
    assert_eq!(world.gate.started(), 2);
}

#[tokio::test]
async fn a_look_up_from_before_remembers_no_missing_tenant() {
    let world = World::new();
    let before = world.start(&world.new).await;
    // The tenant was added after the look-up had read the database.
    world.tenants.forget(ACME);
    world.gate.answer(0, None);
    settle().await;
    assert_eq!(world.gate.started(), 2);
    world.gate.answer(1, Some(row(&world.new)));
    assert_eq!(before.await.unwrap(), ACME);
    assert_eq!(world.start(&world.new).await.await.unwrap(), ACME);
    assert_eq!(world.gate.started(), 2);
}

#[tokio::test]
async fn another_tenant_that_is_forgotten_costs_nothing() {
    let world = World::new();
    let request = world.start(&world.new).await;
    world.tenants.forget("https://umbrella.test");
    world.gate.answer(0, Some(row(&world.new)));
    assert_eq!(request.await.unwrap(), ACME);
    assert_eq!((world.gate.started(), world.tenants.len()), (1, 1));
}

/// Keys that come when the test lets them.
#[derive(Clone, Debug)]
struct LateKeys {
    json: String,
    open: watch::Sender<bool>,
}

impl KeySource for LateKeys {
    fn label(&self) -> &str {
        "late"
    }

    fn load<'a>(
        &'a self,
        _: Option<&'a Validators>,
    ) -> BoxFuture<'a, Result<Loaded, KeySourceError>> {
        Box::pin(async move {
            self.open.subscribe().wait_for(|open| *open).await.unwrap();
            Ok(Loaded::Document(KeyDocument::from_json(&self.json).unwrap()))
        })
    }
}

#[tokio::test]
async fn a_token_that_waits_for_the_keys_of_a_forgotten_tenant_is_judged_anew() {
    let world = World::new();
    let keys = LateKeys { json: world.old.jwk_set_json(), open: watch::Sender::new(false) };
    let late = Issuer::new(ACME).audience(AUDIENCE).key_source(keys.clone());
    let before = world.start(&world.old).await;
    world.gate.answer(0, Some(late));
    settle().await;
    assert!(!before.is_finished());
    world.tenants.forget(ACME);
    keys.open.send_replace(true);
    settle().await;
    assert_eq!(world.gate.started(), 2);
    world.gate.answer(1, None);
    assert_eq!(before.await.unwrap(), "no_credentials");
    assert!(world.tenants.is_empty());
}

/// An engine whose rights are looked up by subject, and kept.
fn by_subject(
    strategy: impl Strategy + 'static,
    clock: &ManualClock,
) -> (Authenticator<usize>, Arc<AtomicUsize>) {
    let asked = Arc::default();
    (counting(strategy, clock, &asked), asked)
}

/// The same, which counts the look-ups: the rights are the number of those before.
fn counting(
    strategy: impl Strategy + 'static,
    clock: &ManualClock,
    asked: &Arc<AtomicUsize>,
) -> Authenticator<usize> {
    let counted = Arc::clone(asked);
    let resolving = ResolverConfig::new(move |_: Principal| {
        let look_up = counted.fetch_add(1, Ordering::SeqCst);
        async move { Ok(look_up) }
    });
    let resolving = resolving.keep_for(Duration::from_secs(600));
    let resolving = resolving.share_by(|caller| caller.subject().to_owned());
    let auth = Authenticator::builder().strategy(strategy).clock(clock.clone());
    auth.with_resolver(resolving).build().unwrap()
}

async fn rights(auth: &Authenticator<usize>, token: &str) -> usize {
    let verdict = auth.authenticate(&Request::new().bearer(token)).await;
    **verdict.result.unwrap().grant()
}

#[tokio::test]
async fn the_rights_of_a_forgotten_tenants_users_do_not_pass_to_the_next_ones() {
    let world = World::new();
    let rows = [row(&world.old), row(&world.new)];
    let look_ups = AtomicUsize::new(0);
    let tenants = Tenants::new("tenants", move |_: String| {
        let row = rows.get(look_ups.fetch_add(1, Ordering::SeqCst)).cloned();
        async move { Ok(row) }
    });
    let tenants = tenants.clock(world.clock.clone());
    let (auth, asked) = by_subject(tenants.clone(), &world.clock);
    assert_eq!(rights(&auth, &token(&world.old)).await, 0);
    assert_eq!(rights(&auth, &token(&world.old)).await, 0);
    tenants.forget(ACME);
    // The same name and the same subject, with other keys.
    assert_eq!(rights(&auth, &token(&world.new)).await, 1);
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

#[derive(Debug)]
struct Sessions;

impl Strategy for Sessions {
    fn name(&self) -> &str {
        "sessions"
    }

    fn attempt(&self, _: &Credential<'_>) -> Attempt {
        Attempt::Accept(Identity::new("alice"))
    }
}

#[tokio::test]
async fn the_rights_of_a_removed_strategys_callers_do_not_pass_to_the_next_one() {
    let clock = ManualClock::at(NumericDate::from_seconds(NOW));
    let (auth, asked) = by_subject(Sessions, &clock);
    let reloadable = ReloadableAuthenticator::new(auth);
    let auth = reloadable.authenticator();
    assert_eq!(rights(&auth, "opaque").await, 0);
    assert_eq!(rights(&auth, "opaque").await, 0);
    reloadable.replace(counting(Sessions, &clock, &asked)).await.unwrap();
    assert_eq!(rights(&auth, "opaque").await, 1);
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}
