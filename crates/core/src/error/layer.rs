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
    /// Some code outside of the layer holds the request too, so that its tokens cannot be taken out of
    /// it.
    SharedRequest,
}

impl LayerError {
    /// Tells the log, as an error: no client can cause it. Without the feature `tracing` it does
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
            Self::SharedRequest => f.write_str(
                "a middleware around the layer keeps a clone of the request, so that its tokens \
                 cannot be taken out: drop the clone before the layer is called",
            ),
        }
    }
}

impl Error for LayerError {}
