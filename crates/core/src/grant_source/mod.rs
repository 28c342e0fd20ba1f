//! Where the grant of a caller is made from.

mod delegation;
mod resolver;

use std::{fmt, sync::Arc};

pub use self::{
    delegation::{Account, AccountStatus, DelegationResolver},
    resolver::{GrantResolver, ResolverConfig},
};
use crate::{
    AuthError, AuthErrorKind, Clock, Grant, Principal,
    claims::not_included,
    grant::{CompiledMapping, watch},
    hooks::{caught, panicked},
    json::Object,
};

/// Where the grant of a caller is made from.
pub(crate) enum GrantSource<G> {
    /// By the mapping of the issuer: from claims that were read already, or from those of a caller.
    Claims(
        fn(&CompiledMapping, &Object<'_>) -> Result<G, AuthError>,
        fn(&Principal) -> Result<G, AuthError>,
    ),
    /// From the caller, by a function of the application.
    Principal(PrincipalMapping<G>),
    /// From the caller, by what the application looks up.
    GrantResolver(Box<ResolverConfig<G>>),
}

impl<G: Send + Sync + 'static> GrantSource<G> {
    /// Returns the grant of a caller; `None` if it must be [resolved](Self::resolve) first.
    pub(crate) fn grant_now(
        &self,
        caller: &Principal,
        clock: &dyn Clock,
    ) -> Result<Option<Arc<G>>, AuthError> {
        match self {
            Self::Claims(_, map) => map(caller).map(|grant| Some(Arc::new(grant))),
            Self::Principal(mapping) => mapping.map(caller).map(|grant| Some(Arc::new(grant))),
            Self::GrantResolver(resolver) => Ok(resolver.kept(caller, clock)),
        }
    }

    /// Waits for the grant of a caller.
    pub(crate) async fn resolve(
        &self,
        caller: &Principal,
        clock: &dyn Clock,
    ) -> Result<Arc<G>, AuthError> {
        match self {
            Self::Claims(_, map) => map(caller).map(Arc::new),
            Self::Principal(mapping) => mapping.map(caller).map(Arc::new),
            Self::GrantResolver(resolver) => resolver.resolve(caller, clock).await,
        }
    }
}

impl GrantSource<Grant> {
    pub(crate) const DEFAULT: Self =
        Self::Claims(CompiledMapping::grant, Principal::standard_grant);
}

/// A function of the application.
pub(crate) struct PrincipalMapping<G> {
    function: Arc<MappingFunction<G>>,
}

type MappingFunction<G> = dyn Fn(&Principal) -> Result<G, AuthError> + Send + Sync;

impl<G> PrincipalMapping<G> {
    pub(crate) fn new(
        function: impl Fn(&Principal) -> Result<G, AuthError> + Send + Sync + 'static,
    ) -> Self {
        Self { function: Arc::new(function) }
    }

    pub(crate) fn map(&self, principal: &Principal) -> Result<G, AuthError> {
        let (mapped, has_read) = watch(|| caught(|| (self.function)(principal)));
        let mapped = mapped.unwrap_or_else(|| Err(panicked())).map_err(of_a_caller);
        known(mapped, has_read)
    }
}

/// Rejects a grant that was made by a read of an unknown part of the [standard one](Grant).
fn known<G>(grant: Result<G, AuthError>, has_read_unknown: bool) -> Result<G, AuthError> {
    match grant {
        Ok(_) if has_read_unknown => Err(not_included()),
        grant => grant,
    }
}

/// Keeps an error of the application from being taken for a request without credentials.
pub(crate) fn of_a_caller(error: AuthError) -> AuthError {
    match error.kind() {
        AuthErrorKind::NoCredentials => AuthErrorKind::NotPermitted.into(),
        _ => error,
    }
}

impl<G> fmt::Debug for PrincipalMapping<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrincipalMapping").finish_non_exhaustive()
    }
}

impl<G> fmt::Debug for GrantSource<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Claims(..) => "Claims",
            Self::Principal(_) => "Principal",
            Self::GrantResolver(_) => "GrantResolver",
        })
    }
}
