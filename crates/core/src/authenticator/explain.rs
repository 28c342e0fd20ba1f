//! The trace of one token.

use super::{Authenticator, Route};
use crate::{
    Algorithm, AuthError, AuthErrorKind, Authenticated, TokenLocation,
    engine::Engine,
    explain::{Explanation, Trace, quoted},
    location::LocationKind,
    pipeline::{Presented, Stop},
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
        let mut trace = Trace::new(issuers, places, allowed);
        let verdict = judge_explained(&engine, &self.route, token, &mut trace);
        trace.end(token, engine.max_token_len, verdict)
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
    let judged = engine.judge_one(&Presented::elsewhere(token), trace);
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
