//! Which keys the engine rejects: all of them, and not only the first.
//!
//! `build()` stops at the first mistake. So each section is tried out in an engine of its own, together with
//! the issuers that were accepted. These engines are dropped; they only find mistakes.

use portcullis::{
    Authenticator, AuthenticatorBuilder, ConfigError, Issuer, StaticTokens,
    error::{GrantMappingError, IssuerError, LocationError, ProductionError, ResourceError},
    revocation::MemoryStore,
};

use crate::{
    Config, apply::Applying, issuer, mistakes::Mistakes, root::ROOT, static_token, stores::Both,
};

/// Starts a builder with the audiences and the rules for production that each engine needs.
pub(crate) type Base<'b> = &'b dyn Fn() -> AuthenticatorBuilder;

impl Config {
    /// Adds the mistakes that the engine finds. Sections with mistakes are not tried out, because what
    /// they lack may be in a key that could not be read.
    pub(crate) fn diagnose(&self, base: Base<'_>, mistakes: &mut Mistakes) {
        // The store of the configuration belongs to engines that run.
        let base: Base<'_> = &|| base().replay_store(MemoryStore::new());
        without_log(|| {
            let applying = Applying::new(self);
            self.try_store(&applying);
            let issuers = self.try_issuers(base, &applying, mistakes);
            let tokens = self.try_static_tokens(base, &issuers, &applying, mistakes);
            self.try_rest(base, (&issuers, &tokens), &applying, mistakes);
            mistakes.append(applying.into_mistakes());
        });
    }

    /// Returns a builder with the settings of the file that issuers depend on.
    pub(crate) fn base(&self) -> AuthenticatorBuilder {
        let applying = Applying::new(self);
        let keys = ["production", "dangerous_any_issuer_in_production", "audience"];
        let builder = keys.into_iter().fold(Authenticator::builder(), |builder, key| {
            ROOT.apply_row(key, builder, &self.root, &applying)
        });
        self.with_audience_of_resource(builder)
    }

    /// Adds the audience that `[resource]` is for issuers.
    pub(crate) fn with_audience_of_resource(
        &self,
        builder: AuthenticatorBuilder,
    ) -> AuthenticatorBuilder {
        match self.root.section("resource").and_then(|resource| resource.text("identifier")) {
            Some(identifier) => builder.audience(identifier),
            None => builder,
        }
    }

    fn try_issuers(
        &self,
        base: Base<'_>,
        applying: &Applying<'_>,
        mistakes: &Mistakes,
    ) -> Vec<Issuer> {
        let mut accepted: Vec<Issuer> = Vec::new();
        // The audience may be in a key that could not be read.
        let has_audience = mistakes.are_outside_of_sections() || mistakes.are_in("resource");
        for section in self.root.sections("issuer") {
            let issuer = issuer::issuer(section, applying);
            let path = section.path();
            if mistakes.are_in(path) || applying.has_mistakes_in(path) {
                continue;
            }
            let mut builder = base().issuers(accepted.iter().cloned()).issuer(issuer.clone());
            if has_audience {
                builder = builder.audience("unknown");
            }
            match builder.build() {
                Ok(_) => accepted.push(issuer),
                Err(error @ ConfigError::Variable(_)) => applying.reject(&self.root, "", error),
                Err(error) => applying.reject(section, key_of_issuer(&error), error),
            }
        }
        accepted
    }

    fn try_static_tokens(
        &self,
        base: Base<'_>,
        issuers: &[Issuer],
        applying: &Applying<'_>,
        mistakes: &Mistakes,
    ) -> Vec<StaticTokens> {
        let mut accepted: Vec<StaticTokens> = Vec::new();
        for section in self.root.sections("static_token") {
            let Some(tokens) = static_token::tokens(section, applying) else { continue };
            if mistakes.are_in(section.path()) {
                continue;
            }
            let builder = base().issuers(issuers.iter().cloned());
            let builder = builder.strategies(accepted.iter().cloned()).strategy(tokens.clone());
            match builder.build() {
                Ok(_) => accepted.push(tokens),
                Err(error @ ConfigError::Variable(_)) => applying.reject(&self.root, "", error),
                Err(error) => applying.reject(section, "", error),
            }
        }
        accepted
    }

    /// Opens the store of revocations, which connects to nothing.
    fn try_store(&self, applying: &Applying<'_>) {
        let Some(section) = self.root.section("revocation") else { return };
        let opened = applying.store_url(section).map(|url| Both::open(&url));
        if let Some(Err(error)) = opened {
            applying.reject(section, "store", error);
        }
    }

