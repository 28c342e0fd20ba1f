//! Issuers as the pipeline reads them: checked, and never changed.

use std::{
    any::TypeId,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::{Issuer, Rules};
use crate::{
    Clock, ConfigError, GrantMapping, GrantMappingError, IssuerError, NumericDate, ProductionError,
    challenge::ChallengeSettings,
    claims::ClaimPath,
    grant::CompiledMapping,
    json::Name,
    jws::{AlgorithmSet, NameIndex},
    key_source::IssuerKeys,
    revocation::{IssuerName, Revocations},
};

impl Issuer {
    /// Checks everything that can be checked without a token.
    fn compile(
        self,
        default_audiences: &[String],
        engine: &Arc<EngineInfo>,
        now: NumericDate,
    ) -> Result<IssuerConfig, ConfigError> {
        if self.name.is_empty() {
            return Err(IssuerError::NoName.into());
        }
        let first_keys = self.first_keys();
        let audiences =
            if self.audiences.is_empty() { default_audiences.to_vec() } else { self.audiences };
        let audiences = match (self.any_audience, audiences.is_empty()) {
            (true, _) => None,
            (false, false) => Some(audiences),
            (false, true) => return Err(IssuerError::NoAudience { issuer: self.name }.into()),
        };
        if audiences.iter().flatten().any(String::is_empty) {
            return Err(IssuerError::EmptySetting { issuer: self.name, setting: "audience" }.into());
        }
        if self.rules.subjects.as_ref().is_some_and(Vec::is_empty) {
            return Err(IssuerError::EmptySetting { issuer: self.name, setting: "subjects" }.into());
        }
        self.sources.iter().try_for_each(|source| source.check())?;
        let has_sources = !self.sources.is_empty();
        if self.keys.is_empty() && !has_sources {
            return Err(IssuerError::NoKeys { issuer: self.name }.into());
        }
        let of_keys =
            first_keys.iter().fold(AlgorithmSet::EMPTY, |set, key| set.union(key.algorithm_set()));
        let algorithms = self.algorithms.unwrap_or(AlgorithmSet::ASYMMETRIC.union(of_keys));
        if !has_sources && !of_keys.iter().any(|algorithm| algorithms.contains(algorithm)) {
            return Err(IssuerError::NoKeyForAlgorithms { issuer: self.name }.into());
        }
        let keys = IssuerKeys::new(self.keys, self.skipped, self.key_matching, self.sources, now);
        Ok(IssuerConfig {
            required: ClaimPath::parse_all(&self.rules.required).map_err(IssuerError::from)?,
            keys: Arc::new(keys),
            any: self.any,
            algorithms,
            audiences,
            calls_the_application: !self.rules.checks.is_empty() || self.mapping.is_function(),
            origin: Arc::new(
                Origin::new(self.name, &self.mapping, self.rules.leeway, engine)?
                    .with_rules(&self.rules),
            ),
            rules: self.rules,
        })
    }
}

/// An [`Issuer`] whose settings were checked, as the pipeline reads it.
#[derive(Debug)]
pub(crate) struct IssuerConfig {
    any: bool,
    pub(crate) keys: Arc<IssuerKeys>,
    pub(crate) algorithms: AlgorithmSet,
    /// `None`: any.
    pub(crate) audiences: Option<Vec<String>>,
    pub(crate) required: Vec<ClaimPath>,
    pub(crate) rules: Rules,
    /// Whether a function of the application checks or maps the claims, and needs the caller for that.
    pub(crate) calls_the_application: bool,
    pub(crate) origin: Arc<Origin>,
}

/// Where a caller comes from: a trusted issuer, or a strategy.
#[derive(Debug)]
pub(crate) struct Origin {
    /// No other issuer or strategy has this number, even if it has the same name at another time.
    id: u64,
    name: IssuerName,
    /// The strategy that has judged the caller, where it has several issuers.
    strategy: Option<Arc<Self>>,
    pub(crate) mapping: Arc<CompiledMapping>,
    /// How far clocks may differ.
    pub(crate) leeway: Duration,
    /// How old a token may get, counted from its `iat`.
    pub(crate) max_age: Option<Duration>,
    /// Whether its tokens may be used once.
    pub(crate) one_time: bool,
    engine: Arc<EngineInfo>,
}

/// The number of the next origin.
static ORIGINS: AtomicU64 = AtomicU64::new(0);

impl Origin {
    pub(crate) fn new(
        name: String,
        mapping: &GrantMapping,
        leeway: Duration,
        engine: &Arc<EngineInfo>,
    ) -> Result<Self, GrantMappingError> {
        let (mapping, engine) = (Arc::new(mapping.compile()?), Arc::clone(engine));
        let id = ORIGINS.fetch_add(1, Ordering::Relaxed);
        Ok(Self {
            id,
            name: IssuerName::new(name),
            strategy: None,
            mapping,
            leeway,
            max_age: None,
            one_time: false,
            engine,
        })
    }

    /// Takes a caller over that an engine of this strategy has judged.
    pub(crate) fn adopt(self: &Arc<Self>, inner: &Self) -> Self {
        Self {
            id: inner.id,
            name: inner.name.clone(),
            strategy: Some(Arc::clone(self)),
            mapping: Arc::clone(&inner.mapping),
            leeway: inner.leeway,
            max_age: inner.max_age,
            one_time: inner.one_time,
            engine: Arc::clone(&self.engine),
        }
    }

    /// Tells whether this is the issuer or strategy of that name.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        self.name() == name
            || self.strategy.as_ref().is_some_and(|strategy| strategy.name() == name)
    }

    /// Tells whether an engine of a strategy has judged the caller.
    pub(crate) fn is_of_strategy(&self) -> bool {
        self.strategy.is_some()
    }

    /// Returns the numbers of the issuer and of the strategy that has judged the caller: what was once
    /// known of one origin must not count for another one that takes over its name.
    pub(crate) fn ids(&self) -> [u64; 2] {
        [self.id, self.strategy.as_ref().map_or(self.id, |strategy| strategy.id)]
    }

    /// Returns the same origin, of tokens by other rules.
    fn clone_for(&self, rules: &Rules) -> Self {
        Self {
            id: self.id,
            name: self.name.clone(),
            strategy: self.strategy.clone(),
            mapping: Arc::clone(&self.mapping),
            leeway: rules.leeway,
            max_age: rules.max_age,
            one_time: rules.one_time,
            engine: Arc::clone(&self.engine),
        }
    }

    fn with_rules(self, rules: &Rules) -> Self {
        Self { max_age: rules.max_age, one_time: rules.one_time, ..self }
    }

    pub(crate) fn name(&self) -> &str {
        self.name.as_str()
    }

    pub(crate) fn issuer_name(&self) -> &IssuerName {
        &self.name
    }

    pub(crate) fn engine(&self) -> &EngineInfo {
        &self.engine
    }
}

