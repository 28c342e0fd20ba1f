//! Proves who calls a tonic service and what they may do.
//!
//! ```
//! use portcullis_tonic::{
//!     Authenticator, Issuer, JwkSet, JwtAuthLayer, MethodPolicies, RequestExt,
//!     policy::{role, scope},
//! };
//! use tonic::{Request, Response, Status, transport::Server};
//!
//! # struct ListOrders; struct Orders(String);
//! # async fn server(keys: &str, shutdown: impl Future<Output = ()>) -> Result<(), Box<dyn std::error::Error>> {
//! # let (_, orders) = tonic_health::server::health_reporter();
//! let auth = Authenticator::builder()
//!     .issuer(Issuer::new("https://idp.example.com").jwk_set(&JwkSet::from_json(keys)?))
//!     .audience("https://api.example.com")
//!     .build()?;
//! // What is not named is rejected.
//! let methods = MethodPolicies::new()
//!     .method("/orders.v1.Orders/List", scope("orders:read").or(role("admin")))
//!     .method("/orders.v1.Orders/Delete", role("admin"))
//!     .public("/grpc.health.v1.Health/Check");
//! Server::builder()
//!     .layer(JwtAuthLayer::new(auth).methods(methods)?) // the layer added first runs first
//!     .add_service(orders)
//!     .serve_with_shutdown("127.0.0.1:50051".parse()?, shutdown)
//!     .await?;
//! # Ok(()) }
//!
//! async fn list(request: Request<ListOrders>) -> Result<Response<Orders>, Status> {
//!     let caller = request.caller()?;
//!     Ok(Response::new(Orders(format!("orders of {}", caller.subject()))))
//! }
//! # let issuer = portcullis_testkit::TestIssuer::new("https://idp.example.com");
//! # let _ = server(&issuer.jwk_set_json(), std::future::ready(()));
//! ```
//!
//! [`RequestExt`] is what handlers and interceptors ask: `caller`, `optional_caller`, `granted`,
//! `claims`, and `require` for a policy about what the message says. Behind no [`JwtAuthLayer`] they get the status 13, and the log says which line to add.
//!
//! # What a rejected caller gets
//!
//! | | code | `www-authenticate` in the metadata |
//! |---|---|---|
//! | no credentials | 16 `UNAUTHENTICATED` | `Bearer` |
//! | a malformed request, such as one with two tokens | 3 `INVALID_ARGUMENT` | `error="invalid_request"` |
//! | a token that is not good | 16 `UNAUTHENTICATED` | `error="invalid_token"` |
//! | no right to call the method, or no such method in the table | 7 `PERMISSION_DENIED` | `error="insufficient_scope"` |
//! | another token or a fresh login is needed | 16 `UNAUTHENTICATED` | says what is needed |
//! | what is needed to judge the token is not available | 14 `UNAVAILABLE` | none |
//! | a layer is missing, or a policy has a fault | 13 `INTERNAL` | none |
//!
//! Every rejection is trailers-only, with a fixed text for each kind, and `google.rpc.ErrorInfo` in its
//! details. [`GrpcStatus`] says the rest, and how to change it: a service that hides causes gives
//! everyone the same. The [`AuthError`] stays in the extensions of the response, for layers around.
//!
//! # Streams
//!
//! A call is judged once, when it begins. [`JwtAuthLayer::end_streams_at_expiry`] ends its streams when
//! the token expires or is revoked.
//!
//! # Calls between services
//!
//! A token travels in the metadata `authorization`. Any other name works as
//! [`TokenLocation::header`](TokenLocation::header); binary metadata (`…-bin`) are no place for one. With the feature
//! `mint`, `AddBearerTokenLayer` around a client's channel puts one on each call, and renews it.
//!
//! # Readiness
//!
//! `Authenticator::health` says whether each issuer has usable keys. The project's `docs/adapters.md` connects it to
//! the health service of gRPC; [`ReadinessService`] answers HTTP probes, on a router beside the services.
//!
//! # Browsers
//!
//! With `tonic-web`, add its layer and that of CORS *before* [`JwtAuthLayer`], so that they run around
//! it and rejections reach the page too.
//!
//! # Examples on other pages
//!
//! Types of the engine are re-exported here: where their examples say `use portcullis::…` or
//! `use portcullis_tower::…`, a service says `use portcullis_tonic::…`.
//!
//! # Features
//!
//! | feature | default | brings |
//! |---|---|---|
//! | `tracing` | yes | one event for each rejection, target `portcullis::rejection`, level debug |
//! | `remote` | no | keys from JWK Set URLs and discovery |
//! | `metrics` | no | counters of rejections and of fetches of keys, through the crate `metrics` |
//! | `mint` | no | keys that sign, and `AddBearerTokenLayer` for calls to other services |
//! | `config` | no | the engine from a configuration file |
//! | `sqlite`, `postgres`, `redis` | no | stores of revocations that a configuration file can name |
//! | `fips` | no | the FIPS-validated module of AWS-LC |

mod body;
mod expiry;
mod layer;
mod method_auth;
mod methods;
#[cfg(doctest)]
mod mistakes;
#[cfg(feature = "mint")]
mod outgoing;
mod request;
mod require;
mod requiring;
mod route;
mod status;

/// What errors of bodies turn into, as tonic has it.
type BoxError = Box<dyn std::error::Error + Send + Sync>;

// The public interface is:
pub use layer::JwtAuthLayer;
pub use methods::{MethodError, MethodPolicies};
#[cfg(feature = "mint")]
pub use outgoing::AddBearerTokenLayer;
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
pub use portcullis_tower::{
    Caller, Granted, OtherCallers, ReadinessService, ResourceMetadataService,
};
pub use request::RequestExt;
pub use require::RequireLayer;
pub use requiring::Requiring;
pub use status::GrpcStatus;

/// The services and futures behind the layers. An application rarely names them.
pub mod service {
    #[cfg(feature = "mint")]
    pub use crate::outgoing::{AddBearerToken, AddBearerTokenFuture, RecordMessages, RecordedCall};
    pub use crate::{
        body::{TonicBody, TonicBodyFuture},
        method_auth::{MethodAuth, MethodAuthFuture},
        require::Require,
    };
    #[cfg(feature = "mint")]
    pub use portcullis_tower::service::{AddBearerTokenError, NoReplay, Replay};
    pub use portcullis_tower::service::{AuthFuture, JwtAuth, ResourceMetadataBody};
}
