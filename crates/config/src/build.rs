//! From settings to the engine.

use std::path::Path;

use super::{
    Config, SettingError, grant,
    settings::{
        IssuerSettings, KeySettings, LocationKind, LocationSettings, ResourceSettings,
        StaticTokenSettings,
    },
};
use portcullis::{
    Algorithm, Authenticator, AuthenticatorBuilder, ConfigError, Identity, Issuer, JwkSet,
    JwkSetFile, KeySource, PemFile, ProductionError, ProtectedResource, RefreshPolicy,
    RemoteJwkSet, SecretFile, StaticTokens, TokenFile, TokenLocation, TokenType, VerificationKey,
    error::{FileError, IssuerError, KeyError, ResourceError, VariableError},
};

type Result<T> = std::result::Result<T, ConfigError>;

impl Config {
    /// Returns what makes the engine, with all settings in it, so that an application can go on in
    /// code: with its own type of grant, or a strategy of its own. Files are read now.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Setting`], which names the key whose value cannot be used.
    pub fn builder(&self) -> Result<AuthenticatorBuilder> {
        let mut builder = Authenticator::builder().multiple_tokens(self.extract.several);
        let config = self.clone();
        builder = builder.map_error(move |error| config.about(error));
        builder = self.audience.iter().fold(builder, AuthenticatorBuilder::audience);
        if let Some(places) = &self.extract.places {
            builder = builder.locations(places.iter().map(place));
        }
        if self.extract.remove_tokens {
            builder = builder.remove_tokens();
        }
        if self.production {
            builder = builder.production();
        }
        if self.optional_credentials {
            builder = builder.optional_credentials();
        }
        if self.any_issuer_in_production {
            builder = builder.dangerous_any_issuer_in_production();
        }
        if let Some(max_token_len) = self.max_token_len {
            builder = builder.max_token_len(max_token_len);
        }
        if let Some(strategy_timeout) = self.strategy_timeout {
            builder = builder.strategy_timeout(strategy_timeout);
        }
        if let Some(realm) = &self.realm {
            builder = builder.realm(realm);
        }
        if let Some(settings) = &self.resource {
            builder = builder.resource(resource(settings));
        }
        if let Some(url) = &self.resource_metadata {
            builder = builder.resource_metadata(url);
        }
        for (index, settings) in self.issuers.iter().enumerate() {
            let place = format!("issuer[{index}]");
            builder = builder.issuer(self.issuer(settings, &place)?);
        }
        for (index, settings) in self.static_tokens.iter().enumerate() {
            let tokens = static_tokens(settings);
            builder = builder.strategy(
                tokens.map_err(|error| self.because(format!("static_token[{index}]"), error))?,
            );
        }
        Ok(builder)
    }

    fn issuer(&self, settings: &IssuerSettings, path: &str) -> Result<Issuer> {
        let name = settings.name.as_str();
        let mut issuer =
            if settings.any_issuer { Issuer::dangerous_any(name) } else { Issuer::new(name) };
        issuer = settings.audiences.iter().fold(issuer, Issuer::audience);
        if settings.any_audience {
            issuer = issuer.dangerous_any_audience();
        }
        if let Some(algorithms) = &settings.algorithms {
            issuer = issuer.algorithms(algorithms.iter().copied());
        }
        issuer = self.keys(issuer, settings, path)?;
        let mapping = grant::mapping(&settings.grant)
            .map_err(|(key, error)| self.because(format!("{path}.grant{key}"), error.into()))?;
        Ok(rules(issuer, settings).grant_mapping(mapping))
    }

