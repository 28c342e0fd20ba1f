//! A policy that a handler asks for, because it is about what the message says.

use std::{
    borrow::Cow,
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use http::{Extensions, Uri};
use portcullis::{AuthError, ChallengeSettings, MaybePending, Policy, policy::RouteView};
use portcullis_tower::{Caller, Granted, Rejection};
use tonic::Status;

use crate::{GrpcStatus, request::RejectionForm};

/// The future of [`RequestExt::require`](crate::RequestExt::require). It holds nothing of the request.
#[must_use = "nobody may go on before it has ended"]
pub struct Requiring {
    decision: Result<MaybePending<Result<(), AuthError>>, Status>,
    settings: Option<Arc<ChallengeSettings>>,
    form: GrpcStatus,
}

impl Requiring {
    pub(crate) fn new<G: Send + Sync + 'static>(
        extensions: &Extensions,
        policy: &Policy<G>,
        parameters: &[(&str, &str)],
    ) -> Self {
        let form = RejectionForm::of(extensions);
        let found = Caller::find(extensions)
            .and_then(|caller| Granted::<G>::find(extensions).map(|granted| (caller, granted)));
        let (caller, granted) = match found {
            Ok(found) => found,
            Err(rejection) => {
                return Self { decision: Err(form.status(&rejection)), settings: None, form };
            }
        };
        let message = Message { method: RejectionForm::method(extensions), parameters };
        let decision = policy.authorize(&caller, &granted.0, &message);
        let settings = Some(Arc::clone(caller.challenge_settings()));
        Self { decision: Ok(decision), settings, form }
    }

    fn reject(&self, error: AuthError) -> Status {
        let settings = self.settings.clone().unwrap_or_default();
        self.form.status(&Rejection::from_error(error, settings))
    }
}

impl Future for Requiring {
    type Output = Result<(), Status>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let result = match &mut self.decision {
            Err(status) => return Poll::Ready(Err(status.clone())),
            Ok(MaybePending::Ready(result)) => result.clone(),
            Ok(MaybePending::Pending(deciding)) => ready!(Pin::new(deciding).poll(cx)),
        };
        Poll::Ready(result.map_err(|error| self.reject(error)))
    }
}

impl fmt::Debug for Requiring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Requiring").finish_non_exhaustive()
    }
}

/// What rules see of a message: what the handler has read from it.
struct Message<'a> {
    method: Option<&'a Uri>,
    parameters: &'a [(&'a str, &'a str)],
}

impl RouteView for Message<'_> {
    fn path_parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        let mut values = self.parameters.iter().filter(|(own, _)| *own == name);
        let (_, value) = values.next()?;
        // Of several nobody knows which one is meant.
        values.next().is_none().then_some(Cow::Borrowed(value))
    }

    fn route(&self) -> Option<Cow<'_, str>> {
        self.method.map(|method| Cow::Borrowed(method.path()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_parameters_of_one_name_none_is_known() {
        let parameters = [("tenant", "a"), ("order", "1"), ("tenant", "b")];
        let message = Message { method: None, parameters: &parameters };
        assert_eq!(message.path_parameter("order").as_deref(), Some("1"));
        assert_eq!(message.path_parameter("tenant"), None);
        assert_eq!(message.path_parameter("Order"), None);
    }
}
