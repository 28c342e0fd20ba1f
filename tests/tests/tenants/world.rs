//! A database of tenants, and an engine that looks them up.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use conformance::{AUDIENCE, NOW, Request};
use portcullis::{
    AuthError, AuthErrorKind, Authenticator, Issuer, NumericDate, adapter::Verdict,
    strategy::Tenants,
};
use portcullis_testkit::{ManualClock, TestIssuer};
use tokio::sync::watch;

/// A database of tenants, which answers when it is let.
#[derive(Clone)]
pub(crate) struct Database(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) tenants: Mutex<Vec<TestIssuer>>,
    pub(crate) failure: Mutex<Option<AuthErrorKind>>,
    pub(crate) open: watch::Sender<bool>,
    asked: AtomicUsize,
}

impl Database {
    pub(crate) fn new(tenants: &[TestIssuer]) -> Self {
        Self(Arc::new(Inner {
            tenants: Mutex::new(tenants.to_vec()),
            failure: Mutex::new(None),
            open: watch::Sender::new(true),
            asked: AtomicUsize::new(0),
        }))
    }

    pub(crate) fn asked(&self) -> usize {
        self.0.asked.load(Ordering::SeqCst)
    }

    pub(crate) async fn find(self, name: String) -> Result<Option<Issuer>, AuthError> {
        self.0.asked.fetch_add(1, Ordering::SeqCst);
        self.0.open.subscribe().wait_for(|open| *open).await.unwrap();
        if let Some(kind) = *self.0.failure.lock().unwrap() {
            return Err(kind.into());
        }
        let tenants = self.0.tenants.lock().unwrap();
        let tenant = tenants.iter().find(|tenant| tenant.name() == name);
        Ok(tenant.map(|tenant| tenant.trusted().audience(AUDIENCE)))
    }
}

pub(crate) struct World {
    pub(crate) clock: ManualClock,
    pub(crate) issuers: Vec<TestIssuer>,
    pub(crate) database: Database,
    pub(crate) tenants: Tenants,
    pub(crate) auth: Authenticator,
}

impl World {
    pub(crate) fn new(names: &[&str]) -> Self {
        Self::with(names, |tenants| tenants)
    }

    pub(crate) fn with(names: &[&str], set: impl FnOnce(Tenants) -> Tenants) -> Self {
        let clock = ManualClock::at(NumericDate::from_seconds(NOW));
        let named =
            |name: &&str| TestIssuer::new(format!("https://{name}.test")).clock(clock.clone());
        let issuers: Vec<_> = names.iter().map(named).collect();
        let database = Database::new(&issuers);
        let asked = database.clone();
        let tenants = Tenants::new("tenants", move |name| asked.clone().find(name));
        let tenants = set(tenants.clock(clock.clone()));
        let auth = Authenticator::builder().strategy(tenants.clone()).clock(clock.clone());
        Self { auth: auth.build().unwrap(), clock, issuers, database, tenants }
    }

    pub(crate) fn token(&self, tenant: usize) -> String {
        let issuer = self.issuers.get(tenant).unwrap();
        issuer.token().audience(AUDIENCE).scope("orders:read").build()
    }

    pub(crate) async fn judge(&self, token: &str) -> String {
        outcome(&patient(&self.auth, &Request::new().bearer(token)).await)
    }
}

pub(crate) async fn patient(auth: &Authenticator, request: &Request) -> Verdict {
    auth.authenticate(request).await
}

pub(crate) fn outcome(verdict: &Verdict) -> String {
    match &verdict.result {
        Ok(caller) => caller.principal().issuer().to_owned(),
        Err(error) => error.kind().code().to_owned(),
    }
}

pub(crate) async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}