    fn keys(&self, mut issuer: Issuer, settings: &IssuerSettings, path: &str) -> Result<Issuer> {
        let keys = &settings.keys;
        let in_key = |key: &str, error: ConfigError| self.because(format!("{path}.{key}"), error);
        let remote = |source: RemoteJwkSet| {
            let source = source.refresh_policy(policy(keys));
            let source = match keys.timeout {
                Some(timeout) => source.timeout(timeout),
                None => source,
            };
            if keys.allow_http { source.dangerous_allow_http() } else { source }
        };
        if keys.discovery {
            let source = remote(RemoteJwkSet::discover(&settings.name));
            source.check().map_err(|error| in_key("discovery", error.into()))?;
            issuer = issuer.key_source(source);
        }
        for uri in &keys.jwks_uris {
            let source = remote(RemoteJwkSet::new(uri));
            source.check().map_err(|error| in_key("jwks_uri", error.into()))?;
            issuer = issuer.key_source(source);
        }
        for file in &keys.jwks_files {
            issuer =
                self.jwks_file(issuer, keys, file).map_err(|error| in_key("jwks_file", error))?;
        }
        for file in &keys.pem_files {
            issuer =
                self.pem_file(issuer, keys, file).map_err(|error| in_key("pem_file", error))?;
        }
        for file in &keys.secret_files {
            issuer = self
                .secret_file(issuer, settings, file)
                .map_err(|error| in_key("secret_file", error))?;
        }
        for variable in &keys.secret_variables {
            let missing = || VariableError::Missing { variable: variable.clone() }.into();
            let secret = std::env::var(variable).map_err(|_| in_key("secret_env", missing()))?;
            let keys = secret_keys(settings, secret.as_bytes());
            for key in keys.map_err(|error| in_key("secret_env", error.into()))? {
                issuer = issuer.key(key);
            }
        }
        if keys.last_key_of_id_wins {
            issuer = issuer.last_key_of_id_wins();
        }
        Ok(match (keys.try_all_keys, keys.match_key_ids) {
            (true, _) => issuer.try_all_keys(),
            (false, true) => issuer.match_key_ids(),
            (false, false) => issuer,
        })
    }

    fn jwks_file(&self, issuer: Issuer, keys: &KeySettings, file: &Path) -> Result<Issuer> {
        if self.files_are_fixed {
            return Ok(issuer.jwk_set(&JwkSet::from_file(file)?));
        }
        let source = JwkSetFile::read(file)?;
        let policy = staleness(KeySource::refresh_policy(&source), keys);
        Ok(issuer.key_source(source.refresh_policy(policy)))
    }

    fn pem_file(&self, issuer: Issuer, keys: &KeySettings, file: &Path) -> Result<Issuer> {
        // Keys without an id are not used from what is watched, where ids alone count.
        if self.files_are_fixed || keys.match_key_ids {
            return Ok(issuer.key(VerificationKey::from_pem_file(file)?));
        }
        let source = PemFile::read(file)?;
        let policy = staleness(KeySource::refresh_policy(&source), keys);
        Ok(issuer.key_source(source.refresh_policy(policy)))
    }

    fn secret_file(
        &self,
        issuer: Issuer,
        settings: &IssuerSettings,
        file: &Path,
    ) -> Result<Issuer> {
        let keys = &settings.keys;
        let source = secret_file(settings, file)?;
        // As with PEM files: keys without an id are not used from what is watched.
        if self.files_are_fixed || keys.match_key_ids {
            return Ok(source.keys().cloned().fold(issuer, Issuer::key));
        }
        let policy = staleness(KeySource::refresh_policy(&source), keys);
        Ok(issuer.key_source(source.refresh_policy(policy)))
    }

    /// Finds the key that an error of the engine is about.
    pub(super) fn about(&self, error: ConfigError) -> ConfigError {
        if matches!(error, ConfigError::Other(_)) {
            return error;
        }
        let of = |name: &str, key: &str| {
            let index = self.issuers.iter().rposition(|issuer| issuer.name == name);
            index.map_or_else(String::new, |index| match key {
                "" => format!("issuer[{index}]"),
                key => format!("issuer[{index}].{key}"),
            })
        };
        let key = match &error {
            ConfigError::Issuer(error) => match error {
                IssuerError::NoAudience { issuer } => of(issuer, "audience"),
                IssuerError::NoKeyForAlgorithms { issuer } => of(issuer, "algorithms"),
                IssuerError::EmptySetting { issuer, setting: "subjects" } => of(issuer, "subject"),
                IssuerError::EmptySetting { issuer, setting } => of(issuer, setting),
                IssuerError::NoKeys { issuer } | IssuerError::Duplicate { issuer } => {
                    of(issuer, "")
                }
                IssuerError::NoName => of("", ""),
                _ => String::new(),
            },
            ConfigError::Production(error) => match error {
                ProductionError::AnyAudience { issuer } => of(issuer, "dangerous_any_audience"),
                ProductionError::AnyIssuer { name } => of(name, "dangerous_any_issuer"),
                ProductionError::PlainHttp { issuer, .. } => of(issuer, "dangerous_allow_http"),
                ProductionError::ShortSecret { issuer } => of(issuer, "dangerous_short_secrets"),
                ProductionError::UnlimitedStaleness { issuer, .. } => {
                    of(issuer, "dangerous_unlimited_staleness")
                }
                ProductionError::ShortToken { name } => self.static_token(name),
                _ => "production".to_owned(),
            },
            ConfigError::Location(_) | ConfigError::Requirement(_) => "extract.places".to_owned(),
            ConfigError::InvalidChallengeText { setting } => (*setting).to_owned(),
            ConfigError::Resource(ResourceError::InvalidIdentifier { .. }) => {
                "resource.identifier".to_owned()
            }
            ConfigError::Resource(ResourceError::InvalidMetadata { .. }) => "resource".to_owned(),
            _ => String::new(),
        };
        self.because(key, error)
    }

