//! Serving the protected resource metadata ([RFC 9728 §3]).
//!
//! [RFC 9728 §3]: https://www.rfc-editor.org/rfc/rfc9728#section-3

use std::{future::ready, sync::Arc};

use actix_web::{
    HttpRequest, HttpResponse,
    dev::{AppService, HttpServiceFactory},
    guard,
    web::{self, Bytes},
};
use portcullis::{Authenticator, error::ResourceError, resource_metadata::ResourceMetadata};

use crate::rejection::plain;

/// Answers requests for the protected resource metadata ([RFC 9728 §3]): for `service` of an `App`.
///
/// 1. `GET` and `HEAD` get the document, as `application/json`; caches may keep it for five minutes.
/// 2. Everyone gets the same. Pages of every origin may read it, and CORS preflights are answered.
/// 3. Any other method gets 405.
///
/// # Deployment
///
/// It registers [its path](Self::path) on the host that the resource names: it belongs to the `App`,
/// and not to a scope. A client without a token reads it, so no [`JwtAuth`](crate::JwtAuth) may stand
/// around it: wrap scopes and resources beside it instead of the `App`. Nor does it need a CORS
/// middleware around it. A proxy that takes a prefix off the path must send the well-known path here
/// too.
///
/// # Examples
///
/// ```
/// use actix_web::{App, test, web};
/// use portcullis_actix_web::{Authenticator, Caller, JwtAuth, ResourceMetadataService};
/// use portcullis_testkit::TestIssuer;
///
/// # async fn call_tool(_: Caller) -> &'static str { "" }
/// # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let issuer = TestIssuer::new("https://idp.test");
/// let auth =
///     Authenticator::builder().issuer(issuer.trusted()).resource("https://api.test/mcp").build()?;
/// let metadata = ResourceMetadataService::new(&auth)?;
/// assert_eq!(metadata.path(), "/.well-known/oauth-protected-resource/mcp");
///
/// let app = App::new()
///     .service(metadata) // open to everyone
///     .service(web::resource("/mcp").route(web::post().to(call_tool)).wrap(JwtAuth::new(auth)));
/// let app = test::init_service(app).await;
///
/// let request = test::TestRequest::get().uri("/.well-known/oauth-protected-resource/mcp");
/// let body = test::call_and_read_body(&app, request.to_request()).await;
/// assert_eq!(
///     body,
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

    fn respond(&self, request: &HttpRequest) -> HttpResponse {
        let answer = self.metadata.respond(request.method().as_str(), request.uri().query());
        let body = match answer.body {
            "" => Bytes::new(),
            // Of a `HEAD` response the server sends the length alone.
            _ => self.document.clone(),
        };
        plain(answer, body)
    }
}

impl HttpServiceFactory for ResourceMetadataService {
    fn register(self, config: &mut AppService) {
        let path = self.path().to_owned();
        let respond = move |request: HttpRequest| ready(self.respond(&request));
        // Compared as it was sent, because to the router a brace or a star would be a pattern.
        web::resource("/.well-known/oauth-protected-resource{resource:.*}")
            .guard(guard::fn_guard(move |context| context.head().uri.path() == path))
            .to(respond)
            .register(config);
    }
}
