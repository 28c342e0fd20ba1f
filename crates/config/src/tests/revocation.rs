//! `[revocation]`, and what issuers say about it.

use super::*;

const ISSUER: &str =
    "[[issuer]]\nissuer = 'https://a.test'\naudience = ['b']\njwks_uri = 'https://a.test/keys'\n";

/// Returns the key, the message and the help of each mistake, with its line and column.
fn mistakes(text: &str) -> Vec<String> {
    let error = match read(text) {
        Err(errors) => errors.into(),
        Ok(config) => engine(&config).err().unwrap(),
    };
    error.to_string().lines().map(ToOwned::to_owned).collect()
}

#[test]
fn a_store_in_memory_needs_no_feature() {
    let config = read(&format!("{ISSUER}[revocation]\nstore = 'memory:'\n")).unwrap();
    let auth = engine(&config).unwrap();
    assert!(auth.revocations().is_some());
    assert!(engine(&read(ISSUER).unwrap()).unwrap().revocations().is_none());
}

#[test]
fn each_mistake_names_its_place_and_what_is_right() {
    for (section, expected) in [
        ("mode = 'local'", "line 5, column 1: `revocation.store`: it is missing; expected a text"),
        (
            "store = 'revoked.db'",
            "line 6, column 9: `revocation.store`: it is not the URL of a store; expected `memory:`, ",
        ),
        (
            "store = 'mysql://a'",
            "line 6, column 9: `revocation.store`: no store has this scheme; expected `memory:`, ",
        ),
        (
            "store = 'memory:a'",
            "line 6, column 9: `revocation.store`: a store in memory has no name; write `memory:`",
        ),
        (
            "store = 'sqlite:'",
            "line 6, column 9: `revocation.store`: it names no file; write `sqlite:revoked.db` ",
        ),
        (
            "store = 'sqlite://revoked.db'",
            "line 6, column 9: `revocation.store`: the path after `sqlite://` is not absolute; write ",
        ),
        (
            "store = 'sqlite::memory:'",
            "line 6, column 9: `revocation.store`: a database in memory is not kept; write ",
        ),
        (
            "store = 'postgres:orders'",
            "line 6, column 9: `revocation.store`: it names no server; expected `memory:`, ",
        ),
        ("store = 'redis://'", "line 6, column 9: `revocation.store`: it names no server; "),
        ("store = 1", "line 6, column 9: `revocation.store`: found 1; expected a text in quotes"),
        (
            "store = 'memory:'\nmode = 'strikt'",
            "line 7, column 8: `revocation.mode`: found \"strikt\"; did you mean \"strict\"? expected ",
        ),
        (
            "store = 'memory:'\npoll = '1'",
            "line 7, column 8: `revocation.poll`: found \"1\": it has no unit; expected a duration ",
        ),
        (
            "store = 'memory:'\ntimeout = '0s'",
            "line 7, column 11: `revocation.timeout`: it is zero, so no token would be accepted; ",
        ),
        (
            "store = 'memory:'\npoll = '60s'",
            "line 7, column 8: `revocation.poll`: the store would be read less often than ",
        ),
        (
            "store = 'memory:'\nmax_staleness = '1s'",
            "line 7, column 17: `revocation.max_staleness`: the store would be read less often ",
        ),
        (
            "store = 'memory:'\nallow_missing_jti = 'no'",
            "line 7, column 21: `revocation.allow_missing_jti`: found \"no\"; expected `true` or ",
        ),
        (
            "store = 'memory:'\nmax_stalenes = '1m'",
            "line 7, column 1: `revocation.max_stalenes`: unknown key; did you mean \"max_staleness\"? ",
        ),
    ] {
        let found = mistakes(&format!("{ISSUER}[revocation]\n{section}\n"));
        assert!(found.len() == 1 && found[0].starts_with(expected), "{section}\n{found:#?}");
    }
}

#[test]
fn all_mistakes_of_the_section_are_reported_in_their_order() {
    let text = "[revocation]\nstore = 'file:a'\nmode = 'x'\ntimeout = '0ms'\npol = '1s'\n\
                [[issuer]]\nissuer = 'a'\none_time = 1\n";
    let errors = read(text).unwrap_err();
    let found: Vec<_> = errors.errors().iter().map(|e| (e.line().unwrap(), e.key())).collect();
    let expected = [
        (2, "revocation.store"),
        (3, "revocation.mode"),
        (4, "revocation.timeout"),
        (5, "revocation.pol"),
        (8, "issuer[0].one_time"),
    ];
    assert_eq!(found, expected, "{errors}");
}

