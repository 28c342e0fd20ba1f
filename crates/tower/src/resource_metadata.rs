//! Serving the protected resource metadata ([RFC 9728 §3]).
//!
//! [RFC 9728 §3]: https://www.rfc-editor.org/rfc/rfc9728#section-3

use std::{
    convert::Infallible,
    future::{Ready, ready},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, header};
use http_body::{Body, Frame, SizeHint};
use portcullis::{Authenticator, error::ResourceError, resource_metadata::ResourceMetadata};
use tower_service::Service;

use crate::rejection::plain;

/// Answers requests for the protected resource metadata ([RFC 9728 §3]).
///
/// 1. `GET` and `HEAD` get the document, as `application/json`; caches may keep it for five minutes.
/// 2. Everyone gets the same. Pages of every origin may read it, and CORS preflights are answered.
/// 3. Any other method gets 405.
///
/// # Deployment
///
/// It goes to [`path`](Self::path) on the host that the resource names: in axum to the outermost
/// router. A client without a token reads it, so no [`JwtAuthLayer`](crate::JwtAuthLayer) may stand
/// around it; in axum, routes that are added after a layer are outside of it. Nor does it need a
/// CORS layer around it. A proxy that takes a prefix off the path must send the well-known path here
/// too.
///
/// # Examples
///
/// ```
/// use http::Request;
/// use http_body_util::BodyExt;
/// use portcullis::Authenticator;
/// use portcullis_testkit::TestIssuer;
/// use portcullis_tower::ResourceMetadataService;
/// use tower::ServiceExt;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let issuer = TestIssuer::new("https://idp.test");
/// let auth =
///     Authenticator::builder().issuer(issuer.trusted()).resource("https://api.test/mcp").build()?;
/// let metadata = ResourceMetadataService::new(&auth)?;
/// assert_eq!(metadata.path(), "/.well-known/oauth-protected-resource/mcp");
///
/// let response = metadata.oneshot(Request::new(())).await?;
/// assert_eq!(
///     response.into_body().collect().await?.to_bytes(),
///     concat!(
///         r#"{"resource":"https://api.test/mcp","authorization_servers":["https://idp.test"],"#,
///         r#""bearer_methods_supported":["header"]}"#,
///     )
/// );
/// # Ok(()) }
/// ```
///
/// [RFC 9728 §3]: https://www.rfc-editor.org/rfc/rfc9728#section-3
#[derive(Clone, Debug)]
pub struct ResourceMetadataService {
    metadata: Arc<ResourceMetadata>,
    /// The document, which responses share.
    document: Bytes,
}

impl ResourceMetadataService {
    /// Serves the metadata of an engine.
    ///
    /// # Errors
    ///
    /// [`ResourceError::NotConfigured`] if the engine was built without a
    /// [`resource`](portcullis::AuthenticatorBuilder::resource).
    pub fn new<G: Send + Sync + 'static>(auth: &Authenticator<G>) -> Result<Self, ResourceError> {
        let metadata = auth.resource_metadata().ok_or(ResourceError::NotConfigured)?;
        let document = Bytes::copy_from_slice(metadata.json().as_bytes());
        Ok(Self { metadata, document })
    }

    /// Returns the path that this belongs to, such as `/.well-known/oauth-protected-resource/mcp`.
    #[must_use]
    pub fn path(&self) -> &str {
        self.metadata.path()
    }

    fn respond(&self, method: &Method, query: Option<&str>) -> Response<ResourceMetadataBody> {
        let answer = self.metadata.respond(method.as_str(), query);
        let body = match answer.body {
            "" => Bytes::new(),
            _ => self.document.clone(),
        };
        let length = HeaderValue::from(body.len());
        let is_head = method == Method::HEAD;
        let body = ResourceMetadataBody(Some(body).filter(|body| !is_head && !body.is_empty()));
        let mut response = plain(answer, body);
        if is_head {
            response.headers_mut().insert(header::CONTENT_LENGTH, length);
        }
        response
    }
}

impl<B> Service<Request<B>> for ResourceMetadataService {
    type Response = Response<ResourceMetadataBody>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        ready(Ok(self.respond(request.method(), request.uri().query())))
    }
}

/// The body of responses of [`ResourceMetadataService`]: one piece, or nothing.
#[derive(Clone, Debug)]
pub struct ResourceMetadataBody(Option<Bytes>);

impl Body for ResourceMetadataBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.take().map(|data| Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let length = self.0.as_ref().map_or(0, Bytes::len);
        SizeHint::with_exact(u64::try_from(length).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;
    use portcullis_testkit::TestIssuer;
    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn bodies_say_how_long_they_are_and_head_has_none() {
        let issuer = TestIssuer::new("https://idp.test");
        let auth = Authenticator::builder()
            .issuer(issuer.trusted())
            .resource("https://api.test/mcp")
            .build()
            .unwrap();
        let service = ResourceMetadataService::new(&auth).unwrap();
        let length = service.document.len();
        for (method, has_body) in
            [("GET", true), ("HEAD", false), ("OPTIONS", false), ("PUT", false)]
        {
            let request = Request::builder().method(method).body(()).unwrap();
            let response = service.clone().oneshot(request).await.unwrap();
            let stated = response.headers().get(header::CONTENT_LENGTH).cloned();
            assert_eq!(stated, (method == "HEAD").then(|| length.into()), "{method}");
            let expected = if has_body { length } else { 0 };
            assert_eq!(response.body().size_hint().exact(), u64::try_from(expected).ok());
            assert_eq!(response.body().is_end_stream(), !has_body, "{method}");
            let body = response.into_body().collect().await.unwrap().to_bytes();
            assert_eq!(body.len(), expected, "{method}");
        }
    }
}
