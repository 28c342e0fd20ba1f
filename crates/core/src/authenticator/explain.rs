//! The trace of one token.

use super::{Authenticator, Route};
use crate::{
    Algorithm, AuthError, AuthErrorKind, Authenticated, TokenLocation,
    engine::Engine,
    explain::{Explanation, Trace, quoted},
    location::LocationKind,
    pipeline::{Missing, Presented, Stop, accept_unrevoked},
};

impl<G: Send + Sync + 'static> Authenticator<G> {
    /// Judges a token by the keys at hand, as [`authenticate_token`](Self::authenticate_token) does,
    /// and tells what happened at each stage, and what to change where it was rejected.
    ///
    /// This is for operators and developers, never for those who call: it names what the service
    /// expects.
    ///
    /// # Examples
    ///
    /// ```
    /// use portcullis::{Authenticator, Issuer, VerificationKey};
    ///
    /// # let pem = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n";
    /// let auth = Authenticator::builder()
    ///     .issuer(Issuer::new("https://idp.example.com").key(VerificationKey::from_pem(pem)?))
    ///     .audience("orders")
    ///     .build()?;
    ///
    /// let explanation = auth.explain_token("Bearer eyJhbGciOiJFUzI1NiJ9.e30.AA");
    /// let rejected = explanation.rejected().expect("no token has a space");
    /// assert_eq!(rejected.stage(), "peek");
    /// assert!(rejected.help().unwrap().contains("leave the word `Bearer` away"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn explain_token(&self, token: &str) -> Explanation<G> {
        let engine = self.engine();
        engine.start_tasks();
        let issuers = engine.issuers.all().map(|issuer| issuer.name().to_owned()).collect();
        let places = engine.locations.iter().map(described).collect();
        let allowed = engine.issuers.algorithms.iter().map(Algorithm::name).collect();
        let mut trace = Trace::new(issuers, places, allowed).with_checks(engine.checks());
        let verdict = judge_explained(&engine, &self.route, token, &mut trace);
        trace.end(token, engine.max_token_len, verdict)
    }
}

impl<G> Engine<G> {
    /// Says what is checked outside of a token.
    fn checks(&self) -> Vec<String> {
        let mut checks = Vec::new();
        if let Some(revocations) = &self.revocations {
            let store = quoted(revocations.label());
            let entries = revocations.status().entries;
            checks.push(format!(
                "none of the {entries} revocations in memory is for its `jti`, `sub`, `sid`, client or key"
            ));
            if revocations.is_strict() {
                checks.push(format!(
                    "a request asks the store {store} for the same, and this does not"
                ));
            }
        }
        if let Some(one_time) = &self.one_time {
            let store = quoted(one_time.label());
            checks.push(format!(
                "a request uses a token of an issuer with one_time up in the store {store}, and this does not"
            ));
        }
        checks
    }
}

fn judge_explained<G: Send + Sync + 'static>(
    engine: &Engine<G>,
    route: &Route,
    token: &str,
    trace: &mut Trace,
) -> Result<Authenticated<G>, AuthError> {
    if token.is_empty() {
        return Err(AuthErrorKind::NoCredentials.into());
    }
    let judged = match engine.judge_one(&Presented::elsewhere(token), trace) {
        // No store is asked: the trace says what a request would ask.
        Err(Stop::Missing(missing, error)) => match *missing {
            Missing::Revocations(caller, issuer) => {
                accept_unrevoked(caller, issuer.as_ref(), engine)
            }
            missing => Err(Stop::Missing(Box::new(missing), error)),
        },
        judged => judged,
    };
    route.choose(vec![judged.map_err(Stop::into_error)?])
}

fn described(place: &TokenLocation) -> String {
    let name = quoted(&place.name);
    match place.kind {
        LocationKind::Header => match &place.scheme {
            Some(scheme) => format!("header {name} after {}", quoted(&scheme.name)),
            None => format!("header {name}"),
        },
        LocationKind::Query => format!("query parameter {name}"),
        LocationKind::Cookie => format!("cookie {name}"),
        LocationKind::WebSocketProtocol => format!("WebSocket subprotocol {name}"),
        LocationKind::Custom(_) => format!("custom location {name}"),
    }
}
