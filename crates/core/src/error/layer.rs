//! Errors of an application that is put together wrongly.

use std::{error::Error, fmt};

/// A handler or policy asks for what no layer has left in the request: a fault of the application,
/// answered with 500.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum LayerError {
    /// No layer has judged the request.
    Missing,
    /// The layer makes grants of another type.
    OtherGrant {
        /// The type that was asked for.
        wanted: &'static str,
        /// The type that the layer makes.
        made: &'static str,
    },
    /// The request has tokens that handlers must not see, and nothing around the layer has removed them.
    TokensNotRemoved,
}

impl LayerError {
    /// Tells the log, as an error: it is a fault of the application. Without the feature `tracing` it does
    /// nothing.
    pub fn report(&self) {
        #[cfg(feature = "tracing")]
        tracing::error!(target: "portcullis", "{self}");
    }
}

impl fmt::Display for LayerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str(
                "no layer has judged this request: add `.layer(JwtAuthLayer::new(auth))`, or in \
                 actix-web `.wrap(JwtAuth::new(auth.clone()))`, around the route, after the layers \
                 and routes that need the caller",
            ),
            Self::OtherGrant { wanted, made } => write!(
                f,
                "asked for a grant of type `{wanted}`, and the layer makes `{made}`: ask for that, \
                 or build the engine with `with_grant`"
            ),
            Self::TokensNotRemoved => f.write_str(
                "the request has a token that handlers must not see, in its query or in a field that \
                 the engine removes tokens from, and actix-web does not let a middleware remove it: \
                 return `RemoveTokens::new(auth.clone(), app)` instead of the `App` from the closure \
                 of `HttpServer::new`",
            ),
        }
    }
}

impl Error for LayerError {}