#[test]
fn a_token_that_may_be_used_once_needs_a_store() {
    let found = mistakes(&format!("{ISSUER}one_time = true\n"));
    let expected = "line 5, column 12: `issuer[0].one_time`: there is no `[revocation]`, so used tokens \
                    would be kept nowhere; name a store in `revocation.store`";
    assert_eq!(found, [expected]);
    let text = format!("{ISSUER}one_time = true\n[revocation]\nstore = 'memory:'\n");
    engine(&read(&text).unwrap()).unwrap();
    let found = mistakes(&format!("{ISSUER}one_time = true\ndangerous_optional_expiry = true\n"));
    let expected =
        "line 5, column 12: `issuer[0].one_time`: it contradicts `dangerous_optional_expiry`";
    assert!(found.iter().any(|found| found.starts_with(expected)), "{found:#?}");
}

#[test]
fn a_jti_that_is_needed_cannot_be_declined_by_an_issuer() {
    let declined = format!("{ISSUER}require_jti = false\n");
    let found = mistakes(&format!("{declined}[revocation]\nstore = 'memory:'\n"));
    let expected = "line 5, column 15: `issuer[0].require_jti`: `[revocation]` requires a `jti` of all issuers";
    assert!(found.len() == 1 && found[0].starts_with(expected), "{found:#?}");
    let allowed = "[revocation]\nstore = 'memory:'\nallow_missing_jti = true\n";
    engine(&read(&format!("{declined}{allowed}")).unwrap()).unwrap();
    let found = mistakes(&format!("{declined}one_time = true\n{allowed}"));
    let expected =
        "line 5, column 15: `issuer[0].require_jti`: a token without `jti` cannot be used once";
    assert!(found.len() == 1 && found[0].starts_with(expected), "{found:#?}");
}

/// The features of this build, and a URL for each.
const URLS: [(bool, &str, &str); 3] = [
    (cfg!(feature = "sqlite"), "sqlite", "sqlite:revoked.db"),
    (cfg!(feature = "postgres"), "postgres", "postgresql://orders:hunter2pass@db.test/orders"),
    (cfg!(feature = "redis"), "redis", "rediss://:hunter2pass@cache.test"),
];

#[test]
fn a_url_whose_feature_is_off_names_the_feature() {
    for (_, feature, url) in URLS.into_iter().filter(|(is_on, ..)| !is_on) {
        let found = mistakes(&format!("{ISSUER}[revocation]\nstore = '{url}'\n"));
        let expected = format!(
            "line 6, column 9: `revocation.store`: this program was built without the feature `{feature}`"
        );
        assert!(found.len() == 1 && found[0].starts_with(&expected), "{found:#?}");
        assert!(!found[0].contains("hunter2pass"), "{found:#?}");
    }
}

#[test]
fn a_url_whose_feature_is_on_builds_an_engine_and_is_shown_nowhere() {
    for (_, _, url) in URLS.into_iter().filter(|(is_on, ..)| *is_on) {
        let config = read(&format!("{ISSUER}[revocation]\nstore = '{url}'\n")).unwrap();
        let builder = config.builder().unwrap();
        let shown = format!("{builder:?} {builder:#?} {config:?}");
        assert!(!shown.contains("hunter2pass"), "{shown}");
        let auth = builder.build().unwrap();
        let shown = format!("{auth:?} {:?} {:?}", auth.revocations(), auth.revocation_status());
        assert!(!shown.contains("hunter2pass"), "{shown}");
    }
}

#[test]
fn no_mistake_in_a_url_shows_its_password() {
    for url in [
        "hunter2pass",
        "postgre://u:hunter2pass@h",
        "postgres:u:hunter2pass@h",
        "postgres://u:hunter2pass@h:99999/d",
        "postgres://u:hunter2pass@h/d?sslmode=hunter2pass",
        "redis://:hunter2pass@h:99999",
        "redis://:hunter2pass@h/notanumber",
        "memory:hunter2pass",
        "sqlite://hunter2pass/a.db",
    ] {
        for rest in ["", "[extract]\nplaces = ['nowhere']\n"] {
            let text = format!("{ISSUER}[revocation]\nstore = '{url}'\n{rest}");
            let shown = match read(&text) {
                Err(errors) => format!("{errors} {errors:?} {errors:#?}"),
                Ok(config) => match engine(&config) {
                    Err(error) => format!("{error} {error:?} {error:#?}"),
                    Ok(auth) => format!("{auth:?}"),
                },
            };
            assert!(!shown.contains("hunter2pass"), "{url}\n{shown}");
        }
    }
}

#[test]
fn the_engines_of_a_configuration_share_its_store() {
    use portcullis::revocation::{Revocation, Revoked};

    let config = read(&format!("{ISSUER}[revocation]\nstore = 'memory:'\n")).unwrap();
    let [one, other] = [(); 2].map(|()| engine(&config).unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let entry = Revocation::new("https://a.test", Revoked::Session("s".into()));
    runtime.block_on(one.revoke(&[entry])).unwrap();
    assert_eq!(other.revocation_status().unwrap().entries, 1);
}
