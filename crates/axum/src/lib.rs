//! Proves who calls an axum service and what they may do.
//!
//! ```
//! use axum::{Router, routing::get};
//! use portcullis_axum::{Authenticator, Caller, Issuer, JwkSet, JwtAuthLayer, RequireLayer};
//! use portcullis_axum::policy::{role, scope};
//!
//! fn app(keys: &str) -> Result<Router, Box<dyn std::error::Error>> {
//!     let auth = Authenticator::builder()
//!         .issuer(Issuer::new("https://idp.example.com").jwk_set(&JwkSet::from_json(keys)?))
//!         .audience("https://api.example.com")
//!         .build()?;
//!     Ok(Router::new()
//!         .route("/orders", get(list_orders))
//!         .route_layer(RequireLayer::new(scope("orders:read").or(role("admin"))))
//!         .route_layer(JwtAuthLayer::new(auth))) // the layer added last runs first
//! }
//!
//! async fn list_orders(caller: Caller) -> String {
//!     format!("orders of {}", caller.subject())
//! }
//! # let issuer = portcullis_testkit::TestIssuer::new("https://idp.example.com");
//! # app(&issuer.jwk_set_json()).unwrap();
//! ```
//!
//! The layers are those of `portcullis-tower`, and so are the extractors' types: one type stands in
//! the request's extensions and in the handler's arguments.
//!
//! | a handler takes | and gets |
//! |---|---|
//! | [`Caller`] | who calls; without credentials, behind an [optional](JwtAuthLayer::optional) layer, the request is refused with 401 |
//! | `Option<Caller>` | the same, and `None` without credentials; bad credentials never get here |
//! | [`Granted<G>`](Granted) | what the caller may do, as the type that the engine makes |
//! | [`Claims<T>`](Claims) | all claims of the token as a type of its own |
//!
//! A handler behind no [`JwtAuthLayer`] answers 500, and the log says which line to add.
//!
//! # Policies on a router, a route and a handler
//!
//! ```
//! use axum::{Router, handler::Handler, routing::{delete, get}};
//! use portcullis_axum::{JwtAuthLayer, RequireLayer, policy::{role, scope}};
//! # use portcullis_axum::Authenticator;
//!
//! # fn app(auth: Authenticator) -> Router {
//! # async fn list() {} async fn create() {} async fn remove() {}
//! Router::new()
//!     // a method router: both methods
//!     .route("/jobs", get(list).post(
//!         // a single handler
//!         create.layer(RequireLayer::new(scope("jobs:write"))),
//!     ))
//!     .route("/jobs/{id}", delete(remove).layer(RequireLayer::new(role("admin"))))
//!     // the whole router: an inner policy asks for more on top, never for less
//!     .route_layer(RequireLayer::new(scope("jobs:read")))
//!     .route_layer(JwtAuthLayer::new(auth))
//! # }
//! ```
//!
//! `route_layer` leaves the answer to unknown paths (404) open to everyone; `layer` guards these
//! too.
//!
//! # Tokens in the query
//!
//! The layer takes a token out of the URI before handlers and inner layers see it. axum's
//! `OriginalUri` keeps the URI as it was sent, token included: do not log it.

// The public interface is:
pub use portcullis::{
    Actor, Algorithm, AuthError, AuthErrorKind, Authenticator, AuthenticatorBuilder, Challenge,
    Clock, ConfigError, Grant, GrantMapping, Issuer, JwkSet, LayerError, NumericDate, Place,
    Policy, Principal, Scope, SeveralTokens, TokenProfile, TokenType, VerificationKey, policy,
};
#[cfg(feature = "remote")]
pub use portcullis::{
    Fetch, HttpFetch, JwkSetFile, KeySource, KeyStatus, NotReady, PemFile, RefreshPolicy,
    RemoteJwkSet,
};
pub use portcullis_tower::{
    Anonymous, Caller, CallerRejection, Claims, Granted, JwtAuth, JwtAuthFuture, JwtAuthLayer,
    ProblemJson, Refusal, Require, RequireFuture, RequireLayer, ResponseForRefusal,
};

// Compiles the README's examples as tests.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
