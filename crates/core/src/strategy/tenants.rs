//! Issuers that are many, and known to the application's database alone.

use std::{
    collections::HashMap,
    fmt,
    num::NonZeroUsize,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use tokio::sync::Semaphore;

use super::{Attempt, Credential, Identity, Strategy};
use crate::{
    AuthError, AuthErrorKind, Authenticated, Authenticator, BoxFuture, Clock, Issuer, Judgement,
    NumericDate, SystemClock, flights::Flights, future::PanicCaught,
};

/// The longest name that is looked up, in bytes.
const MAX_NAME: usize = 512;

/// How many names that are no tenant's are remembered.
const MAX_UNKNOWN: usize = 1024;

/// How long a name that is no tenant's is remembered.
const UNKNOWN_FOR: Duration = Duration::from_secs(60);

/// Looks up the issuer of a tenant, by the name that a token claims.
///
/// Nothing about the name is verified: it is hostile text, to be compared with the names of tenants,
/// and never made into a URL. Closures are a resolver too.
pub trait IssuerResolver: Send + Sync {
    /// Returns the issuer, with keys and audience, whose name is this one byte for byte; `None` if it
    /// is no tenant's.
    ///
    /// An error of kind [`ResolverUnavailable`](AuthErrorKind::ResolverUnavailable) says that nobody
    /// knows now (503).
    fn resolve(
        &self,
        unverified_issuer: String,
    ) -> BoxFuture<'static, Result<Option<Issuer>, AuthError>>;
}

impl<F, Fut> IssuerResolver for F
where
    F: Fn(String) -> Fut + Send + Sync,
    Fut: Future<Output = Result<Option<Issuer>, AuthError>> + Send + 'static,
{
    fn resolve(
        &self,
        unverified_issuer: String,
    ) -> BoxFuture<'static, Result<Option<Issuer>, AuthError>> {
        Box::pin(self(unverified_issuer))
    }
}

/// A [strategy](Strategy) for services with many tenants, each with an issuer of its own.
///
/// 1. A token whose `iss` was never seen makes the application look its issuer up: once, however many
///    requests wait, and within limits of number and time.
/// 2. A number of issuers is kept, with their keys; the one that was used the longest ago goes first.
/// 3. A name that is no tenant's is remembered for a minute. Its tokens are left to the next strategy.
/// 4. What is kept is trusted until it goes: [`forget`](Self::forget) an issuer when the tenant
///    changes or ends.
///
/// Cloning copies a pointer.
///
/// # Examples
///
/// ```
/// use portcullis::{Authenticator, Issuer, Tenants, VerificationKey};
///
/// # let pem = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n";
/// let tenants = Tenants::new("tenants", move |issuer: String| async move {
///     // A row of the database, found by the very name.
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
    resolver: Arc<dyn IssuerResolver>,
    settings: Settings,
    /// Requests read it behind one atomic pointer; it is copied to change it.
    known: ArcSwap<HashMap<Box<str>, Arc<Tenant>>>,
    changing: Mutex<()>,
    unknown: Mutex<HashMap<Box<str>, NumericDate>>,
    turns: Semaphore,
    flights: Flights<Box<str>, Result<Option<Arc<Tenant>>, AuthError>>,
    uses: AtomicU64,
}

#[derive(Clone)]
struct Settings {
    capacity: usize,
    concurrency: usize,
    timeout: Duration,
    clock: Arc<dyn Clock>,
}

/// One issuer, as an engine of its own: so its keys, rules and tasks go when it goes.
struct Tenant {
    auth: Authenticator<()>,
    last_use: AtomicU64,
}

impl Tenants {
    /// Looks issuers up by this resolver. The name is that of the strategy.
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
        let turns = Semaphore::new(settings.concurrency.min(Semaphore::MAX_PERMITS));
        let shared = Shared {
            name,
            resolver,
            settings,
            known: ArcSwap::default(),
            changing: Mutex::default(),
            unknown: Mutex::default(),
            turns,
            flights: Flights::default(),
            uses: AtomicU64::new(0),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Takes an issuer out, as well as the memory that it is no tenant's. It is looked up anew with the
    /// next token; requests under way go on.
    pub fn forget(&self, issuer: &str) {
        self.shared.change(|known| {
            known.remove(issuer);
        });
        self.shared.lock_unknown().remove(issuer);
    }

    /// Returns how many issuers are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shared.known.load().len()
    }

    /// Tells whether no issuer is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Settings. Each starts anew, with no issuer kept.
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

    /// The longest time that a look-up may take, the wait for its turn included. Default: 2 seconds.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        self.set(|settings| settings.timeout = timeout)
    }

    /// The clock that tokens are judged by. Default: the [`SystemClock`].
    #[must_use]
    pub fn clock(self, clock: impl Clock + 'static) -> Self {
        self.set(|settings| settings.clock = Arc::new(clock))
    }

    /// Starts anew, with nothing kept.
    fn set(self, set: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = self.shared.settings.clone();
        set(&mut settings);
        Self::with(self.shared.name.clone(), Arc::clone(&self.shared.resolver), settings)
    }
}

