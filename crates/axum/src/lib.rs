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
//! The layers are those of `portcullis-tower`, and so are the extractors' types. A layer leaves one
//! [`AuthContext`] in the request's extensions; the extractors read from it.
//!
//! | a handler takes | and gets |
//! |---|---|
//! | [`Caller`] | who calls; without credentials, behind an [optional](JwtAuthLayer::optional) layer, the request is rejected with 401 |
//! | `Option<Caller>`, `Option<Granted<G>>` | the same, and `None` without credentials; bad credentials never get here |
//! | [`Granted<G>`](Granted) | what the caller may do, as the type that the engine makes |
//! | [`OtherCallers<G>`](OtherCallers) | the callers of the other tokens, where a request may bring several |
//! | [`Claims<T>`](Claims) | all claims of the token as a type of its own |
//! | `Extension<AuthContext>` | all of that, and why there is no caller: [`AuthContext::anonymous`] |
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
//! `route_layer` leaves the answer to unknown paths (404) and fallbacks open to everyone; `layer`
//! guards these too. Either guards what the router has when it is added: what is added to the router
//! later stands outside.
//!
//! WebSocket upgrades and server-sent events are judged as other requests are, once, before the
//! handler. Pages cannot set headers there: their tokens come in the query, in a cookie, or among the
//! subprotocols ([`TokenLocation::web_socket_protocol`]).
//!
//! # Policies that look at the route, and at a database
//!
//! ```
//! use std::{sync::Arc, time::Duration};
//! use axum::{Router, handler::Handler, routing::{get, post}};
//! use portcullis_axum::{AuthErrorKind, Grant, JwtAuthLayer, Principal, RequireLayer};
//! use portcullis_axum::policy::{acr_values, max_age, path_parameter, scope};
//! # use portcullis_axum::Authenticator;
//!
//! # struct Orders;
//! # impl Orders { async fn is_owner(&self, _order: &str, _user: &str) -> bool { true } }
//! # fn app(auth: Authenticator, orders: Arc<Orders>) -> Router {
//! # async fn show() {} async fn pay() {} async fn list() {}
//! // The caller owns the order of the path: the function may take its time.
//! let own_order = path_parameter("order").check_async(
//!     move |order: String, caller: Principal, _: Arc<Grant>| {
//!         let orders = Arc::clone(&orders);
//!         async move {
//!             let is_own = orders.is_owner(&order, caller.subject()).await;
//!             if is_own { Ok(()) } else { Err(AuthErrorKind::NotPermitted.into()) }
//!         }
//!     },
//! );
//! // Paying needs a strong login, and a fresh one: the challenge says so (RFC 9470).
//! let fresh = acr_values(["gold"]).and(max_age(Duration::from_secs(300)));
//! Router::new()
//!     .route("/orders/{order}", get(show).layer(RequireLayer::new(own_order.clone())))
//!     .route("/orders/{order}/pay", post(pay).layer(RequireLayer::new(own_order.and(fresh))))
//!     // The tenant of the path is among those of the token.
//!     .route("/tenants/{tenant}/orders", get(list).layer(RequireLayer::new(
//!         path_parameter("tenant").is_in_claim("tenants"),
//!     )))
//!     // One route of the group is open to more: an exception is part of the group's policy.
//!     .route_layer(RequireLayer::new(
//!         scope("orders").except_method("GET", "/orders/{order}", scope("orders").or(scope("orders:read"))),
//!     ))
//!     .route_layer(JwtAuthLayer::new(auth))
//! # }
//! ```
//!
//! Layers with such policies stand on routes, or around them with `route_layer`: outside of the router no
//! route is known, and they reject.
//!
//! # A grant of the application's own
//!
//! ```
//! use axum::{Router, handler::Handler, routing::get};
//! use portcullis_axum::{Authenticator, Grant, Granted, Issuer, JwkSet, JwtAuthLayer, RequireLayer};
//! use portcullis_axum::policy::{self, scope};
//!
//! struct Rights {
//!     standard: Grant,
//!     credit: u32,
//! }
//!
//! # fn app(keys: &JwkSet) -> Result<Router, Box<dyn std::error::Error>> {
//! let auth = Authenticator::builder()
//!     .issuer(Issuer::new("https://idp.example.com").jwk_set(keys))
//!     .audience("https://api.example.com")
//!     .with_grant_from(|caller| {
//!         let credit = caller.claim("credit")?.unwrap_or(0);
//!         Ok(Rights { standard: caller.standard_grant()?, credit })
//!     })
//!     .build()?;
//! let may_buy = scope("orders:write")
//!     .on(|rights: &Rights| &rights.standard) // rules for the standard grant inside
//!     .and(policy::grant(|rights: &Rights| rights.credit > 0));
//! # Ok(
//! Router::new()
//!     .route("/credit", get(|rights: Granted<Rights>| async move { rights.credit.to_string() }))
//!     .route_layer(RequireLayer::new(may_buy))
//!     .route_layer(JwtAuthLayer::new(auth))
//! # )
//! # }
//! ```
//!
//! # Clients that find the way to a token by themselves
//!
//! A service that has a name, its [resource identifier](AuthenticatorBuilder::resource), can tell
//! clients which authorization server to ask ([RFC 9728]): challenges name the URL of its metadata,
//! and [`ResourceMetadataService`] serves them. Routes that are added after a layer are outside of
//! it, where clients without a token can read them.
//!
//! ```
//! use axum::{Router, routing::post};
//! use portcullis_axum::{Authenticator, Caller, Issuer, JwkSet, JwtAuthLayer, ResourceMetadataService, resource_metadata::ProtectedResource};
//!
//! fn app(keys: &JwkSet) -> Result<Router, portcullis_axum::ConfigError> {
//!     let resource = ProtectedResource::new("https://api.example.com/mcp")
//!         .scopes_supported(["tools:call"])
//!         .resource_name("Tools");
//!     let auth = Authenticator::builder()
//!         .issuer(Issuer::new("https://idp.example.com").jwk_set(keys))
//!         .resource(resource) // tokens must have this name as their audience
//!         .build()?;
//!     let metadata = ResourceMetadataService::new(&auth)?;
//!     Ok(Router::new()
//!         .route("/mcp", post(call_tool))
//!         .route_layer(JwtAuthLayer::new(auth))
//!         .route_service(metadata.path(), metadata.clone())) // open to everyone
//! }
//!
//! async fn call_tool(caller: Caller) -> String {
//!     caller.subject().to_owned()
//! }
//! # let issuer = portcullis_testkit::TestIssuer::new("https://idp.example.com");
//! # app(&JwkSet::from_json(&issuer.jwk_set_json()).unwrap()).unwrap();
//! ```
//!
//! [RFC 9728]: https://www.rfc-editor.org/rfc/rfc9728
//!
//! # CORS
//!
//! A CORS layer belongs around a [`JwtAuthLayer`], so it is added after it, and must expose the
//! challenge:
//!
//! ```
//! # use axum::{Router, http::{HeaderValue, header}, routing::get};
//! # use portcullis_axum::{Authenticator, JwtAuthLayer};
//! # use tower_http::cors::CorsLayer;
//! # fn app(auth: Authenticator) -> Router {
//! let cors = CorsLayer::new()
//!     .allow_origin(HeaderValue::from_static("https://app.example.com"))
//!     .allow_headers([header::AUTHORIZATION])
//!     .expose_headers([header::WWW_AUTHENTICATE, header::RETRY_AFTER]);
//! Router::new().route("/", get(|| async {})).layer(JwtAuthLayer::new(auth)).layer(cors)
//! # }
//! ```
//!
//! The project's `docs/cors.md` says what pages see in each order.
//!
//! # Testing
//!
//! `portcullis-testkit` brings an issuer with real keys; the service is the same as in production,
//! but for the issuer that it trusts.
//!
//! ```
//! use axum::{Router, body::Body, http::Request, routing::get};
//! use portcullis_axum::{Authenticator, Caller, JwtAuthLayer};
//! use portcullis_testkit::TestIssuer;
//! use tower::ServiceExt;
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let issuer = TestIssuer::new("https://idp.test");
//! let auth = Authenticator::builder().issuer(issuer.trusted()).audience("orders").build()?;
//! let app = Router::new()
//!     .route("/", get(|caller: Caller| async move { caller.subject().to_owned() }))
//!     .layer(JwtAuthLayer::new(auth));
//!
//! let good = issuer.token().audience("orders");
//! for (token, status) in [(good.build(), 200), (good.expired().build(), 401)] {
//!     let request = Request::get("/").header("authorization", format!("Bearer {token}"));
//!     let response = app.clone().oneshot(request.body(Body::empty())?).await?;
//!     assert_eq!(response.status().as_u16(), status);
//! }
//! # Ok(()) }
//! ```
//!
//! # Examples on other pages
//!
//! Types of the engine are re-exported here: where their examples say `use portcullis::…` or
//! `use portcullis_tower::…`, a service says `use portcullis_axum::…`.
//!
//! # Tokens in the query
//!
//! The layer takes a token out of the URI before handlers and inner layers see it. axum's
//! `OriginalUri` keeps the URI as it was sent, token included: do not log it.

