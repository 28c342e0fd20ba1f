//! For authors of adapters: what every adapter does with a request, in terms of no framework.
//!
//! An adapter turns its framework's request into a [`RequestView`], and does with
//! the request what the [`Outcome`] says. It holds no rule of its own:
//!
//! | step | by |
//! |---|---|
//! | authenticate the request | [`Authentication`] |
//! | check a policy | [`Authorization`] |
//! | read the caller for a handler | [`AuthContext`](crate::AuthContext): `required_caller`, `required_grant`, … |
//! | serve an endpoint | [`Endpoint`] |
//! | make a response | [`Rejection`](crate::Rejection), [`PlainResponse`] |

mod authentication;
mod authorization;
mod response;

pub use authentication::Authentication;
pub use authorization::{Authorization, authorize};
pub use response::{Outcome, PlainResponse};

pub use crate::{
    anonymous::Anonymous,
    authenticated::Authenticated,
    authenticator::{DeferredUse, Verdict},
    challenge::{Challenge, ChallengeSettings},
    endpoint::{Endpoint, EndpointCall, EndpointResponse, Form, FormCall},
    engine::Admission,
    hooks::{ChallengeMap, call_for_answer},
    pipeline::hide::HiddenTokens,
    request::{BearerToken, RequestView},
};
