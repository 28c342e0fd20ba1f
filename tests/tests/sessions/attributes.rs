//! The cookie, as another library reads it.

use std::time::Duration;

use conformance::{AUDIENCE, NOW};
use cookie::{Cookie, SameSite};
use portcullis::revocation::{CookieAttributes, EndpointError, MemoryStore};
use portcullis::{Algorithm, Authenticator, Issuer, TokenLocation, keys::SigningKey};
use portcullis_mint::{
    Minter,
    session::{SessionError, Sessions},
};
use serde_json::json;

use super::{
    http::Request,
    servers::{LEAVE, LOGIN, WHO},
    world::{OWN, Setup, set_cookies, worlds_with},
};

/// Parses the fields of a response.
fn parsed(values: &[&str]) -> Vec<Cookie<'static>> {
    values.iter().map(|value| Cookie::parse((*value).to_owned()).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn another_library_reads_the_attributes_that_were_set() {
    let plain = CookieAttributes::new("plain").path("/app").domain("app.test");
    for (cookie, name, path, domain, secure) in [
        (CookieAttributes::session("session"), "__Host-session", "/", None, true),
        (CookieAttributes::session("session").path("/app"), "session", "/app", None, true),
        (CookieAttributes::session("session").dangerous_insecure(), "session", "/", None, false),
        (CookieAttributes::new("_token"), "_token", "/", None, true),
        (plain, "plain", "/app", Some("app.test"), true),
    ] {
        let setup = || Setup { cookie: cookie.clone(), ..Setup::default() };
        for world in worlds_with(setup, |sessions| sessions).await {
            let check = |values: &[&str], max_age: u64| -> String {
                let cookies = parsed(values);
                let [cookie] = cookies.as_slice() else { panic!("{values:?}") };
                assert_eq!((cookie.name(), cookie.path()), (name, Some(path)));
                assert_eq!(cookie.domain(), domain);
                assert_eq!(cookie.secure().unwrap_or_default(), secure);
                assert_eq!(cookie.http_only(), Some(true));
                assert_eq!(cookie.same_site(), Some(SameSite::Lax));
                let age = cookie.max_age().unwrap();
                assert_eq!(Duration::try_from(age).unwrap(), Duration::from_secs(max_age));
                cookie.value().to_owned()
            };
            let token = check(&set_cookies(&world.send(Request::post(LOGIN)).await), 3600);
            assert_eq!(world.judge(&token).await.as_deref(), Ok("alice"));
            world.clock.advance(Duration::from_secs(3000));
            let renewed = check(&set_cookies(&world.get(WHO, &token).await), 3600);
            assert_eq!(world.judge(&renewed).await.as_deref(), Ok("alice"));
            let request = world.with(Request::post(LEAVE), &renewed);
            assert_eq!(check(&set_cookies(&world.send(request).await), 0), "");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_cookie_of_a_session_lives_as_long_as_its_token() {
    let age = Duration::from_secs(4000);
    for world in worlds_with(Setup::default, |sessions| sessions.max_session_age(age)).await {
        let token = world.login().await;
        world.clock.advance(Duration::from_secs(3000));
        let response = world.get(WHO, &token).await;
        let cookies = parsed(&set_cookies(&response));
        assert_eq!(cookies[0].max_age().unwrap().whole_seconds(), 1000);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_of_an_older_version_is_removed_with_each_change() {
    let setup =
        || Setup { cookie: CookieAttributes::session("session").path("/app"), ..Setup::default() };
    let old = || CookieAttributes::new("session");
    for world in worlds_with(setup, |sessions| sessions.remove_old_cookie(old())).await {
        let expect_both = |values: &[&str], is_removed: bool| {
            let mut cookies = parsed(values);
            cookies.sort_by_key(|cookie| cookie.path() == Some("/"));
            let [own, old] = cookies.as_slice() else { panic!("{values:?}") };
            assert_eq!((own.path(), old.path()), (Some("/app"), Some("/")));
            assert_eq!((own.name(), old.name()), ("session", "session"));
            assert_eq!(own.max_age().unwrap().is_zero(), is_removed);
            assert!(old.max_age().unwrap().is_zero());
        };
        let response = world.send(Request::post(LOGIN)).await;
        expect_both(&set_cookies(&response), false);
        let token = world.new_token(&response).unwrap();
        world.expect_kept(&world.get(WHO, &token).await, 200, "alice", "not due");
        world.clock.advance(Duration::from_secs(3000));
        expect_both(&set_cookies(&world.get(WHO, &token).await), false);
        // The browser sends both.
        let request = world.with(Request::new("GET", WHO), &format!("{token}; session=old"));
        expect_both(&set_cookies(&world.send(request).await), true);
        expect_both(&set_cookies(&world.get(WHO, "invalid").await), true);
        let request = world.with(Request::post(LEAVE), &token);
        expect_both(&set_cookies(&world.send(request).await), true);
    }
}

#[test]
fn mistakes_are_errors_that_say_what_to_change() {
    let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
    let auth = |location: TokenLocation| {
        let issuer = Issuer::new(OWN).key(key.verification_key().unwrap());
        Authenticator::builder().issuer(issuer).audience(AUDIENCE).locations([location])
    };
    let minter = || Minter::new(key.clone()).issuer(OWN);
    let cookie = || CookieAttributes::session("session");
    let plain = auth(TokenLocation::cookie("session")).build().unwrap();
    let error = Sessions::builder(&plain, minter(), cookie()).build().unwrap_err();
    assert!(matches!(&error, SessionError::CookieNotRead { name } if name == "__Host-session"));
    assert!(error.to_string().contains("`__Host-session`"), "{error}");

    let good = auth(cookie().location()).build().unwrap();
    let error = Sessions::builder(&good, Minter::new(key.clone()), cookie()).build().unwrap_err();
    assert!(matches!(error, SessionError::NoIssuer));
    let unnamed = Sessions::builder(&good, Minter::new(key.clone()), cookie());
    assert!(unnamed.dangerous_without_issuer().build().is_ok());
    let sessions = || Sessions::builder(&good, minter(), cookie());
    let error = sessions().once_across_replicas().build().unwrap_err();
    assert!(matches!(error, SessionError::NoReplayStore));
    let shared = auth(cookie().location()).replay_store(MemoryStore::new()).build().unwrap();
    let shared = Sessions::builder(&shared, minter(), cookie()).once_across_replicas().build();
    assert!(shared.is_ok());
    let error = sessions().remove_old_cookie(CookieAttributes::new("a b")).build().unwrap_err();
    let invalid = |name| EndpointError::InvalidCookie { attribute: name };
    assert!(matches!(error, SessionError::Cookie(error) if error == invalid("name")));

    let sessions = sessions().build().unwrap();
    let error = sessions.start(&json!({"sub": "a".repeat(4096)})).unwrap_err();
    assert!(matches!(error, SessionError::Cookie(error) if error == invalid("value")));
    let error =
        sessions.start(&json!({"sub": "alice", "auth_time": NOW - 800_000_000})).unwrap_err();
    assert!(matches!(error, SessionError::TooOld { .. }));
    assert!(matches!(sessions.start(&json!("alice")), Err(SessionError::Mint(_))));
    let error = sessions.start(&json!({"sub": "alice", "auth_time": "today"})).unwrap_err();
    assert!(matches!(error, SessionError::Mint(_)));
}
