//! Layers that prove who calls a tower service and what they may do.
//!
//! [`JwtAuthLayer`] judges each request and leaves one [`AuthContext`] in its extensions, from which
//! [`Caller::find`] and [`Granted::find`] read. [`RequireLayer`] asks for rights, on a whole service or on a single handler. Both
//! decide before the inner service is called; nothing behind them needs to check again.
//!
//! # Examples
//!
//! ```
//! use bytes::Bytes;
//! use http::{Request, Response};
//! use http_body_util::{BodyExt, Full};
//! use portcullis::{Authenticator, policy::scope};
//! use portcullis_testkit::TestIssuer;
//! use portcullis_tower::{Caller, JwtAuthLayer, RequireLayer};
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let issuer = TestIssuer::new("https://idp.test");
//! let auth = Authenticator::builder().issuer(issuer.trusted()).audience("orders").build()?;
//!
//! let service = ServiceBuilder::new()
//!     .layer(JwtAuthLayer::new(auth))
//!     .layer(RequireLayer::new(scope("orders:read")))
//!     .service_fn(|request: Request<()>| async move {
//!         let caller = Caller::find(request.extensions());
//!         let subject = caller.map(|caller| caller.subject().to_owned()).unwrap_or_default();
//!         Ok::<_, std::convert::Infallible>(Response::new(Full::<Bytes>::from(subject)))
//!     });
//!
//! let token = issuer.token().audience("orders").scope("orders:read").build();
//! let request = Request::builder().header("authorization", format!("Bearer {token}"));
//! let response = service.clone().oneshot(request.body(())?).await?;
//! assert_eq!(response.into_body().collect().await?.to_bytes(), "alice");
//!
//! let rejected = service.oneshot(Request::new(())).await?;
//! assert_eq!((rejected.status().as_u16(), &rejected.headers()["www-authenticate"]), (401, &"Bearer".parse()?));
//! # Ok(()) }
//! ```
//!
//! # What a rejected caller gets
//!
//! 1. No credentials: 401 and a challenge without an error code.
//! 2. A malformed request, such as one with two tokens: 400.
//! 3. A token that is not good: 401 with `error="invalid_token"`.
//! 4. A good token without the rights: 403 with `error="insufficient_scope"`.
//! 5. What is needed to judge the token is not available: 503 with `Retry-After`.
//! 6. A [`RequireLayer`] or an extractor without a [`JwtAuthLayer`] around it: 500, and an error in
//!    the log that says which line to add.
//!
//! The body is `application/problem+json` unless a [`ResponseForRejection`] makes another. The
//! [`AuthError`](portcullis::AuthError) stays in the extensions of the response, for layers around.
//!
//! # Features
//!
//! | feature | default | brings |
//! |---|---|---|
//! | `tracing` | yes | one event for each rejection, target `portcullis::rejection`, level debug |
//! | `remote` | no | keys from JWK Set URLs and discovery |
//! | `mint` | no | `AddBearerTokenLayer` for calls to other services, and `ReissueLayer` for tokens of the service's own |
//! | `fips` | no | the FIPS-validated module of AWS-LC |
//! | `axum` | no | the extractors of `portcullis-axum`, which turns it on |

mod auth;
#[cfg(feature = "axum")]
mod axum;
mod caller;
mod endpoint;
mod future;
#[cfg(feature = "mint")]
mod outgoing;
mod readiness;
#[cfg(feature = "mint")]
mod reissue;
mod rejection;
mod request;
mod require;
mod resource_metadata;
mod route;
#[cfg(feature = "mint")]
mod session;
mod set_cookies;

// The public interface is:
#[cfg(feature = "axum")]
pub use self::axum::{CallerRejection, Claims};
pub use auth::JwtAuthLayer;
pub use caller::{Caller, Granted, OtherCallers};
pub use endpoint::EndpointService;
#[cfg(feature = "mint")]
pub use outgoing::AddBearerTokenLayer;
pub use portcullis::{AuthContext, Rejection};
pub use readiness::ReadinessService;
#[cfg(feature = "mint")]
pub use reissue::ReissueLayer;
pub use rejection::{ProblemJson, RejectionExt, ResponseForRejection};
pub use require::RequireLayer;
pub use resource_metadata::ResourceMetadataService;
pub use route::PathParameters;
#[cfg(feature = "mint")]
pub use session::SessionLayer;

/// The services and futures behind the layers. An application rarely names them.
pub mod service {
    pub use crate::{
        auth::JwtAuth, endpoint::EndpointFuture, future::AuthFuture, require::Require,
        resource_metadata::ResourceMetadataBody,
    };
    #[cfg(feature = "mint")]
    pub use crate::{
        outgoing::{
            AddBearerToken, AddBearerTokenError, AddBearerTokenFuture, CloneRequest, NoReplay,
            Replay,
        },
        reissue::{Reissue, ReissueFuture},
        session::{Sessions, SessionsFuture},
    };
}