/// What a caller remembers of the engine that judged it.
#[derive(Debug)]
pub(crate) struct EngineInfo {
    pub(crate) challenge: Arc<ChallengeSettings>,
    pub(crate) clock: Arc<dyn Clock>,
    /// The name of the type of grants.
    pub(crate) grant_type: &'static str,
    pub(crate) grant_type_id: TypeId,
    pub(crate) is_for_production: bool,
    /// Why the engine could not be built for production.
    pub(crate) unfit_for_production: Option<ProductionError>,
    pub(crate) revocations: Option<Revocations>,
}

impl IssuerConfig {
    pub(crate) fn name(&self) -> &str {
        self.origin.name()
    }

    /// Returns the same issuer, with the same keys, for tokens of another kind: by these rules and for these
    /// audiences.
    pub(crate) fn by_rules(
        &self,
        rules: Rules,
        audiences: Vec<String>,
        required: impl IntoIterator<Item = Name>,
    ) -> Self {
        let origin = self.origin.clone_for(&rules);
        Self {
            any: self.any,
            keys: Arc::clone(&self.keys),
            algorithms: self.algorithms,
            audiences: Some(audiences),
            required: required.into_iter().map(ClaimPath::registered).collect(),
            rules,
            calls_the_application: false,
            origin: Arc::new(origin),
        }
    }

    /// Tells whether the issuer stands in for all that are not named.
    pub(crate) fn is_any(&self) -> bool {
        self.any
    }
}

/// The issuers that are trusted.
#[derive(Clone, Debug)]
pub(crate) struct TrustedIssuers {
    issuers: Vec<Arc<IssuerConfig>>,
    by_name: NameIndex,
    /// All algorithms that some issuer allows.
    pub(crate) algorithms: AlgorithmSet,
    any: Option<Arc<IssuerConfig>>,
}

impl TrustedIssuers {
    pub(crate) fn new(
        issuers: Vec<Issuer>,
        default_audiences: &[String],
        engine: &Arc<EngineInfo>,
        now: NumericDate,
    ) -> Result<Self, ConfigError> {
        let issuers = issuers
            .into_iter()
            .map(|issuer| issuer.compile(default_audiences, engine, now).map(Arc::new))
            .collect::<Result<Vec<_>, _>>()?;
        let (any, named): (Vec<_>, Vec<_>) =
            issuers.into_iter().partition(|issuer| issuer.is_any());
        let by_name = NameIndex::new(named.iter().map(|issuer| issuer.name()).enumerate());
        let duplicate = named
            .iter()
            .find(|issuer| by_name.get(issuer.name()).len() > 1)
            .or_else(|| any.iter().find(|issuer| !by_name.get(issuer.name()).is_empty()))
            .or_else(|| any.get(1));
        if let Some(duplicate) = duplicate {
            return Err(IssuerError::Duplicate { issuer: duplicate.name().to_owned() }.into());
        }
        let algorithms = named
            .iter()
            .chain(&any)
            .fold(AlgorithmSet::EMPTY, |set, issuer| set.union(issuer.algorithms));
        Ok(Self { issuers: named, by_name, algorithms, any: any.into_iter().next() })
    }

    /// Returns the same issuers with other settings. Their names must stay.
    pub(crate) fn map(&self, change: impl Fn(&IssuerConfig) -> IssuerConfig) -> Self {
        let change = |issuer: &Arc<IssuerConfig>| Arc::new(change(issuer));
        Self {
            issuers: self.issuers.iter().map(change).collect(),
            by_name: self.by_name.clone(),
            algorithms: self.algorithms,
            any: self.any.as_ref().map(change),
        }
    }

    /// Returns the issuer with this very name, byte for byte.
    pub(crate) fn named(&self, name: &str) -> Option<&Arc<IssuerConfig>> {
        self.by_name.get(name).first().and_then(|&position| self.issuers.get(position))
    }

    /// Returns all issuers.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<IssuerConfig>> {
        self.issuers.iter().chain(&self.any)
    }

    /// Returns the issuer that stands in for all others, if one was configured.
    pub(crate) fn any(&self) -> Option<&Arc<IssuerConfig>> {
        self.any.as_ref()
    }
}
