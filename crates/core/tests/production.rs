//! What an engine for production rejects: each setting with an error of its own.

#![expect(clippy::unwrap_used, reason = "this is a test")]

use portcullis::{
    Algorithm, Authenticator, AuthenticatorBuilder, ConfigError, Issuer, Requirement,
    VerificationKey,
    adapter::{Admission, RequestView},
    error::{KeySourceConfigError, ProductionError},
};

const PEM: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n";

fn issuer() -> Issuer {
    Issuer::new("https://idp.test").audience("orders").key(VerificationKey::from_pem(PEM).unwrap())
}

fn with(issuer: Issuer) -> AuthenticatorBuilder {
    Authenticator::builder().issuer(issuer)
}

/// Checks that an issuer is rejected in production alone, and says so by these words.
fn rejects(issuer: Issuer, expected: &[&str]) {
    assert!(with(issuer.clone()).build().is_ok(), "{expected:?}");
    let error = with(issuer).production().build().unwrap_err();
    assert!(matches!(error, ConfigError::Production(_)), "{error}");
    let text = error.to_string();
    assert!(expected.iter().all(|words| text.contains(words)), "{text}");
}

/// A request without anything.
struct Empty;

impl RequestView for Empty {
    fn field_values<'r>(&'r self, _: &str, _: &mut dyn FnMut(&'r [u8])) {}

    fn query(&self) -> Option<&str> {
        None
    }

    fn method(&self) -> &str {
        "GET"
    }

    fn authority(&self) -> Option<&str> {
        None
    }
}

#[test]
fn what_is_safe_is_built() {
    let auth = with(issuer()).production().build().unwrap();
    assert!(auth.is_for_production());
    let secret = VerificationKey::from_secret([7; 32], Algorithm::HS256).unwrap();
    assert!(with(issuer().key(secret)).production().build().is_ok());
}

#[test]
fn rejects_an_issuer_without_an_audience() {
    rejects(issuer().dangerous_any_audience(), &["`dangerous_any_audience`", "set `audience`"]);
}

#[test]
fn rejects_an_issuer_that_is_nobody() {
    let key = VerificationKey::from_pem(PEM).unwrap();
    let issuer = Issuer::dangerous_any("internal").key(key).audience("orders");
    rejects(issuer, &["`internal`", "`dangerous_any_issuer`", "write an `iss`"]);
}

#[test]
fn an_issuer_that_is_nobody_needs_leave_and_an_audience_all_the_same() {
    let key = VerificationKey::from_pem(PEM).unwrap();
    let issuer = Issuer::dangerous_any("internal").key(key);
    let build = |issuer| with(issuer).production().dangerous_any_issuer_in_production().build();
    assert!(build(issuer.clone().audience("orders")).unwrap().is_for_production());
    let error = build(issuer.dangerous_any_audience()).unwrap_err().to_string();
    assert!(error.contains("`dangerous_any_audience`"), "{error}");
}

#[test]
fn rejects_a_secret_that_is_too_short_however_it_is_passed_on() {
    let secret =
        || VerificationKey::dangerous_from_short_secret([7; 31], Algorithm::HS256).unwrap();
    let expected = ["`dangerous_short_secrets`", "at least 32 random bytes"];
    rejects(issuer().key(secret()), &expected);
    rejects(issuer().key(secret().key_id("1").unwrap()), &expected);
    rejects(issuer().key(secret().algorithm(Algorithm::HS256).unwrap()), &expected);
    let long = VerificationKey::dangerous_from_short_secret([7; 32], Algorithm::HS256).unwrap();
    assert!(with(issuer().key(long)).production().build().is_ok());
}

#[cfg(feature = "remote")]
#[test]
fn rejects_plain_http_unless_from_this_machine() {
    use portcullis::keys::RemoteJwkSet;

    let expected = ["`dangerous_allow_http`", "use https"];
    for url in ["http://idp.test/keys", "https://idp.test/keys", "http://127.0.0.1/keys"] {
        let source = RemoteJwkSet::new(url).dangerous_allow_http();
        rejects(Issuer::new("a").audience("b").key_source(source), &expected);
        let source = RemoteJwkSet::discover(url).dangerous_allow_http();
        rejects(Issuer::new(url).audience("b").key_source(source), &expected);
    }
    // Without that word it is rejected everywhere.
    let error = with(Issuer::discover("http://idp.test").audience("b")).build().unwrap_err();
    assert!(
        matches!(error, ConfigError::KeySource(KeySourceConfigError::InvalidLocation { .. })),
        "{error}"
    );
    assert!(expected.iter().all(|words| error.to_string().contains(words)), "{error}");
    for url in ["https://idp.test/keys", "http://127.0.0.1:8080/keys", "http://localhost/keys"] {
        let issuer = Issuer::new("a").audience("b").jwk_set_uri(url);
        assert!(with(issuer).production().build().is_ok(), "{url}");
    }
}

#[cfg(feature = "remote")]
#[test]
fn rejects_keys_that_stay_for_ever() {
    use portcullis::keys::{JwkSetFile, RefreshPolicy, RemoteJwkSet};

    let policy = || RefreshPolicy::default().dangerous_unlimited_staleness();
    let expected = ["`dangerous_unlimited_staleness`", "set `max_stale`"];
    let issuer = || Issuer::new("a").audience("b");
    let source = RemoteJwkSet::new("https://idp.test/keys").refresh_policy(policy());
    rejects(issuer().key_source(source), &expected);
    rejects(issuer().key_source(JwkSetFile::new("keys").refresh_policy(policy())), &expected);
}

#[test]
fn rejects_requests_without_a_caller() {
    let auth = with(issuer()).production().build().unwrap();
    for (admission, expected) in [
        (Admission::Optional, ProductionError::OptionalCredentials),
        (Admission::DangerousFailed, ProductionError::FailedCredentials),
    ] {
        let error = auth.clone().try_with_admission(admission).unwrap_err();
        assert!(matches!(&error, ConfigError::Production(found) if *found == expected));
        // A layer cannot stop the program, so it is overruled.
        assert!(!auth.clone().with_admission(admission).authenticate_now(&Empty).admits_anonymous);
    }
    let optional = || Requirement::issuer("https://idp.test").optional();
    assert!(matches!(
        auth.with_requirement(optional()),
        Err(ConfigError::Production(ProductionError::OptionalCredentials))
    ));

    let free = with(issuer()).build().unwrap();
    assert!(
        free.with_admission(Admission::DangerousFailed).authenticate_now(&Empty).admits_anonymous
    );
}

#[test]
fn requests_without_credentials_can_be_allowed_and_bad_ones_cannot() {
    let auth = with(issuer()).production().optional_credentials().build().unwrap();
    assert!(auth.clone().try_with_admission(Admission::DangerousFailed).is_err());
    let failed = auth.clone().with_admission(Admission::DangerousFailed);
    assert!(!failed.authenticate_now(&Empty).admits_anonymous);
    assert!(auth.clone().with_requirement(Requirement::any_issuer().optional()).is_ok());
    let optional = auth.try_with_admission(Admission::Optional).unwrap();
    assert!(optional.authenticate_now(&Empty).admits_anonymous);
}

#[test]
fn a_route_that_is_declared_public_admits_requests_without_a_caller() {
    let engine = || with(issuer()).production();
    for builder in [engine(), engine().optional_credentials()] {
        let verdict = builder.build().unwrap().authenticate_now(&Empty);
        assert!(!verdict.admits_anonymous);
        assert!(verdict.for_public_route().admits_anonymous);
    }
}