impl Shared {
    fn known(&self, issuer: &str) -> Option<Arc<Tenant>> {
        let known = self.known.load();
        let tenant = known.get(issuer)?;
        tenant.last_use.store(self.uses.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
        Some(Arc::clone(tenant))
    }

    fn is_unknown(&self, issuer: &str) -> bool {
        let now = self.settings.clock.now();
        self.lock_unknown().get(issuer).is_some_and(|until| now < *until)
    }

    /// Looks an issuer up, or waits for whoever does.
    async fn find(&self, issuer: &str) -> Result<Option<Arc<Tenant>>, AuthError> {
        self.flights.share(issuer.into(), || self.look_up(issuer)).await
    }

    async fn look_up(&self, issuer: &str) -> Result<Option<Arc<Tenant>>, AuthError> {
        // Another request may have been faster.
        if let Some(tenant) = self.known(issuer) {
            return Ok(Some(tenant));
        }
        let answer = async {
            // Closed never: a turn comes, or the time is up.
            let _turn = self.turns.acquire().await;
            PanicCaught(self.resolver.resolve(issuer.to_owned())).await
        };
        let found = tokio::select! {
            answer = answer => answer.ok_or_else(|| unavailable("the resolver panicked"))??,
            () = self.settings.clock.sleep(self.settings.timeout) => {
                return Err(unavailable("the resolver did not answer in time"));
            }
        };
        let Some(found) = found else {
            self.remember_unknown(issuer);
            return Ok(None);
        };
        if !found.is_exactly(issuer) {
            return Err(unavailable("the resolver brought an issuer of another name"));
        }
        let clock = Arc::clone(&self.settings.clock);
        let auth = Authenticator::builder().shared_clock(clock).issuer(found);
        let auth = auth
            .with_grant_from(|_| Ok(()))
            .build()
            .map_err(|error| AuthError::with_source(AuthErrorKind::ResolverUnavailable, error))?;
        let last_use = AtomicU64::new(self.uses.fetch_add(1, Ordering::Relaxed));
        let tenant = Arc::new(Tenant { auth, last_use });
        self.keep(issuer, &tenant);
        Ok(Some(tenant))
    }

    fn keep(&self, issuer: &str, tenant: &Arc<Tenant>) {
        let capacity = self.settings.capacity;
        self.change(|known| {
            known.insert(issuer.into(), Arc::clone(tenant));
            while known.len() > capacity {
                let oldest =
                    known.iter().min_by_key(|kept| kept.1.last_use.load(Ordering::Relaxed));
                let Some(oldest) = oldest.map(|(name, _)| name.clone()) else { break };
                known.remove(&oldest);
            }
        });
    }

    fn change(&self, change: impl FnOnce(&mut HashMap<Box<str>, Arc<Tenant>>)) {
        let _held = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut known = HashMap::clone(&self.known.load());
        change(&mut known);
        self.known.store(Arc::new(known));
    }

    fn remember_unknown(&self, issuer: &str) {
        let now = self.settings.clock.now();
        let mut unknown = self.lock_unknown();
        if unknown.len() >= MAX_UNKNOWN {
            unknown.retain(|_, until| now < *until);
        }
        if unknown.len() < MAX_UNKNOWN {
            unknown.insert(issuer.into(), now.saturating_add(UNKNOWN_FOR));
        }
    }

    fn lock_unknown(&self) -> std::sync::MutexGuard<'_, HashMap<Box<str>, NumericDate>> {
        self.unknown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unavailable(reason: &'static str) -> AuthError {
    AuthError::because(AuthErrorKind::ResolverUnavailable, reason)
}

/// Puts a token before the engine of its issuer.
fn judge(tenant: &Tenant, token: &str) -> Attempt {
    match tenant.auth.begin_token(token) {
        Judgement::Done(verdict) => attempt(verdict.result),
        Judgement::Waiting(waiting) => {
            Attempt::Later(Box::pin(async move { attempt(waiting.await.result) }))
        }
    }
}

fn attempt(result: Result<Authenticated<()>, AuthError>) -> Attempt {
    match result {
        Ok(caller) => Attempt::Accept(Identity::judged(caller.into_parts().0)),
        Err(error) => Attempt::Refuse(error),
    }
}

impl Strategy for Tenants {
    fn name(&self) -> &str {
        &self.shared.name
    }

    fn attempt(&self, credential: &Credential<'_>) -> Attempt {
        let issuer = match credential.unverified_issuer() {
            Some(issuer) if issuer.len() <= MAX_NAME => issuer,
            _ => return Attempt::Abstain,
        };
        if credential.is_reserved(&issuer) {
            return Attempt::Abstain;
        }
        if let Some(tenant) = self.shared.known(&issuer) {
            return judge(&tenant, credential.token());
        }
        if self.shared.is_unknown(&issuer) {
            return Attempt::Abstain;
        }
        let (shared, token) = (Arc::clone(&self.shared), credential.token().to_owned());
        Attempt::Later(Box::pin(async move {
            match shared.find(&issuer).await {
                Ok(Some(tenant)) => judge(&tenant, &token),
                Ok(None) => Attempt::Abstain,
                Err(error) => Attempt::Refuse(error),
            }
        }))
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
