//! What an engine for production rejects: settings that are for trying out.

use std::{env, ffi::OsStr};

use crate::{Issuer, ProductionError, VariableError};

/// The environment variable that stands for the setting.
const VARIABLE: &str = "PORTCULLIS_PRODUCTION";

/// Tells whether the environment asks for production.
pub(super) fn is_asked_for_by_environment() -> Result<bool, VariableError> {
    is_on(env::var_os(VARIABLE).as_deref())
}

fn is_on(value: Option<&OsStr>) -> Result<bool, VariableError> {
    match value.map(OsStr::to_str) {
        None => Ok(false),
        Some(Some("1" | "true")) => Ok(true),
        Some(Some("" | "0" | "false")) => Ok(false),
        // Whoever has set it meant something: to guess wrong would switch checks off.
        Some(_) => Err(VariableError::Invalid {
            variable: VARIABLE.to_owned(),
            expected: "`1` or `true` for production, `0` or `false` otherwise",
        }),
    }
}

/// Checks all issuers.
pub(super) fn check(issuers: &[Issuer], allows_any: bool) -> Result<(), ProductionError> {
    issuers.iter().try_for_each(|issuer| check_issuer(issuer, allows_any))
}

fn check_issuer(issuer: &Issuer, allows_any: bool) -> Result<(), ProductionError> {
    let name = || issuer.name().to_owned();
    if issuer.is_any() && !allows_any {
        return Err(ProductionError::AnyIssuer { name: name() });
    }
    if issuer.has_any_audience() {
        return Err(ProductionError::AnyAudience { issuer: name() });
    }
    if issuer.has_short_secret() {
        return Err(ProductionError::ShortSecret { issuer: name() });
    }
    for source in issuer.key_sources() {
        check_source(&name(), &**source)?;
    }
    Ok(())
}

fn check_source(issuer: &str, source: &dyn crate::KeySource) -> Result<(), ProductionError> {
    let (issuer, label) = (issuer.to_owned(), source.label().to_owned());
    if source.transport() == crate::KeyTransport::PlainHttp {
        return Err(ProductionError::PlainHttp { issuer, source: label });
    }
    if source.refresh_policy().has_unlimited_staleness() {
        return Err(ProductionError::UnlimitedStaleness { issuer, source: label });
    }
    Ok(())
}

/// Logs a warning for each source whose keys come over plain http from this machine.
pub(super) fn warn_of_loopback(issuers: &[Issuer]) {
    #[cfg(feature = "tracing")]
    for issuer in issuers {
        for source in issuer.key_sources() {
            if source.transport() == crate::KeyTransport::Loopback {
                tracing::warn!(
                    target: "portcullis::keys",
                    issuer = issuer.name(),
                    source = source.label(),
                    "keys come over plain http from this machine, in production"
                );
            }
        }
    }
    #[cfg(not(feature = "tracing"))]
    let _ = issuers;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ConfigError;

    #[test]
    fn the_variable_says_yes_or_no_and_anything_else_is_an_error() {
        for (value, expected) in [
            (None, false),
            (Some(""), false),
            (Some("0"), false),
            (Some("1"), true),
            (Some("true"), true),
        ] {
            assert_eq!(is_on(value.map(OsStr::new)).unwrap(), expected, "{value:?}");
        }
        for value in ["yes", "2", "TRUE", " 1"] {
            let error = is_on(Some(OsStr::new(value))).unwrap_err().to_string();
            assert!(
                error.starts_with("the environment variable `PORTCULLIS_PRODUCTION` "),
                "{error}"
            );
        }
    }

    #[test]
    fn the_variable_makes_an_engine_for_production() {
        const NAME: &str =
            "authenticator::production::tests::the_variable_makes_an_engine_for_production";
        let auth = || {
            let key = crate::VerificationKey::from_secret([7; 32], crate::Algorithm::HS256);
            let issuer = Issuer::new("a").key(key.unwrap()).dangerous_any_audience();
            crate::Authenticator::builder().issuer(issuer).build()
        };
        if env::var_os(VARIABLE).is_some() {
            assert!(matches!(auth(), Err(ConfigError::Production(_))));
            return;
        }
        assert!(!auth().unwrap().is_for_production());
        // The variable is for another process, because tests share one.
        let mut test = std::process::Command::new(env::current_exe().unwrap());
        let status = test.args(["--exact", NAME]).env(VARIABLE, "1").status().unwrap();
        assert!(status.success());
    }
}
