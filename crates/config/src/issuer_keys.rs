//! The keys of an issuer: where they come from, and when they are fetched.

use std::{env, path::Path, time::Duration};

use portcullis::{
    Algorithm, ConfigError, Issuer, JwkSet, VerificationKey,
    error::{FileError, KeyError, VariableError},
    keys::{JwkSetFile, KeySource, PemFile, RefreshPolicy, RemoteJwkSet, SecretFile},
};

use crate::{apply::Applying, issuer::algorithms, section::Section};

pub(crate) fn apply(mut issuer: Issuer, section: &Section, applying: &Applying<'_>) -> Issuer {
    if section.flag("discovery") {
        let source = RemoteJwkSet::discover(crate::issuer::name(section));
        issuer = remote(issuer, source, "discovery", section, applying);
    }
    for uri in section.texts("jwks_uri") {
        issuer = remote(issuer, RemoteJwkSet::new(uri), "jwks_uri", section, applying);
    }
    type FromFile = fn(Issuer, &Path, &Section, &Applying<'_>) -> Result<Issuer, ConfigError>;
    let kinds: [(&str, FromFile); 3] =
        [("jwks_file", jwks_file), ("pem_file", pem_file), ("secret_file", secret_file)];
    for (key, add) in kinds {
        for file in section.texts(key) {
            // An issuer without this file goes on, so that the mistakes in others are found too.
            match add(issuer.clone(), &applying.path(file), section, applying) {
                Ok(with_file) => issuer = with_file,
                Err(error) => applying.reject(section, key, error),
            }
        }
    }
    for variable in section.texts("secret_env") {
        match secret_of(variable, section) {
            Ok(keys) => issuer = keys.into_iter().fold(issuer, Issuer::key),
            Err(error) => applying.reject(section, "secret_env", error),
        }
    }
    issuer
}

fn remote(
    issuer: Issuer,
    source: RemoteJwkSet,
    key: &str,
    section: &Section,
    applying: &Applying<'_>,
) -> Issuer {
    let mut source = source.refresh_policy(policy(section));
    if let Some(timeout) = section.duration("timeout") {
        source = source.timeout(timeout);
    }
    if section.flag("dangerous_allow_http") {
        source = source.dangerous_allow_http();
    }
    if let Err(error) = source.check() {
        applying.reject(section, key, error);
    }
    issuer.key_source(source)
}

fn jwks_file(
    issuer: Issuer,
    file: &Path,
    section: &Section,
    applying: &Applying<'_>,
) -> Result<Issuer, ConfigError> {
    if applying.files_are_fixed() {
        return Ok(issuer.jwk_set(&JwkSet::from_file(file)?));
    }
    let source = JwkSetFile::read(file)?;
    let policy = staleness(KeySource::refresh_policy(&source), section);
    Ok(issuer.key_source(source.refresh_policy(policy)))
}

fn pem_file(
    issuer: Issuer,
    file: &Path,
    section: &Section,
    applying: &Applying<'_>,
) -> Result<Issuer, ConfigError> {
    // Keys without an id are not used from what is watched, where ids alone count.
    if applying.files_are_fixed() || section.flag("match_key_ids") {
        return Ok(issuer.key(VerificationKey::from_pem_file(file)?));
    }
    let source = PemFile::read(file)?;
    let policy = staleness(KeySource::refresh_policy(&source), section);
    Ok(issuer.key_source(source.refresh_policy(policy)))
}

fn secret_file(
    issuer: Issuer,
    file: &Path,
    section: &Section,
    applying: &Applying<'_>,
) -> Result<Issuer, ConfigError> {
    let source = read_secret(file, section)?;
    // As with PEM files: keys without an id are not used from what is watched.
    if applying.files_are_fixed() || section.flag("match_key_ids") {
        return Ok(source.keys().cloned().fold(issuer, Issuer::key));
    }
    let policy = staleness(KeySource::refresh_policy(&source), section);
    Ok(issuer.key_source(source.refresh_policy(policy)))
}

fn read_secret(file: &Path, section: &Section) -> Result<SecretFile, FileError> {
    match section.flag("dangerous_short_secrets") {
        true => SecretFile::dangerous_read_short(file, secret_algorithms(section)),
        false => SecretFile::read(file, secret_algorithms(section)),
    }
}

fn secret_of(variable: &str, section: &Section) -> Result<Vec<VerificationKey>, ConfigError> {
    let missing = |_| VariableError::Missing { variable: variable.to_owned() };
    let secret = env::var(variable).map_err(missing)?;
    let key = |algorithm| match section.flag("dangerous_short_secrets") {
        true => VerificationKey::dangerous_from_short_secret(&secret, algorithm),
        false => VerificationKey::from_secret(&secret, algorithm),
    };
    let keys: Result<_, KeyError> = secret_algorithms(section).into_iter().map(key).collect();
    Ok(keys?)
}

/// Returns the algorithms of secrets: each HMAC that is allowed, and HS256 unless they are named.
fn secret_algorithms(section: &Section) -> Vec<Algorithm> {
    let mut algorithms = algorithms(section.texts("algorithms"));
    algorithms.retain(|algorithm| algorithm.is_symmetric());
    if algorithms.is_empty() {
        algorithms.push(Algorithm::HS256);
    }
    algorithms
}

fn policy(section: &Section) -> RefreshPolicy {
    type Set = fn(RefreshPolicy, Duration) -> RefreshPolicy;
    let settings: [(&str, Set); 4] = [
        ("refresh", RefreshPolicy::refresh),
        ("min_refresh", RefreshPolicy::min_refresh),
        ("max_refresh", RefreshPolicy::max_refresh),
        ("wait", RefreshPolicy::wait),
    ];
    let policy = settings.into_iter().fold(RefreshPolicy::default(), |policy, (key, set)| {
        match section.duration(key) {
            Some(duration) => set(policy, duration),
            None => policy,
        }
    });
    staleness(policy, section)
}

/// Sets how long keys stay usable, which files have in common with URLs.
fn staleness(policy: RefreshPolicy, section: &Section) -> RefreshPolicy {
    match (section.flag("dangerous_unlimited_staleness"), section.duration("max_stale")) {
        (true, _) => policy.dangerous_unlimited_staleness(),
        (false, Some(max_stale)) => policy.max_stale(max_stale),
        (false, None) => policy,
    }
}
