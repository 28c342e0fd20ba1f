//! Proves who calls an actix-web service and what they may do.
//!
//! ```
//! use actix_web::{App, HttpServer, web};
//! use portcullis_actix_web::{Authenticator, Caller, Issuer, JwkSet, JwtAuth, Require};
//! use portcullis_actix_web::policy::{role, scope};
//!
//! #[actix_web::main]
//! async fn serve(keys: &str) -> Result<(), Box<dyn std::error::Error>> {
//!     // Built once, outside of the closure that each worker calls.
//!     let auth = Authenticator::builder()
//!         .issuer(Issuer::new("https://idp.example.com").jwk_set(&JwkSet::from_json(keys)?))
//!         .audience("https://api.example.com")
//!         .build()?;
//!     let app = move || {
//!         App::new()
//!             .route("/orders", web::get().to(list_orders))
//!             .wrap(Require::new(scope("orders:read").or(role("admin"))))
//!             .wrap(JwtAuth::new(auth.clone())) // the last `wrap` runs first
//!     };
//! #   if true { actix_web::test::init_service(app()).await; return Ok(()); }
//!     HttpServer::new(app).bind(("127.0.0.1", 8080))?.run().await?;
//!     Ok(())
//! }
//!
//! async fn list_orders(caller: Caller) -> String {
//!     format!("orders of {}", caller.subject())
//! }
//! # let issuer = portcullis_testkit::TestIssuer::new("https://idp.example.com");
//! # serve(&issuer.jwk_set_json()).unwrap();
//! ```
//!
//! | a handler takes | and gets |
//! |---|---|
//! | [`Caller`] | who calls; without credentials, behind an [optional](JwtAuth::optional) middleware, the request is rejected with 401 |
//! | [`Granted<G>`](Granted) | what the caller may do, as the type that the engine makes |
//! | [`Claims<T>`](Claims) | all claims of the token as a type of its own |
//! | [`Optional<Caller>`](Optional), `Optional<Granted<G>>` | the same, and `None` without credentials; bad credentials are rejected |
//! | `Result<Caller, CallerRejection>` | the same, and [why not](CallerRejection::rejection) |
//! | [`OtherCallers<G>`](OtherCallers) | the callers of the other tokens, where a request may bring several |
//! | `ReqData<AuthContext>` | the one value that the middleware leaves in the request's extensions: an [`AuthContext`] |
//!
//! A handler behind no [`JwtAuth`] answers 500, and the log says which line to add. Not so one that
//! takes `Option<Caller>`: actix-web makes every error of an extractor `None`, so that without the
//! middleware everyone is nobody, and only the log says why. Take [`Optional`].
//!
//! # Policies on an app, a scope, a resource and a handler
//!
//! ```
//! use actix_web::{App, web};
//! use portcullis_actix_web::{JwtAuth, Require, policy::{path_parameter, role, scope}};
//! # use portcullis_actix_web::Authenticator;
//!
//! # async fn list() -> &'static str { "" }
//! # async fn create() -> &'static str { "" }
//! # async fn remove() -> &'static str { "" }
//! # async fn app(auth: Authenticator) {
//! # let app =
//! App::new()
//!     .service(
//!         web::scope("/jobs")
//!             .route("", web::get().to(list))
//!             // a single handler: `wrap` comes after `to`
//!             .route("", web::post().to(create).wrap(Require::new(scope("jobs:write"))))
//!             // a resource: all methods of one path
//!             .service(
//!                 web::resource("/{owner}/{id}")
//!                     .route(web::delete().to(remove))
//!                     .wrap(Require::new(path_parameter("owner").equals_claim("sub").or(role("admin")))),
//!             )
//!             // the whole scope: an inner policy asks for more on top, never for less
//!             .wrap(Require::new(scope("jobs:read"))),
//!     )
//!     .wrap(JwtAuth::new(auth.clone()))
//! # ;
//! # actix_web::test::init_service(app).await;
//! # }
//! ```
//!
//! With the macros of actix-web a policy on a handler is `#[post("/jobs", wrap = "may_create()")]`,
//! where `may_create` is a function that returns a [`Require`].
//!
//! What wraps an `App` or a scope guards the answer to unknown paths (404) in it too. [`Require`] says
//! where rules about parameters of the path belong.
//!
//! # A grant of the application's own
//!
//! ```
//! use actix_web::{App, web};
//! use portcullis_actix_web::{Authenticator, Grant, Granted, Issuer, JwkSet, JwtAuth, Require};
//! use portcullis_actix_web::policy::{self, scope};
//!
//! struct Rights {
//!     standard: Grant,
//!     credit: u32,
//! }
//!
//! async fn credit(rights: Granted<Rights>) -> String {
//!     rights.credit.to_string()
//! }
//!
//! # async fn app(keys: &JwkSet) -> Result<(), Box<dyn std::error::Error>> {
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
//! # let app =
//! App::new()
//!     .route("/credit", web::get().to(credit))
//!     .wrap(Require::new(may_buy))
//!     .wrap(JwtAuth::new(auth))
//! # ;
//! # actix_web::test::init_service(app).await;
//! # Ok(()) }
//! ```
//!
//! # Testing
//!
//! `portcullis-testkit` brings an issuer with real keys; the service is the same as in production,
//! but for the issuer that it trusts.
//!
//! ```
//! use actix_web::{App, test, web};
//! use portcullis_actix_web::{Authenticator, Caller, JwtAuth};
//! use portcullis_testkit::TestIssuer;
//!
//! # async fn who(caller: Caller) -> String { caller.subject().to_owned() }
//! # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let issuer = TestIssuer::new("https://idp.test");
//! let auth = Authenticator::builder().issuer(issuer.trusted()).audience("orders").build()?;
//! let app = App::new().route("/", web::get().to(who)).wrap(JwtAuth::new(auth));
//! let app = test::init_service(app).await;
//!
//! let good = issuer.token().audience("orders");
//! for (token, status) in [(good.build(), 200), (good.expired().build(), 401)] {
//!     let request = test::TestRequest::get().insert_header(("authorization", format!("Bearer {token}")));
//!     let response = test::call_service(&app, request.to_request()).await;
//!     assert_eq!(response.status().as_u16(), status);
//! }
//! # Ok(()) }
//! ```
//!
//! # CORS
//!
//! `Cors` of `actix-cors` belongs around [`JwtAuth`], so that it is wrapped after it. It answers
//! preflights, which bring no credentials, and lets pages read rejections; name the header with the
//! challenge among those that it exposes:
//!
//! ```
//! use actix_cors::Cors;
//! use actix_web::{App, http::header};
//! use portcullis_actix_web::JwtAuth;
//! # use portcullis_actix_web::Authenticator;
//!
//! # async fn app(auth: Authenticator) {
//! let cors = Cors::default()
//!     .allowed_origin("https://app.example.com")
//!     .allowed_header(header::AUTHORIZATION)
//!     .expose_headers([header::WWW_AUTHENTICATE, header::RETRY_AFTER]);
//! # let app =
//! App::new()
//!     .wrap(JwtAuth::new(auth.clone()))
//!     .wrap(cors)
//! # ;
//! # actix_web::test::init_service(app).await;
//! # }
//! ```
//!
//! # Clients that find the way to a token by themselves
//!
//! A service that has a name, its [resource identifier](AuthenticatorBuilder::resource), can tell
//! clients which authorization server to ask ([RFC 9728]): challenges name the URL of its metadata,
//! and [`ResourceMetadataService`] serves them, beside what [`JwtAuth`] guards.
//!
//! [RFC 9728]: https://www.rfc-editor.org/rfc/rfc9728
//!
//! # Public routes and readiness
//!
//! [`JwtAuth::public`] admits every request for a path, whatever credentials it brings, in production too.
//! A resource that no [`JwtAuth`] wraps is open as well. [`ReadinessService`] answers readiness probes:
//!
//! ```
//! use actix_web::{App, web};
//! use portcullis_actix_web::{Authenticator, Caller, JwtAuth, ReadinessService};
//!
//! # async fn list_orders(caller: Caller) -> String { caller.subject().to_owned() }
//! # async fn app(auth: Authenticator) {
//! # let app =
//! App::new()
//!     .route("/readyz", web::to(ReadinessService::new(auth.clone())))
//!     .route("/orders", web::get().to(list_orders))
//!     .wrap(JwtAuth::new(auth).public(|uri| uri.path() == "/readyz"))
//! # ;
//! # actix_web::test::init_service(app).await;
//! # }
//! ```
//!
//! The project's `docs/adapters.md` says what each adapter has, and `docs/outgoing.md` how a client such as awc gets
//! tokens for calls to other services.
//!
//! # Workers, and where keys are fetched
//!
//! Each worker of a server has a runtime of its own. Await `auth.ready()` before the server runs: then
//! keys are fetched in the runtime of `main`, which lives until the server has ended. Without that they
//! are fetched in the runtime of the worker that gets the first request, for all workers. An engine
//! that outlives its server goes on in the next one.
//!
//! # Tokens in the query
//!
//! An engine that reads tokens from the query needs one more line, around the whole `App`:
//! [`RemoveTokens`] removes them before any handler or `Logger` sees the URI. The same holds for tokens
//! among WebSocket subprotocols, and for an engine that
//! [removes tokens](AuthenticatorBuilder::remove_tokens) from header fields and cookies. Tokens in
//! `Authorization` alone need nothing.
//!
//! ```
//! use actix_web::{App, web};
//! use portcullis_actix_web::{Authenticator, Caller, JwtAuth, TokenLocation, RemoveTokens};
//! use portcullis_testkit::TestIssuer;
//!
//! # async fn who(caller: Caller) -> String { caller.subject().to_owned() }
//! # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let issuer = TestIssuer::new("https://idp.test");
//! let auth = Authenticator::builder()
//!     .issuer(issuer.trusted())
//!     .audience("orders")
//!     .locations(TokenLocation::header_query_cookie("access_token"))
//!     .build()?;
//! let app = App::new().route("/", web::get().to(who)).wrap(JwtAuth::new(auth.clone()));
//! let app = RemoveTokens::new(auth, app); // what `HttpServer::new` and tests take
//! # let app = actix_web::test::init_service(app).await;
//! # let token = issuer.token().audience("orders").build();
//! # let request = actix_web::test::TestRequest::with_uri(&format!("/?access_token={token}"));
//! # let response = actix_web::test::call_service(&app, request.to_request()).await;
//! # assert_eq!(response.status(), 200);
//! # Ok(()) }
//! ```
//!
//! # Features
//!
//! | feature | default | brings |
//! |---|---|---|
//! | `tracing` | yes | one event for each rejection, target `portcullis::rejection`, level debug |
//! | `remote` | no | keys from JWK Set URLs and discovery |
//! | `metrics` | no | counters of rejections and of fetches of keys, through the crate `metrics` |
//! | `mint` | no | keys that sign, tokens that the service issues, and tokens for its calls to others |
//! | `awc` | no | `AddBearerToken`, which adds tokens to the calls of an awc client. Brings `mint` |
//! | `config` | no | the engine from a configuration file |
//! | `sqlite`, `postgres`, `redis` | no | stores of revocations that a configuration file can name |
//! | `fips` | no | the FIPS-validated module of AWS-LC |
//!
//! # Examples on other pages
//!
//! Types of the engine are re-exported here: where their examples say `use portcullis::…`, a service
//! says `use portcullis_actix_web::…`.

