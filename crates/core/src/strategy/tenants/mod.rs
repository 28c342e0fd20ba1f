//! Issuers of many tenants, which the application looks up.

mod budget;
mod look_up;
mod resolver;
mod store;

use std::{fmt, num::NonZeroUsize, sync::Arc, time::Duration};

use look_up::LookUps;
pub use resolver::IssuerResolver;
use store::{Remembered, Store, Tenant};

use super::{Attempt, Credential, Identity, Strategy};
use crate::{
    AuthError, AuthErrorKind, Authenticated, BoxFuture, Clock, MaybePending, SystemClock,
    interleave::point,
};

/// The longest name that is looked up, in bytes.
const MAX_NAME: usize = 512;

/// How often a token is judged whose tenant is forgotten meanwhile.
const MAX_JUDGEMENTS: usize = 4;

/// A [strategy](Strategy) for services with many tenants, each with an issuer of its own.
///
/// 1. The application looks an issuer up when a token names it for the first time: once, however many
///    requests wait for it.
/// 2. Issuers are kept with their keys, up to a [capacity](Self::capacity). Only a verified token takes a
///    place or keeps one; a new issuer takes the place of the least recently used one. Up to 64 issuers
///    whose tokens were not verified yet are remembered in addition.
/// 3. A name without a tenant is remembered for 60 seconds, up to 1,024 names. The next strategy judges
///    its tokens.
/// 4. The names of the engine's own issuers and strategies are never looked up, and a tenant can never
///    have one of them.
/// 5. An issuer is trusted for as long as it is kept: call [`forget`](Self::forget) when a tenant changes
///    or leaves.
///
/// Cloning copies a pointer. Engines that share a value share its issuers and its limits.
///
/// # Limits of look-ups
///
/// The names that start look-ups are unverified, so anyone can invent them. Look-ups of names that no
/// verified token has carried are limited: 10 at once, and one more each second. A look-up that leads to a
/// verified token does not count, and neither does a name that a verified token carried before (16,384
/// names are remembered). So a flood of invented names costs the database one look-up a second, and a
/// service that starts anew still learns its tenants at the speed of the database.
///
/// A token whose issuer was not looked up because of the limit was not judged. The request is rejected as
/// [`IssuerNotLookedUp`](AuthErrorKind::IssuerNotLookedUp): 401 with a challenge that does not call the
/// token invalid, so that a client with a good token of a new tenant can send it again. It is not a 503,
/// because load balancers eject instances that answer 5xx, and anyone could cause it. While the look-up
/// itself fails, the answer is [`ResolverUnavailable`](AuthErrorKind::ResolverUnavailable), 503.
///
/// An answer of the resolver that cannot be used (another name, no audience, no keys) is logged as a
/// warning, and the token is rejected as [`UntrustedIssuer`](AuthErrorKind::UntrustedIssuer).
///
/// # Production
///
/// An engine for [production](crate::AuthenticatorBuilder::production) rejects the tokens of a tenant whose
/// issuer it would reject to be built with, such as one with
/// [`dangerous_any_audience`](crate::Issuer::dangerous_any_audience).
///
/// # Examples
///
/// ```
/// use portcullis::{Authenticator, Issuer, VerificationKey, strategy::Tenants};
///
/// # let pem = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n";
/// let tenants = Tenants::new("tenants", move |issuer: String| async move {
///     // A row of the database, found by exactly this name.
///     if issuer != "https://idp.acme.example" {
///         return Ok(None);
///     }
///     let key = VerificationKey::from_pem(pem).map_err(|error| {
///         portcullis::AuthError::with_source(portcullis::AuthErrorKind::ResolverUnavailable, error)
///     })?;
///     Ok(Some(Issuer::new(issuer).key(key).audience("https://api.example.com")))
/// });
/// let auth = Authenticator::builder().strategy(tenants.clone()).build()?;
/// // When the tenant changes its keys or leaves:
/// tenants.forget("https://idp.acme.example");
/// # let _ = auth;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Tenants {
    shared: Arc<Shared>,
}

struct Shared {
    name: String,
    settings: Settings,
    resolver: Arc<dyn IssuerResolver>,
    store: Store,
    look_ups: LookUps,
}

#[derive(Clone)]
struct Settings {
    capacity: usize,
    concurrency: usize,
    timeout: Duration,
    clock: Arc<dyn Clock>,
}

impl Tenants {
    /// Creates a strategy of this name that looks issuers up with this resolver.
    pub fn new(name: impl Into<String>, resolver: impl IssuerResolver + 'static) -> Self {
        let settings = Settings {
            capacity: 1000,
            concurrency: 16,
            timeout: Duration::from_secs(2),
            clock: Arc::new(SystemClock::default()),
        };
        Self::with(name.into(), Arc::new(resolver), settings)
    }

    fn with(name: String, resolver: Arc<dyn IssuerResolver>, settings: Settings) -> Self {
        let store = Store::new(settings.capacity);
        let look_ups = LookUps::new(&settings);
        Self { shared: Arc::new(Shared { name, settings, resolver, store, look_ups }) }
    }

    /// Removes an issuer, and the memory that its name has no tenant. The next token that names it starts
    /// a new look-up.
    ///
    /// A look-up that is under way changes nothing any more: no request that begins after this call uses
    /// its result, and a request that waits for it looks the issuer up again. A request whose token was
    /// already accepted goes on.
    pub fn forget(&self, issuer: &str) {
        self.shared.store.forget(issuer);
    }

