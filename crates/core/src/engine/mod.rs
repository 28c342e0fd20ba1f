//! What the stages of a request read: a checked configuration, which never changes.

mod admission;

use std::{sync::Arc, time::Duration};

pub use self::admission::Admission;
pub(crate) use self::admission::AnonymousLimit;
use crate::{
    Clock, ConfigError, LocationError, MultipleTokens, Requirement, ResourceMetadata,
    TokenLocation,
    challenge::ChallengeSettings,
    grant_source::GrantSource,
    issuer::TrustedIssuers,
    jws::KnownHeaders,
    key_source::SourceTasks,
    pipeline::{CrossSiteRules, hide::Hide},
    revocation::{OneTimeUse, Revocations},
    strategy::{ReservedNames, Slot, names},
};

/// What the stages of a request read.
pub(crate) struct Engine<G> {
    pub(crate) issuers: TrustedIssuers,
    /// The strategies in order, the issuers among them. Empty if there are only issuers.
    pub(crate) strategies: Vec<Slot>,
    pub(crate) strategy_timeout: Duration,
    pub(crate) locations: Vec<TokenLocation>,
    pub(crate) multiple_tokens: MultipleTokens,
    pub(crate) cross_site: CrossSiteRules,
    pub(crate) hide: Hide,
    pub(crate) max_token_len: usize,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) grant: GrantSource<G>,
    pub(crate) challenge: Arc<ChallengeSettings>,
    pub(crate) known_headers: KnownHeaders,
    pub(crate) resource_metadata: Option<Arc<ResourceMetadata>>,
    pub(crate) anonymous: AnonymousLimit,
    /// Shared with engines that are derived of this one.
    pub(crate) tasks: Arc<SourceTasks>,
    pub(crate) revocations: Option<Revocations>,
    pub(crate) one_time: Option<OneTimeUse>,
    /// Whether another engine judges the callers of this one, and has the revocations and used tokens.
    pub(crate) is_inner: bool,
}

impl<G> Engine<G> {
    /// Tells whether each request asks the store of revocations.
    #[inline]
    pub(crate) fn asks_at_each_request(&self) -> bool {
        self.revocations.as_ref().is_some_and(Revocations::is_strict)
    }

    /// Tells whether callers must know what their token may be revoked by.
    #[inline]
    pub(crate) fn remembers_revocable_parts(&self) -> bool {
        self.revocations.is_some() || self.is_inner
    }

    /// Checks that a request can meet what a route requires, and that the engine allows it.
    pub(crate) fn check_requirement(&self, requirement: &Requirement) -> Result<(), ConfigError> {
        let issuers = self.issuers.all().map(|issuer| issuer.name());
        requirement.check(&issuers.chain(names(&self.strategies)).collect())?;
        if requirement.is_met_by_none() {
            self.anonymous.check(Admission::Optional)?;
        }
        Ok(())
    }

    /// Checks that locations can hold a token: at least one, and each that of a trusted issuer or a
    /// strategy if it is bound to one.
    pub(crate) fn check_locations(&self, locations: &[TokenLocation]) -> Result<(), LocationError> {
        TokenLocation::check_all(locations)?;
        for issuer in locations.iter().filter_map(|location| location.issuer.as_deref()) {
            let is_trusted = self.issuers.all().any(|trusted| trusted.name() == issuer);
            if !is_trusted && !names(&self.strategies).any(|strategy| strategy == issuer) {
                return Err(LocationError::UntrustedIssuer { issuer: issuer.to_owned() });
            }
        }
        Ok(())
    }
}

impl<G> ReservedNames for Engine<G> {
    fn is_reserved(&self, name: &str) -> bool {
        self.issuers.named(name).is_some()
            || self.issuers.any().is_some_and(|any| any.name() == name)
            || names(&self.strategies).any(|strategy| strategy == name)
    }
}
