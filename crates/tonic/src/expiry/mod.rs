//! The end of a stream whose token expires or is revoked.

mod body;

use std::{
    fmt,
    sync::{Arc, OnceLock},
    task::{Context, Poll},
};

use http::Extensions;
use portcullis::{AuthContext, AuthError, Principal, Rejection, future::BoxFuture};
use tonic::Status;

pub(crate) use body::{RequestBody, ResponseBody};

use crate::GrpcStatus;

/// Waits until the first of a call's tokens has expired or is revoked.
pub(crate) struct Expiry {
    waits: Vec<BoxFuture<'static, AuthError>>,
    call: Arc<Call>,
}

/// What both directions of a call share.
struct Call {
    caller: Principal,
    others: Vec<Principal>,
    rejections: GrpcStatus,
    /// One call is rejected once, whichever direction notices first.
    status: OnceLock<Status>,
}

impl Expiry {
    /// Starts to wait; `None` if there is no caller, or no token can become invalid.
    pub(crate) fn of<G: Send + Sync + 'static>(
        extensions: &Extensions,
        rejections: &GrpcStatus,
    ) -> Option<Self> {
        let context = extensions.get::<AuthContext>()?;
        let others = context.other_callers::<G>();
        let call = Call {
            caller: context.caller()?.clone(),
            others: others.iter().map(|other| other.principal().clone()).collect(),
            rejections: rejections.clone(),
            status: OnceLock::new(),
        };
        Some(Self::new(Arc::new(call))).filter(|expiry| !expiry.waits.is_empty())
    }

    fn new(call: Arc<Call>) -> Self {
        let principals = std::iter::once(&call.caller).chain(&call.others);
        Self { waits: principals.filter_map(Principal::invalidity).collect(), call }
    }

    /// Starts to wait for the same in the other direction of the call.
    pub(crate) fn again(&self) -> Self {
        Self::new(Arc::clone(&self.call))
    }

    /// Returns the status to end with when a token has become invalid. It must not be polled again then.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Status> {
        for wait in &mut self.waits {
            if let Poll::Ready(error) = wait.as_mut().poll(cx) {
                return Poll::Ready(self.call.reject(error));
            }
        }
        Poll::Pending
    }
}

impl Call {
    fn reject(&self, error: AuthError) -> Status {
        let reject = || {
            let settings = Arc::clone(self.caller.challenge_settings());
            self.rejections.status(&Rejection::new(error, settings))
        };
        self.status.get_or_init(reject).clone()
    }
}

impl fmt::Debug for Expiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Expiry").finish_non_exhaustive()
    }
}
