//! Each rule, by itself and put together.

#[cfg(feature = "tracing")]
mod log;
mod login;
mod order;
mod routes;
mod rules;

use std::{
    any::TypeId,
    borrow::Cow,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use super::{Policy, RouteView};
use crate::{
    AuthError, AuthErrorKind, Clock, Grant, Issuer, MaybePending, NumericDate, Principal,
    VerificationKey,
    challenge::ChallengeSettings,
    issuer::{EngineInfo, TrustedIssuers},
    json::{Name, Object},
    principal::{PrincipalParts, Text},
};

const ISSUER: &str = "https://idp.test";
const NOW: i64 = 1_700_000_000;
const LEEWAY: Duration = Duration::from_secs(10);

#[derive(Debug)]
struct StoppedClock;

impl Clock for StoppedClock {
    fn now(&self) -> NumericDate {
        NumericDate::from_seconds(NOW)
    }
}

/// Makes a caller whose token had these claims, and was found good.
fn caller(claims: &str) -> Principal {
    let info = EngineInfo {
        challenge: Arc::new(ChallengeSettings::default()),
        clock: Arc::new(StoppedClock),
        grant_type: "Grant",
        grant_type_id: TypeId::of::<Grant>(),
        is_for_production: false,
        unfit_for_production: None,
        revocations: None,
    };
    let key = VerificationKey::from_pem(include_str!("testdata/ed25519.pem")).unwrap();
    let issuer = Issuer::new(ISSUER).leeway(LEEWAY).key(key);
    let issuers =
        TrustedIssuers::new(vec![issuer], &["api".to_owned()], &Arc::new(info), NumericDate::EPOCH);
    let issuer = Arc::clone(issuers.unwrap().named(ISSUER).unwrap());
    let parts = {
        let object = Object::parse(claims).unwrap();
        let text = |name| object.get(name).map(|value| Text::Owned(value.as_str().unwrap().into()));
        PrincipalParts {
            subject: text(Name::Sub).unwrap_or_default(),
            token_issuer: text(Name::Iss),
            client_id: text(Name::ClientId),
            ..PrincipalParts::default()
        }
    };
    Principal::new(claims.to_owned(), Arc::clone(&issuer.origin), parts)
}

/// A route, as an adapter shows it.
#[derive(Clone, Copy)]
struct Route<'a> {
    route: Option<&'a str>,
    method: Option<&'a str>,
    parameters: &'a [(&'a str, &'a str)],
}

impl<'a> Route<'a> {
    fn with(parameters: &'a [(&'a str, &'a str)]) -> Self {
        Self { route: Some("/a/{b}"), method: Some("GET"), parameters }
    }

    fn named(method: &'a str, route: &'a str) -> Self {
        Self { route: Some(route), method: Some(method), parameters: &[] }
    }
}

impl RouteView for Route<'_> {
    fn path_parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        let mut parameters = self.parameters.iter();
        parameters.find(|(own, _)| *own == name).map(|(_, value)| (*value).into())
    }

    fn route(&self) -> Option<Cow<'_, str>> {
        self.route.map(Into::into)
    }

    fn method(&self) -> Option<&str> {
        self.method
    }
}

/// Decides, and waits for as long as it takes. Tells how often it had to.
fn decide(
    policy: &Policy,
    caller: &Principal,
    grant: &Grant,
    route: &dyn RouteView,
) -> (Result<(), AuthError>, usize) {
    let deciding = match policy.authorize(caller, &Arc::new(grant.clone()), route) {
        MaybePending::Ready(result) => return (result, 0),
        MaybePending::Pending(deciding) => deciding,
    };
    let mut deciding = pin!(deciding);
    let mut cx = Context::from_waker(Waker::noop());
    for waits in 0..1000 {
        if let Poll::Ready(result) = deciding.as_mut().poll(&mut cx) {
            return (result, waits);
        }
    }
    panic!("{policy:?} never decides");
}

/// What a policy says of a caller without rights.
fn of_claims(policy: &Policy, claims: &str, route: &dyn RouteView) -> Result<(), AuthErrorKind> {
    let (result, _) = decide(policy, &caller(claims), &Grant::default(), route);
    result.map_err(|error| error.kind())
}

/// What a policy says of a caller with these rights.
fn of_grant(policy: &Policy, grant: &Grant, route: &dyn RouteView) -> Result<(), AuthErrorKind> {
    let (result, _) = decide(policy, &caller(r#"{"sub":"alice"}"#), grant, route);
    result.map_err(|error| error.kind())
}
