//! An engine that another one may take the place of.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use arc_swap::{ArcSwap, Guard};

use super::{Authenticator, Route, Source};
use crate::{ConfigError, Grant, Requirement, engine::Engine, interleave::point};

/// The engine that handles look up at each request.
pub(super) struct Current<G> {
    engine: ArcSwap<Engine<G>>,
    /// Those of routes, which a new engine must be able to meet.
    requirements: Mutex<Vec<Weak<Requirement>>>,
    /// Held while the engine is replaced.
    replacing: tokio::sync::Mutex<()>,
}

impl<G> Current<G> {
    #[inline]
    pub(super) fn load(&self) -> Guard<Arc<Engine<G>>> {
        self.engine.load()
    }

    pub(super) fn load_full(&self) -> Arc<Engine<G>> {
        self.engine.load_full()
    }

    /// Remembers what a route asks for, for as long as the route is there.
    pub(super) fn remember(&self, requirement: &Arc<Requirement>) {
        let mut requirements = self.requirements.lock().unwrap_or_else(PoisonError::into_inner);
        requirements.retain(|requirement| requirement.strong_count() > 0);
        requirements.push(Arc::downgrade(requirement));
    }

    /// Checks that a new engine can meet what routes ask for.
    fn check_requirements(&self, engine: &Engine<G>) -> Result<(), ConfigError> {
        let requirements = self.requirements.lock().unwrap_or_else(PoisonError::into_inner);
        let mut alive = requirements.iter().filter_map(Weak::upgrade);
        alive.try_for_each(|requirement| engine.check_requirement(&requirement))
    }
}

/// An engine that can be replaced while it runs, at once for all that use it.
///
/// 1. Every [handle](Self::authenticator), and every layer that was built of one, judges by the new
///    engine from the next request on. A request that waits meanwhile, for a key or a strategy, is judged
///    anew by it when its wait is over: nothing that was removed is believed.
/// 2. A new engine takes over the keys of sources that it has in common with the old one (the same
///    issuer, the same URL or file), and is waited for until its other keys are there, so that no good
///    request is rejected meanwhile.
/// 3. A new engine knows all revocations that the old one knows, and is waited for until those of its store
///    are loaded.
/// 4. What is bad changes nothing: an engine that cannot meet the requirement of a route, that has no keys
///    for an issuer which has some now, or that cannot load its revocations.
///
/// A handle that never changes costs a request nothing for this; one of these costs it a look at an
/// atomic pointer.
///
/// # Examples
///
/// ```
/// use portcullis::{Authenticator, Issuer, ReloadableAuthenticator, VerificationKey};
///
/// # let pem = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n";
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let engine = |audience| {
///     let issuer = Issuer::new("https://idp.example.com").key(VerificationKey::from_pem(pem)?);
///     Authenticator::builder().issuer(issuer).audience(audience).build()
/// };
/// let reloadable = ReloadableAuthenticator::new(engine("orders")?);
/// let for_a_layer = reloadable.authenticator();
///
/// reloadable.replace(engine("invoices")?).await?;
/// # drop(for_a_layer);
/// # Ok::<(), portcullis::ConfigError>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ReloadableAuthenticator<G = Grant> {
    current: Arc<Current<G>>,
    route: Route,
}

impl<G: Send + Sync + 'static> ReloadableAuthenticator<G> {
    /// Starts with an engine. What its handle asks for, and lets through, stays.
    #[must_use]
    pub fn new(auth: Authenticator<G>) -> Self {
        let current = match auth.source {
            Source::Current(current) => current,
            Source::Fixed(engine) => {
                let (requirements, replacing) = (Mutex::default(), tokio::sync::Mutex::default());
                Arc::new(Current { engine: ArcSwap::new(engine), requirements, replacing })
            }
        };
        if let Some(requirement) = &auth.route.requirement {
            current.remember(requirement);
        }
        Self { current, route: auth.route }
    }

    /// Returns a handle, whose engine is always the newest.
    #[must_use]
    pub fn authenticator(&self) -> Authenticator<G> {
        let source = Source::Current(Arc::clone(&self.current));
        Authenticator { source, route: self.route.clone() }
    }

    /// Puts another engine in the place of this one. What the handle of the new one asks for does not
    /// count.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] if the requirement of a route could not be met, and
    /// `ConfigError::KeysWouldBeLost` if an issuer that has keys now would have none, and
    /// `ConfigError::RevocationsNotLoaded` if the store of revocations cannot be read. The old engine stays.
    pub async fn replace(&self, auth: Authenticator<G>) -> Result<(), ConfigError> {
        let _held = self.current.replacing.lock().await;
        let (old, new) = (self.current.load_full(), auth.engine());
        self.current.check_requirements(&new)?;
        super::readiness::take_over(&old, &new).await?;
        point("reload: ready");
        // Again, because a route may have been added meanwhile, and a key withdrawn.
        self.current.check_requirements(&new)?;
        super::readiness::take_over_keys(&old, &new);
        super::revocation_readiness::take_over_revocations(&old, &new)?;
        point("reload: taken over");
        self.current.engine.store(new);
        drop(old);
        Ok(())
    }

    /// Returns the clock of the engine.
    #[must_use]
    pub fn clock(&self) -> Arc<dyn crate::Clock> {
        Arc::clone(&self.current.load().clock)
    }
}

impl<G> fmt::Debug for ReloadableAuthenticator<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReloadableAuthenticator")
            .field("route", &self.route)
            .finish_non_exhaustive()
    }
}