#[cfg(doctest)]
mod mistakes;

// The public interface is:
/// Everything of the engine, under the same names.
#[doc(no_inline)]
pub use portcullis::*;
/// The engine from a configuration file.
#[cfg(feature = "config")]
#[doc(no_inline)]
pub use portcullis_config as config;
#[cfg(feature = "config")]
#[doc(no_inline)]
pub use portcullis_config::Config;
/// Tokens that the service issues, and tokens for its calls to others.
#[cfg(feature = "mint")]
#[doc(no_inline)]
pub use portcullis_mint as mint;
#[cfg(feature = "mint")]
pub use portcullis_tower::{AddBearerTokenLayer, ReissueLayer, SessionLayer};
pub use portcullis_tower::{
    Caller, CallerRejection, Claims, EndpointService, Granted, JwtAuthLayer, OtherCallers,
    PathParameters, ProblemJson, ReadinessService, RejectionExt, RequireLayer,
    ResourceMetadataService, ResponseForRejection, service,
};

// Compiles the examples of that page as tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/cors.md")]
struct Cors;

#[cfg(all(doctest, feature = "mint"))]
#[doc = include_str!("../../../docs/reissue.md")]
struct ReissuePage;

#[cfg(all(doctest, feature = "mint"))]
#[doc = include_str!("../../../docs/publish-keys.md")]
struct PublishKeysPage;
