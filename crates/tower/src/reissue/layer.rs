//! The configuration of the layer.

use portcullis_mint::Reissuer;
use tower_layer::Layer;

use super::Reissue;

/// Puts a new token on the response to a caller whose token expires soon. [`Reissuer`] says which tokens are
/// reissued, and when.
///
/// The token is in the header field [`Reissuer::header`], marked as sensitive, and the response gets
/// `Cache-Control: no-store`. A response that has the field already is unchanged, as is the error of a service.
///
/// # Deployment
///
/// The layer belongs *inside* of [`JwtAuthLayer`](crate::JwtAuthLayer), so it is added before it: it reads
/// the caller that the outer layer leaves. A CORS layer must expose the field, so that pages of other origins
/// can read it.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use http::{Request, Response};
/// use portcullis::{Algorithm, Authenticator, Issuer, keys::SigningKey};
/// use portcullis_mint::{Minter, Reissuer};
/// use portcullis_tower::{JwtAuthLayer, ReissueLayer};
/// use serde_json::json;
/// use tower::{ServiceBuilder, ServiceExt};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let key = SigningKey::generate(Algorithm::ES256)?;
/// let auth = Authenticator::builder()
///     .issuer(Issuer::new("https://tasks.example.com").key(key.verification_key()?))
///     .audience("tasks")
///     .build()?;
/// let minter = Minter::new(key).issuer("https://tasks.example.com");
///
/// let service = ServiceBuilder::new()
///     .layer(JwtAuthLayer::new(auth))
///     .layer(ReissueLayer::new(Reissuer::new(minter.clone()).lifetime(Duration::from_secs(600))))
///     .service_fn(|_: Request<()>| async {
///         Ok::<_, std::convert::Infallible>(Response::new(bytes::Bytes::new()))
///     });
///
/// let minter = minter.lifetime(Duration::from_secs(20)); // no more than 30 seconds are left
/// let token = minter.mint(&json!({"sub": "task-7", "aud": "tasks"}))?.into_token();
/// let request = Request::builder().header("authorization", format!("Bearer {token}"));
/// let response = service.oneshot(request.body(())?).await?;
/// assert!(response.headers().contains_key("refreshed-api-token"));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct ReissueLayer {
    reissuer: Reissuer,
}

impl ReissueLayer {
    /// Creates the layer.
    pub fn new(reissuer: Reissuer) -> Self {
        Self { reissuer }
    }
}

impl<S> Layer<S> for ReissueLayer {
    type Service = Reissue<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Reissue::new(inner, self.reissuer.clone())
    }
}
