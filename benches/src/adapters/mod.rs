//! The same small application with each adapter: without auth, and with it.

pub mod actix_web;
pub mod axum;
pub mod tonic;
pub mod tower;

use futures_util::FutureExt;
use portcullis::{Algorithm, Authenticator};
use portcullis_testkit::TestIssuer;

use crate::{Case, Run, cases};

/// What every handler answers.
pub const BODY: &str = "hello";

/// Sets a request up: with this value of `Authorization`, behind the engine if there is one.
type SetUp = fn(&str, Option<Authenticator>) -> Run;

/// The adapters, and the ways to put them around an application.
const ADAPTERS: [(&str, SetUp); 6] = [
    ("axum", axum::in_process),
    ("axum, around the router", axum::around_the_router),
    ("tower", tower::in_process),
    ("tonic", tonic::in_process),
    ("tonic, rule by method", tonic::by_method),
    ("actix-web", actix_web::in_process),
];

/// Returns the names of the adapters.
pub fn adapters() -> impl Iterator<Item = &'static str> {
    ADAPTERS.into_iter().map(|(name, _)| name)
}

/// The case of a layer that does nothing, by `Router::layer`: what axum itself takes for one.
pub const IDLE_LAYER: &str = "axum idle layer";

/// Who sends tokens, and the engine that trusts them.
#[derive(Clone, Debug)]
pub struct World {
    issuer: TestIssuer,
    /// The engine, with keys of all algorithms.
    pub auth: Authenticator,
}

impl World {
    /// Creates an issuer and its engine.
    #[must_use]
    pub fn new() -> Self {
        let issuer = TestIssuer::new(cases::ISSUER);
        let auth = cases::engine(&issuer);
        Self { issuer, auth }
    }

    /// Returns the value of `Authorization` with a good token.
    #[must_use]
    pub fn authorization(&self, algorithm: Algorithm) -> String {
        format!("Bearer {}", cases::token(&self.issuer, algorithm).build())
    }

    /// Returns the issuer.
    #[must_use]
    pub fn issuer(&self) -> &TestIssuer {
        &self.issuer
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

/// Sets one request in process up for each adapter: without auth, named `… bare`, and with it,
/// named `… ours`; and [`IDLE_LAYER`]. The token is one of HS256, whose signature check is the shortest.
#[must_use]
pub fn adapter_cases() -> Vec<Case> {
    let world = World::new();
    let mut cases = Vec::new();
    for (adapter, set_up) in ADAPTERS {
        for (name, auth) in [("bare", None), ("ours", Some(world.auth.clone()))] {
            let world = world.clone();
            cases.push(Case::new(format!("{adapter} {name}"), move || {
                set_up(&world.authorization(Algorithm::HS256), auth)
            }));
        }
    }
    let idle = move || axum::behind_an_idle_layer(&world.authorization(Algorithm::HS256));
    cases.push(Case::new(IDLE_LAYER.to_owned(), idle));
    cases
}

/// Runs what never waits.
fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("it does not wait")
}