    /// Returns the key of a set of static tokens.
    fn static_token(&self, name: &str) -> String {
        let index = self.static_tokens.iter().rposition(|tokens| tokens.name == name);
        index.map_or_else(|| "production".to_owned(), |index| format!("static_token[{index}]"))
    }

    /// Takes the values of variables out of an error.
    pub(super) fn hidden(&self, error: ConfigError) -> ConfigError {
        self.shown.error(error, self.folder())
    }

    /// Says which key an error is about.
    pub(super) fn because(&self, key: String, error: ConfigError) -> ConfigError {
        let position = self.position(&key);
        let error = self.hidden(error);
        SettingError::because(key, error).at(position).in_file(self.file()).into()
    }
}

fn place(settings: &LocationSettings) -> TokenLocation {
    let name = settings.name.as_str();
    let mut place = match settings.kind {
        LocationKind::Header => TokenLocation::header(name),
        LocationKind::Query => TokenLocation::query(name),
        LocationKind::Cookie => TokenLocation::cookie(name),
        LocationKind::WebSocketProtocol => TokenLocation::web_socket_protocol(name),
    };
    if let Some(scheme) = &settings.scheme {
        place = match (settings.exact_scheme, settings.required_scheme) {
            (true, _) => place.exact_scheme(scheme),
            (_, true) => place.required_scheme(scheme),
            _ => place.scheme(scheme),
        };
    }
    if let Some(prefix) = &settings.prefix {
        let is_required = settings.required_prefix;
        place = if is_required { place.required_prefix(prefix) } else { place.prefix(prefix) };
    }
    if settings.repeated_prefix {
        place = place.dangerous_repeated_prefix();
    }
    if settings.trimmed {
        place = place.trimmed();
    }
    if settings.empty_is_absent {
        place = place.empty_is_absent();
    }
    match &settings.issuer {
        Some(issuer) => place.of_issuer(issuer.as_str()),
        None => place,
    }
}

fn resource(settings: &ResourceSettings) -> ProtectedResource {
    let mut resource = ProtectedResource::new(&settings.identifier)
        .scopes_supported(settings.scopes_supported.iter().cloned());
    if let Some(servers) = &settings.authorization_servers {
        resource = resource.authorization_servers(servers.iter().cloned());
    }
    if let Some(name) = &settings.name {
        resource = resource.resource_name(name);
    }
    if let Some(url) = &settings.documentation {
        resource = resource.resource_documentation(url);
    }
    if let Some(url) = &settings.policy_uri {
        resource = resource.resource_policy_uri(url);
    }
    if let Some(url) = &settings.tos_uri {
        resource = resource.resource_tos_uri(url);
    }
    resource
}

fn policy(keys: &KeySettings) -> RefreshPolicy {
    let mut policy = RefreshPolicy::default();
    if let Some(refresh) = keys.refresh {
        policy = policy.refresh(refresh);
    }
    if let Some(min_refresh) = keys.min_refresh {
        policy = policy.min_refresh(min_refresh);
    }
    if let Some(max_refresh) = keys.max_refresh {
        policy = policy.max_refresh(max_refresh);
    }
    if let Some(wait) = keys.wait {
        policy = policy.wait(wait);
    }
    staleness(policy, keys)
}

