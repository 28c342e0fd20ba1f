//! Endpoints that revoke tokens, in terms of no framework: revocation (RFC 7009), logout, and OpenID Connect
//! Back-Channel Logout. Adapters read the request and render the response; the rules are here.

mod backchannel_logout;
mod error;
mod logout;
mod response;
mod revoke;

use std::{sync::Arc, time::Duration};

pub use backchannel_logout::BackchannelLogoutEndpoint;
pub use error::EndpointError;
pub use logout::LogoutEndpoint;
pub use revoke::RevokeEndpoint;

use super::{Revocation, StoreErrorKind};
use crate::{
    AuthError, AuthErrorKind, Authenticator, Rejection,
    adapter::{EndpointResponse, PlainResponse},
    future::PanicCaught,
};
use response::{TOO_MANY, UNAVAILABLE, UNSUPPORTED_TOKEN};

/// The longest time that an endpoint waits for the store to write.
const WRITE_TIMEOUT: Duration = Duration::from_secs(5);

/// Revokes, and waits until the entries hold on this replica and survive a crash.
async fn revoke<G: Send + Sync + 'static>(
    auth: &Authenticator<G>,
    entries: &[Revocation],
) -> Result<(), PlainResponse<'static>> {
    let clock = Arc::clone(&auth.engine().clock);
    // Inside of a future, because a store may panic before it returns one.
    let write = PanicCaught(Box::pin(async { auth.revoke(entries).await }));
    let mut answer = UNAVAILABLE;
    let failure = tokio::select! {
        biased;
        written = write => match written {
            Some(Ok(())) => return Ok(()),
            Some(Err(error)) => {
                // Another attempt would fail as well.
                if error.kind() == StoreErrorKind::Unsupported {
                    answer = UNSUPPORTED_TOKEN;
                }
                error.to_string()
            }
            None => "the store panicked".to_owned(),
        },
        () = clock.sleep(WRITE_TIMEOUT) => "the store did not answer in time".to_owned(),
    };
    #[cfg(feature = "tracing")]
    tracing::warn!(target: "portcullis::revocation", "an endpoint could not revoke: {failure}");
    #[cfg(not(feature = "tracing"))]
    drop(failure);
    Err(answer)
}

/// Returns what to answer because a token could not be judged; `None` if it was judged, and is not valid.
///
/// A token that was not judged may be valid, so that the client must be able to try again.
fn of_unjudged<G: Send + Sync + 'static>(
    error: &AuthError,
    auth: &Authenticator<G>,
) -> Option<EndpointResponse> {
    #[cfg(feature = "tracing")]
    tracing::debug!(
        target: "portcullis::revocation",
        kind = error.kind().code(),
        reason = std::error::Error::source(error).map(ToString::to_string),
        "an endpoint did not accept a token"
    );
    Some(match error.kind() {
        AuthErrorKind::KeysUnavailable
        | AuthErrorKind::StoreUnavailable
        | AuthErrorKind::ResolverUnavailable => UNAVAILABLE.into(),
        AuthErrorKind::IssuerNotLookedUp => TOO_MANY.into(),
        AuthErrorKind::InternalError => {
            Rejection::new(error.clone(), auth.challenge_settings()).into()
        }
        _ => return None,
    })
}
