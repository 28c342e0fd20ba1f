//! A policy that a handler checks, because it is about what the message says.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::{Extensions, Uri};
use portcullis::{
    Policy,
    adapter::{ChallengeMap, Outcome, authorize},
    future::MaybePending,
};
use tonic::Status;

use crate::{GrpcStatus, request::RejectionForm, route::MethodRoute};

/// The future of [`RequestExt::require`](crate::RequestExt::require). It has nothing of the request.
#[must_use = "the call is not authorized before it has ended"]
pub struct Requiring {
    outcome: MaybePending<Outcome>,
    form: GrpcStatus,
}

impl Requiring {
    pub(crate) fn new<G: Send + Sync + 'static>(
        extensions: &Extensions,
        policy: &Policy<G>,
        parameters: &[(&str, &str)],
    ) -> Self {
        let name = RejectionForm::method(extensions).map(Uri::path);
        let route = MethodRoute { name, http_method: None, parameters };
        // The form changes the challenge.
        let map = ChallengeMap::default();
        let outcome = authorize(policy, extensions.get(), &route, "POST", &map);
        Self { outcome, form: RejectionForm::of(extensions) }
    }
}

impl Future for Requiring {
    type Output = Result<(), Status>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let outcome = ready!(Pin::new(&mut self.outcome).poll(cx));
        Poll::Ready(outcome.result.map(drop).map_err(|rejection| self.form.status(&rejection)))
    }
}

impl fmt::Debug for Requiring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Requiring").finish_non_exhaustive()
    }
}