/// Says how long keys stay usable, which files have in common with URLs.
fn staleness(policy: RefreshPolicy, keys: &KeySettings) -> RefreshPolicy {
    match (keys.unlimited_staleness, keys.max_stale) {
        (true, _) => policy.dangerous_unlimited_staleness(),
        (false, Some(max_stale)) => policy.max_stale(max_stale),
        (false, None) => policy,
    }
}

fn rules(mut issuer: Issuer, settings: &IssuerSettings) -> Issuer {
    let rules = &settings.rules;
    if let Some(leeway) = rules.leeway {
        issuer = issuer.leeway(leeway);
    }
    if let Some(max_age) = rules.max_age {
        issuer = issuer.max_age(max_age);
    }
    if let Some(max_lifetime) = rules.max_lifetime {
        issuer = issuer.max_lifetime(max_lifetime);
    }
    if let Some(subjects) = &rules.subjects {
        issuer = issuer.subjects(subjects.iter().cloned());
    }
    if rules.optional_expiry {
        issuer = issuer.dangerous_optional_expiry();
    }
    if rules.whole_seconds {
        issuer = issuer.whole_seconds();
    }
    if rules.zero_is_no_date {
        issuer = issuer.dangerous_zero_is_no_date();
    }
    if rules.any_token_type {
        issuer = issuer.dangerous_any_token_type();
    }
    if rules.optional_subject {
        issuer = issuer.dangerous_optional_subject();
    }
    if rules.ignore_binding {
        issuer = issuer.dangerous_ignore_binding();
    }
    // After what weakens, because it makes things required again.
    if let Some(profile) = rules.profile {
        issuer = issuer.profile(profile);
    }
    if let Some(types) = &rules.types {
        issuer = issuer.token_types(types.iter().map(|name| token_type(name)));
    }
    issuer.required_claims(rules.required_claims.iter().cloned())
}

fn token_type(name: &str) -> TokenType {
    match name {
        "" => TokenType::Absent,
        "JWT" => TokenType::Jwt,
        "at+jwt" => TokenType::AtJwt,
        other => TokenType::Other(other.to_owned()),
    }
}

/// Returns the algorithms of secrets: each HMAC that is allowed, and HS256 unless they are named.
fn secret_algorithms(settings: &IssuerSettings) -> Vec<Algorithm> {
    let named = settings.algorithms.iter().flatten().copied();
    let mut algorithms: Vec<_> = named.filter(|algorithm| algorithm.is_symmetric()).collect();
    if algorithms.is_empty() {
        algorithms.push(Algorithm::HS256);
    }
    algorithms
}

fn secret_file(
    settings: &IssuerSettings,
    file: &Path,
) -> std::result::Result<SecretFile, FileError> {
    let algorithms = secret_algorithms(settings);
    match settings.keys.short_secrets {
        true => SecretFile::dangerous_read_short(file, algorithms),
        false => SecretFile::read(file, algorithms),
    }
}

fn secret_keys(
    settings: &IssuerSettings,
    secret: &[u8],
) -> std::result::Result<Vec<VerificationKey>, KeyError> {
    let key = |algorithm| match settings.keys.short_secrets {
        true => VerificationKey::dangerous_from_short_secret(secret, algorithm),
        false => VerificationKey::from_secret(secret, algorithm),
    };
    secret_algorithms(settings).into_iter().map(key).collect()
}

fn static_tokens(settings: &StaticTokenSettings) -> Result<StaticTokens> {
    let subject = settings.subject.as_ref().unwrap_or(&settings.name);
    let mut identity = Identity::new(subject).roles(settings.roles.iter().cloned());
    if !settings.scope.is_empty() {
        identity = identity.scope(settings.scope.join(" "));
    }
    let mut builder = StaticTokens::builder(&settings.name).identity(identity);
    builder = settings.tokens.iter().fold(builder, |builder, token| builder.text(token));
    for variable in &settings.variables {
        builder = builder.env_of_format(variable, settings.format);
    }
    for path in &settings.files {
        let file = TokenFile::new(path).format(settings.format);
        builder = builder.file(if settings.optional_files { file.optional() } else { file });
    }
    if let Some(reload_every) = settings.reload_every {
        builder = builder.reload_every(reload_every);
    }
    if let Some(max_stale) = settings.max_stale {
        builder = builder.max_stale(max_stale);
    }
    if settings.read_once { builder.read_once().build() } else { builder.build() }
}