    /// Returns the number of issuers that are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shared.store.len()
    }

    /// Returns whether no issuer is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Settings. Each returns a strategy that keeps no issuer yet.
impl Tenants {
    /// The number of issuers that are kept. Default: 1,000.
    #[must_use]
    pub fn capacity(self, capacity: NonZeroUsize) -> Self {
        self.set(|settings| settings.capacity = capacity.get())
    }

    /// The number of look-ups that may run at once. Default: 16.
    #[must_use]
    pub fn concurrency(self, concurrency: NonZeroUsize) -> Self {
        self.set(|settings| settings.concurrency = concurrency.get())
    }

    /// The longest time that a look-up may take, including the wait for its turn, which takes half of it at
    /// most. Default: 2 seconds.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        self.set(|settings| settings.timeout = timeout)
    }

    /// The clock that tokens are judged by. Default: the [`SystemClock`].
    #[must_use]
    pub fn clock(self, clock: impl Clock + 'static) -> Self {
        self.set(|settings| settings.clock = Arc::new(clock))
    }

    fn set(self, set: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = self.shared.settings.clone();
        set(&mut settings);
        Self::with(self.shared.name.clone(), Arc::clone(&self.shared.resolver), settings)
    }
}

impl Shared {
    /// Judges a token whose tenant is at hand.
    fn judge_known(self: &Arc<Self>, tenant: Arc<Tenant>, token: &str) -> Attempt {
        match tenant.auth.authenticate_token(token) {
            MaybePending::Ready(result) => self.conclude(&tenant, result),
            MaybePending::Pending(waiting) => {
                let (shared, token) = (Arc::clone(self), token.to_owned());
                let name = tenant.name.to_string();
                let begun = Some((tenant, waiting));
                Attempt::Later(Box::pin(async move { shared.judge(&name, &token, begun).await }))
            }
        }
    }

    /// Judges a token, and judges it anew if its tenant is forgotten meanwhile: what was removed for a
    /// reason is not trusted for as long as a request waits.
    async fn judge(
        &self,
        name: &str,
        token: &str,
        mut begun: Option<(Arc<Tenant>, Judging)>,
    ) -> Attempt {
        for _ in 0..MAX_JUDGEMENTS {
            if let Some((tenant, waiting)) = begun.take() {
                let result = waiting.await;
                if self.store.is_current(&tenant) {
                    return self.conclude(&tenant, result);
                }
            }
            let generation = self.store.generation(name);
            point("tenants: generation read");
            let attempt = self.look_up_and_judge(name, generation, token).await;
            if self.store.generation(name) == generation {
                return attempt;
            }
        }
        Attempt::Reject(unavailable("the tenant was forgotten repeatedly while the request waited"))
    }

    async fn look_up_and_judge(&self, name: &str, generation: u64, token: &str) -> Attempt {
        // Holds the permit of the look-up, if this request has started it, until the token is judged.
        let permit = look_up::Slot::default();
        let found = self.look_up(name, generation, &permit).await;
        let tenant = match found {
            Ok(Some(tenant)) => tenant,
            Ok(None) => return Attempt::Abstain,
            Err(error) => return Attempt::Reject(error),
        };
        point("tenants: found");
        let result = tenant.auth.authenticate_token(token).await;
        self.conclude(&tenant, result)
    }

    fn conclude(
        &self,
        tenant: &Arc<Tenant>,
        result: Result<Authenticated<()>, AuthError>,
    ) -> Attempt {
        match result {
            Ok(caller) => {
                point("tenants: verified");
                if self.store.verified(tenant) {
                    self.look_ups.refund();
                }
                Attempt::Accept(Identity::judged(caller.into_parts().0))
            }
            Err(error) => Attempt::Reject(error),
        }
    }
}

/// A token that its tenant judges.
type Judging = BoxFuture<'static, Result<Authenticated<()>, AuthError>>;

fn unavailable(reason: &'static str) -> AuthError {
    AuthError::because(AuthErrorKind::ResolverUnavailable, reason)
}

impl Strategy for Tenants {
    fn name(&self) -> &str {
        &self.shared.name
    }

    fn attempt(&self, credential: &Credential<'_>) -> Attempt {
        let issuer = match credential.unverified_issuer() {
            // No database need see a control character, which some reject with an error of their own.
            Some(issuer) if issuer.len() <= MAX_NAME && !issuer.contains(char::is_control) => {
                issuer
            }
            _ => return Attempt::Abstain,
        };
        if credential.is_reserved(&issuer) {
            return Attempt::Abstain;
        }
        let shared = &self.shared;
        if let Some(tenant) = shared.store.kept(&issuer) {
            return shared.judge_known(tenant, credential.token());
        }
        point("tenants: not kept");
        match shared.store.remembered(&issuer, shared.settings.clock.now()) {
            Remembered::Tenant(tenant) => shared.judge_known(tenant, credential.token()),
            Remembered::Unknown => Attempt::Abstain,
            Remembered::Nothing => {
                let (shared, token) = (Arc::clone(shared), credential.token().to_owned());
                Attempt::Later(Box::pin(async move { shared.judge(&issuer, &token, None).await }))
            }
        }
    }
}

impl fmt::Debug for Tenants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tenants")
            .field("name", &self.shared.name)
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}
