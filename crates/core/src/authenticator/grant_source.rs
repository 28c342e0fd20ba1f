//! Where the grant of a caller is made from.

use std::{fmt, sync::Arc};

use super::ResolverConfig;
use crate::{
    AuthError, AuthErrorKind, Authenticated, Clock, Grant, Principal,
    claims::not_included,
    grant::{CompiledMapping, watch},
    hooks::{caught, panicked},
    json::Object,
    pipeline::{Coming, Stop},
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
    /// Makes the grant of a caller, from claims that were read already or will be read again.
    pub(crate) fn grant(
        &self,
        caller: Principal,
        clock: &dyn Clock,
    ) -> Result<Authenticated<G>, Stop> {
        let grant = match self {
            Self::Claims(_, map) => map(&caller)?,
            Self::Principal(mapping) => mapping.map(&caller)?,
            Self::GrantResolver(resolving) => match resolving.kept(&caller, clock) {
                Some(grant) => return Ok(Authenticated::new(caller, grant)),
                None => return Err(Stop::until(Coming::Grant(caller))),
            },
        };
        Ok(Authenticated::new(caller, Arc::new(grant)))
    }

    /// Waits for the grant of a caller.
    pub(crate) async fn resolve(
        &self,
        caller: Principal,
        clock: &dyn Clock,
    ) -> Result<Authenticated<G>, Stop> {
        match self {
            Self::GrantResolver(resolving) => {
                let grant = resolving.resolve(&caller, clock).await?;
                Ok(Authenticated::new(caller, grant))
            }
            other => other.grant(caller, clock),
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
pub(super) fn known<G>(
    grant: Result<G, AuthError>,
    has_read_unknown: bool,
) -> Result<G, AuthError> {
    match grant {
        Ok(_) if has_read_unknown => Err(not_included()),
        grant => grant,
    }
}

/// There were credentials: nobody must take this for a request without.
pub(super) fn of_a_caller(error: AuthError) -> AuthError {
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
