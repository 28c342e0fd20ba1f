//! What the stages read: a configuration that was checked, and never changes.

use std::{sync::Arc, time::Duration};

use super::{Admission, GrantSource, production::AnonymousLimit};
use crate::{
    Clock, ConfigError, GrantMapping, IssuerError, LocationError, MultipleTokens, Requirement,
    ResourceMetadata, Strategy, TokenLocation,
    challenge::ChallengeSettings,
    issuer::{EngineInfo, LEEWAY, Origin, TrustedIssuers},
    jws::KnownHeaders,
    pipeline::Hide,
    strategy::{Chain, Registered, ReservedNames},
};

/// What the stages read.
pub(crate) struct Engine<G> {
    pub(crate) issuers: TrustedIssuers,
    pub(crate) places: Vec<TokenLocation>,
    pub(crate) several: MultipleTokens,
    pub(crate) hide: Hide,
    pub(crate) max_token_len: usize,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) grant: GrantSource<G>,
    pub(crate) challenge: Arc<ChallengeSettings>,
    pub(crate) known_headers: KnownHeaders,
    pub(crate) chain: Chain,
    pub(super) strategy_timeout: Duration,
    /// What callers remember of the engine.
    pub(super) info: Arc<EngineInfo>,
    pub(crate) resource_metadata: Option<Arc<ResourceMetadata>>,
    pub(crate) anonymous: AnonymousLimit,
    pub(crate) tasks: crate::key_source::SourceTasks,
}

impl<G> Engine<G> {
    pub(super) fn register(
        &self,
        strategy: Arc<dyn Strategy>,
    ) -> Result<Arc<Registered>, ConfigError> {
        if self.anonymous != AnonymousLimit::Any {
            strategy.check_production()?;
        }
        register(strategy, &self.issuers, &self.info)
    }

    /// Checks that a request can meet what a route asks for, and that the engine allows it.
    pub(super) fn check_requirement(&self, requirement: &Requirement) -> Result<(), ConfigError> {
        let strategies = self.chain.names();
        let issuers = self.issuers.all().map(|issuer| issuer.name());
        requirement.check(&issuers.chain(strategies.iter().map(String::as_str)).collect())?;
        if requirement.is_met_by_none() {
            self.anonymous.check(Admission::Optional)?;
        }
        Ok(())
    }
}

impl<G> ReservedNames for Engine<G> {
    fn is_reserved(&self, name: &str) -> bool {
        self.issuers.named(name).is_some()
            || self.issuers.any().is_some_and(|any| any.name() == name)
            || self.chain.has(name)
    }
}

/// Gives a strategy its place among the origins of callers.
pub(super) fn register(
    strategy: Arc<dyn Strategy>,
    issuers: &TrustedIssuers,
    info: &Arc<EngineInfo>,
) -> Result<Arc<Registered>, ConfigError> {
    let name = strategy.name().to_owned();
    if name.is_empty() {
        return Err(IssuerError::NoName.into());
    }
    if issuers.all().any(|issuer| issuer.name() == name) {
        return Err(IssuerError::Duplicate { issuer: name }.into());
    }
    let mapping = GrantMapping::default().permissions("permissions", ":");
    let origin = Arc::new(Origin::new(name, &mapping, LEEWAY, info)?);
    Ok(Arc::new(Registered::new(strategy, origin)))
}

/// Checks that places can hold a token: at least one, and each for whom it is bound to.
pub(super) fn check_places(
    places: &[TokenLocation],
    issuers: &TrustedIssuers,
    chain: &Chain,
) -> Result<(), LocationError> {
    TokenLocation::check_all(places)?;
    let strategies = chain.names();
    for issuer in places.iter().filter_map(|place| place.issuer.as_deref()) {
        let is_trusted = issuers.all().any(|trusted| trusted.name() == issuer);
        if !is_trusted && !strategies.iter().any(|strategy| strategy == issuer) {
            return Err(LocationError::UntrustedIssuer { issuer: issuer.to_owned() });
        }
    }
    Ok(())
}
