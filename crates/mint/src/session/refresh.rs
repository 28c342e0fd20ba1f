//! What the application says of a session that may be renewed.

use std::{error::Error, fmt, sync::Arc, time::Duration};

use portcullis::{Principal, clock::Clock, future::BoxFuture};
use serde_json::Value;

use super::error::Failure;
use crate::renewing::panic_caught::PanicCaught;

/// How long the function of the application may take.
const TIMEOUT: Duration = Duration::from_secs(2);

/// What happens to a session that may be renewed.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Refresh {
    /// The browser keeps its token until it expires.
    Keep,
    /// It gets a new token with the same claims.
    Renew,
    /// It gets a new token with these claims, which are a JSON object. `iss`, `sub`, `sid`, `auth_time` and the
    /// start of the session remain those of the session, and `jti` and dates are new.
    RenewWith(Value),
    /// The cookie is removed. The token remains valid: [`Sessions::end`](super::Sessions::end) revokes it.
    Clear,
}

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;
type Function = dyn Fn(Principal) -> BoxFuture<'static, Result<Refresh>> + Send + Sync;

/// The function of the application, if it has one.
#[derive(Clone, Default)]
pub(super) struct Hook {
    function: Option<Arc<Function>>,
}

impl Hook {
    pub(super) fn new<F, E>(function: impl Fn(Principal) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = std::result::Result<Refresh, E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let function = move |caller| -> BoxFuture<'static, Result<Refresh>> {
            let answer = function(caller);
            Box::pin(async { answer.await.map_err(Into::into) })
        };
        Self { function: Some(Arc::new(function)) }
    }

    /// Calls the function. Without one, sessions with a `sid` are renewed: those that were started here.
    pub(super) async fn call(
        &self,
        caller: &Principal,
        clock: &dyn Clock,
    ) -> std::result::Result<Refresh, Failure> {
        let Some(function) = &self.function else {
            let session = caller.claim::<String>("sid").map_err(Failure::Claims)?;
            return Ok(if session.is_some() { Refresh::Renew } else { Refresh::Keep });
        };
        // Inside, because it may panic before it returns a future.
        let answer = PanicCaught(Box::pin(async { function(caller.clone()).await }));
        tokio::select! {
            biased;
            answer = answer => answer.ok_or(Failure::HookPanicked)?.map_err(Failure::Hook),
            // Inside, because a function that returns at once needs no runtime.
            () = async { clock.sleep(TIMEOUT).await } => Err(Failure::HookTimedOut),
        }
    }
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hook").field("is_set", &self.function.is_some()).finish()
    }
}