mod auth;
mod auth_future;
mod caller;
mod endpoint;
mod extract;
mod metadata;
#[cfg(doctest)]
mod mistakes;
#[cfg(feature = "awc")]
mod outgoing;
mod readiness;
#[cfg(feature = "mint")]
mod reissue;
mod rejection;
mod remove_tokens;
mod request_view;
mod require;
#[cfg(feature = "mint")]
mod session;
mod set_cookies;

// The public interface is:
pub use auth::JwtAuth;
pub use caller::{Caller, Granted, OtherCallers};
pub use endpoint::EndpointService;
pub use extract::{CallerRejection, Claims, Optional};
pub use metadata::ResourceMetadataService;
#[cfg(feature = "awc")]
pub use outgoing::AddBearerToken;
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
pub use readiness::ReadinessService;
#[cfg(feature = "mint")]
pub use reissue::Reissue;
pub use rejection::{ProblemJson, RejectionExt, ResponseForRejection};
pub use remove_tokens::RemoveTokens;
pub use require::Require;
#[cfg(feature = "mint")]
pub use session::SessionAuth;

// Named, because they are in the signatures of others; nobody writes them.
#[doc(hidden)]
pub use auth::JwtAuthMiddleware;
#[doc(hidden)]
pub use auth_future::AuthFuture;
#[cfg(feature = "awc")]
#[doc(hidden)]
pub use outgoing::AddBearerTokenMiddleware;
#[cfg(feature = "mint")]
#[doc(hidden)]
pub use reissue::{ReissueFuture, ReissueMiddleware};
#[doc(hidden)]
pub use remove_tokens::RemoveTokensService;
#[doc(hidden)]
pub use require::RequireMiddleware;
#[cfg(feature = "mint")]
#[doc(hidden)]
pub use session::SessionMiddleware;

// Compiles the examples of that page as tests.
#[cfg(all(doctest, feature = "mint"))]
#[doc = include_str!("../../../docs/adapters.md")]
struct Adapters;
