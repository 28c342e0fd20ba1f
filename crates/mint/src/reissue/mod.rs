//! A new token for a caller whose token expires soon.

mod error;
pub(crate) mod successor;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

pub use error::ReissueError;
use portcullis::{AuthContext, AuthErrorKind, Principal, error::LayerError, future::BoxFuture};

use self::{error::Failure, successor::is_due};
use crate::{MintedToken, Minter};

/// Airflow's clients read it.
const HEADER: &str = "refreshed-api-token";

/// The longest age of a session, unless configured otherwise.
const MAX_SESSION_AGE: Duration = Duration::from_secs(24 * 3600);

/// Issues a new token to a caller whose token expires soon, in a header field of the response. The adapters
/// have a layer for it.
///
/// It is for clients that work longer than a token lives, such as a task that reports its progress: the client
/// uses the token of the last response that had one. After the handler, whatever the status of its response:
///
/// 1. The token is *due* if no more than 20 % of its life (`exp` less `iat`), or no more than 30 seconds, is left.
/// 2. It must be the service's own: verified by a key of the [`Minter`], and with the minter's issuer as its `iss`.
///    Tokens of other issuers, static tokens, and callers of strategies are never reissued. Neither are tokens
///    from cookies, which a page must not read, tokens that may be used [once](portcullis::Issuer::one_time), and
///    tokens with an actor (`act`), which must not outlive the token that they were exchanged for.
///    A token that was exchanged without an actor looks like any other: give it a
///    [scope](Self::scopes_without_renewal) that is not renewed.
/// 3. It must still be valid: a token that has expired meanwhile, leeway included, or was revoked is not
///    reissued. If the store of revocations is not available, it is not reissued either.
/// 4. The new token has all claims of the old one, except new `jti`, `iat`, `nbf` and `exp`. It lives as long
///    as the old one, unless [set](Self::lifetime), and its session never longer than
///    [`max_session_age`](Self::max_session_age).
/// 5. If it cannot be made, the response is unchanged, and the log has a warning, target `portcullis::tokens`.
///
/// # Sessions
///
/// All tokens that were reissued from one are a session:
///
/// - `sid` names it. A first token without a `sid` gets a session that is named by its `jti`.
/// - `orig_iat` has the `iat` of the first token. A revocation of a subject or client with a cut-off time applies to
///   all tokens of sessions that began before it.
///
/// Revoking one token by its `jti` does not end the others. To end all of them, revoke the session:
/// [`Revoked::Session`](portcullis::revocation::Revoked::Session) of the `sid`, or of the first token's `jti`. If
/// first tokens have a `sid`, a [logout](portcullis::revocation::LogoutEndpoint) does so.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use portcullis_jose::{Algorithm, SigningKey};
/// use portcullis_mint::{Minter, Reissuer};
///
/// let minter = Minter::new(SigningKey::generate(Algorithm::ES256)?).issuer("https://tasks.example.com");
/// let reissuer = Reissuer::new(minter)
///     .scopes_without_renewal(["workload"])
///     .max_session_age(Duration::from_secs(7 * 24 * 3600));
/// assert_eq!(reissuer.header_name(), "refreshed-api-token");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Reissuer {
    settings: Arc<Settings>,
    /// Whether the log says already that no layer has authenticated requests. Clones share it.
    is_reported: Arc<AtomicBool>,
}

#[derive(Clone, Debug)]
struct Settings {
    minter: Minter,
    header_name: String,
    lifetime: Option<Duration>,
    max_session_age: Duration,
    scopes_without_renewal: Vec<String>,
}

impl Reissuer {
    /// Reissues tokens that this minter, or another one with its issuer and keys, has made.
    pub fn new(minter: Minter) -> Self {
        let settings = Settings {
            minter,
            header_name: HEADER.to_owned(),
            lifetime: None,
            max_session_age: MAX_SESSION_AGE,
            scopes_without_renewal: Vec::new(),
        };
        Self { settings: Arc::new(settings), is_reported: Arc::default() }
    }

    fn set(self, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Arc::unwrap_or_clone(self.settings);
        change(&mut settings);
        Self { settings: Arc::new(settings), ..self }
    }

    /// The name of the header field that has the new token. Default: `Refreshed-API-Token`, as in Airflow.
    ///
    /// # Errors
    ///
    /// [`ReissueError::HeaderName`].
    pub fn header(self, name: &str) -> Result<Self, ReissueError> {
        let is_token =
            |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.is_empty() || !name.bytes().all(is_token) {
            return Err(ReissueError::HeaderName { name: name.to_owned() });
        }
        Ok(self.set(|settings| settings.header_name = name.to_ascii_lowercase()))
    }