    /// Tries the other keys out, each by itself.
    fn try_rest(
        &self,
        base: Base<'_>,
        (issuers, tokens): (&[Issuer], &[StaticTokens]),
        applying: &Applying<'_>,
        mistakes: &Mistakes,
    ) {
        let sections = ["issuer", "static_token"].map(|key| self.root.sections(key).len());
        let all_accepted = sections == [issuers.len(), tokens.len()];
        for row in ["realm", "resource_metadata", "extract", "resource"] {
            if mistakes.are_in(row) || !self.root.has(row) {
                continue;
            }
            let builder = base().issuers(issuers.iter().cloned());
            let builder = builder.strategies(tokens.iter().cloned());
            let builder = ROOT.apply_row(row, builder, &self.root, applying);
            let Err(error) = builder.build() else { continue };
            // An issuer that is named here may be one that was rejected.
            let is_certain = all_accepted || !names_issuer(&error);
            if let Some(key) = key_of_rest(&error).filter(|_| is_certain) {
                applying.reject(&self.root, key, error);
            }
        }
    }
}

/// Returns the key of an issuer that an error is about.
fn key_of_issuer(error: &ConfigError) -> &'static str {
    match error {
        ConfigError::Issuer(error) => match error {
            IssuerError::NoAudience { .. } => "audience",
            IssuerError::NoKeyForAlgorithms { .. } => "algorithms",
            IssuerError::EmptySetting { setting: "subjects", .. } => "subject",
            IssuerError::EmptySetting { setting, .. } => setting,
            IssuerError::RequiredClaim(_) => "required_claims",
            IssuerError::NoReplayStore { .. } | IssuerError::OneTimeWithoutExpiry { .. } => {
                "one_time"
            }
            _ => "",
        },
        ConfigError::GrantMapping(GrantMappingError::InvalidPattern { .. }) => {
            "grant.permissions.pattern"
        }
        ConfigError::GrantMapping(_) => "grant",
        ConfigError::Production(error) => match error {
            ProductionError::AnyAudience { .. } => "dangerous_any_audience",
            ProductionError::AnyIssuer { .. } => "dangerous_any_issuer",
            ProductionError::PlainHttp { .. } => "dangerous_allow_http",
            ProductionError::ShortSecret { .. } => "dangerous_short_secrets",
            ProductionError::UnlimitedStaleness { .. } => "dangerous_unlimited_staleness",
            _ => "",
        },
        _ => "",
    }
}

/// Returns the key outside of issuers and static tokens that an error is about. `None`: it is about another.
fn key_of_rest(error: &ConfigError) -> Option<&'static str> {
    match error {
        ConfigError::InvalidChallengeText { setting } => Some(setting),
        ConfigError::Location(_) | ConfigError::Requirement(_) => Some("extract.places"),
        ConfigError::Resource(ResourceError::InvalidIdentifier { .. }) => {
            Some("resource.identifier")
        }
        ConfigError::Resource(_) => Some("resource"),
        _ => None,
    }
}

/// Returns whether an error is about an issuer that is named and not trusted.
fn names_issuer(error: &ConfigError) -> bool {
    match error {
        ConfigError::Location(LocationError::UntrustedIssuer { .. })
        | ConfigError::Requirement(_) => true,
        ConfigError::Resource(ResourceError::InvalidMetadata { parameter, .. }) => {
            parameter == "authorization_servers"
        }
        _ => false,
    }
}

/// Engines that are built for a diagnosis write nothing to the log: it is about those that run.
fn without_log<T>(run: impl FnOnce() -> T) -> T {
    #[cfg(feature = "tracing")]
    return tracing::dispatcher::with_default(&tracing::Dispatch::new(Silent), run);
    #[cfg(not(feature = "tracing"))]
    run()
}

/// Ignores every event. `Dispatch::none()` would make `tracing` cache the interest "never" for each event that is
/// first reached here, so that the application's own log would never get that event.
#[cfg(feature = "tracing")]
struct Silent;

#[cfg(feature = "tracing")]
impl tracing::Subscriber for Silent {
    fn register_callsite(
        &self,
        _: &'static tracing::Metadata<'static>,
    ) -> tracing::subscriber::Interest {
        tracing::subscriber::Interest::sometimes()
    }

    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        false
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, _: &tracing::Event<'_>) {}

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}