    /// How long a new token lives. Default: as long as the old one.
    pub fn lifetime(self, lifetime: Duration) -> Self {
        self.set(|settings| settings.lifetime = Some(lifetime))
    }

    /// How long after the first token of a session was issued, or its user authenticated (`auth_time`) if that
    /// was earlier, the last one expires. Default: 24 hours. [`Duration::MAX`] is no limit: then a stolen token
    /// can be renewed until its session is revoked.
    pub fn max_session_age(self, max_session_age: Duration) -> Self {
        self.set(|settings| settings.max_session_age = max_session_age)
    }

    /// Adds scopes: a token that has one of them is not reissued, for example because it may only be exchanged.
    /// Scopes are read as the issuer's mapping does, and from the claims `scope` and `scp`. Default: none.
    pub fn scopes_without_renewal<I: IntoIterator<Item: Into<String>>>(self, scopes: I) -> Self {
        let scopes = scopes.into_iter().map(Into::into);
        self.set(|settings| settings.scopes_without_renewal.extend(scopes))
    }

    /// Returns the name of the header field, in lower case.
    #[must_use]
    pub fn header_name(&self) -> &str {
        &self.settings.header_name
    }

    /// Returns the caller that a layer has left in a request; `None` if there is none.
    ///
    /// A request that no layer has authenticated is a mistake of the application, which is logged once.
    #[must_use]
    pub fn caller(&self, context: Option<&AuthContext>) -> Option<Principal> {
        if context.is_none() && !self.is_reported.swap(true, Ordering::Relaxed) {
            LayerError::Missing.report();
        }
        context?.caller().cloned()
    }

    /// Starts to make a new token, for an adapter that has the response of the handler: `None` at once if the
    /// caller's token is not due, and `None` later if it may not be reissued.
    ///
    /// The response with the new token must have `Cache-Control: no-store`.
    #[must_use]
    pub fn start(&self, caller: &Principal) -> Option<BoxFuture<'static, Option<MintedToken>>> {
        let settings = &self.settings;
        if !is_due(caller, settings.minter.timing().0.now()) {
            return None;
        }
        let (settings, caller) = (Arc::clone(settings), caller.clone());
        Some(Box::pin(async move {
            settings.reissue(&caller).await.unwrap_or_else(|failure| {
                report(&failure);
                None
            })
        }))
    }
}

impl Settings {
    async fn reissue(&self, caller: &Principal) -> Result<Option<MintedToken>, Failure> {
        if !self.is_renewable(caller).map_err(Failure::Claims)? {
            return Ok(None);
        }
        // Before the check: a later revocation has a later cut-off time, which applies to the new token.
        let now = self.minter.timing().0.now();
        match caller.check_still_valid().await {
            Ok(()) => {}
            Err(error) if error.kind() == AuthErrorKind::StoreUnavailable => {
                return Err(Failure::Unchecked(error));
            }
            Err(_) => return Ok(None),
        }
        match self.successor(caller, now).map_err(Failure::Claims)? {
            Some(claims) => {
                self.minter.mint_off_thread(claims).await.map(Some).map_err(Failure::Mint)
            }
            None => Ok(None),
        }
    }
}

fn report(failure: &Failure) {
    #[cfg(feature = "tracing")]
    tracing::warn!(
        target: "portcullis::tokens",
        cause = std::error::Error::source(failure).map(tracing::field::display),
        "token not reissued: {failure}"
    );
    #[cfg(not(feature = "tracing"))]
    let _ = failure;
}

#[cfg(test)]
mod tests {
    use portcullis_jose::{Algorithm, SigningKey};

    use super::*;

    #[test]
    fn only_the_name_of_a_header_field_is_accepted() {
        let minter = Minter::new(SigningKey::generate(Algorithm::EdDSA).unwrap());
        for name in ["X-Token", "refreshed-api-token", "a", "!#$%&'*+-.^_`|~"] {
            let named = Reissuer::new(minter.clone()).header(name).unwrap();
            assert_eq!(named.header_name(), name.to_ascii_lowercase());
        }
        for name in ["", "a b", "a:", "a\r\nb: c", "ä", "(a)", "a/b"] {
            let error = Reissuer::new(minter.clone()).header(name).unwrap_err();
            assert!(error.to_string().contains("Refreshed-API-Token"), "{error}");
        }
    }
}
