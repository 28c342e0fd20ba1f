//! A grant that a function of the application makes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops there")]

use portcullis::{AuthErrorKind, Authenticator, Grant, GrantMapping};
use portcullis_testkit::TestIssuer;

fn engine(issuer: &TestIssuer, mapping: GrantMapping) -> Authenticator {
    let trusted = issuer.trusted().grant_mapping(mapping);
    Authenticator::builder().issuer(trusted).audience("a").build().unwrap()
}

#[test]
fn it_may_use_another_engine_that_has_a_function_too() {
    let issuer = TestIssuer::new("https://idp.test");
    let token = issuer.token().audience("a").build();
    let inner =
        engine(&issuer, GrantMapping::from_fn(|_| Ok(Grant::builder().roles(["inner"]).build())));
    let nested = token.clone();
    let outer = engine(
        &issuer,
        GrantMapping::from_fn(move |_| {
            let caller = inner.authenticate_token_now(&nested)?;
            Ok(Grant::builder().roles(["outer"].into_iter().chain(caller.grant().roles())).build())
        }),
    );
    let caller = outer.authenticate_token_now(&token).unwrap();
    assert!(caller.grant().has_role("outer") && caller.grant().has_role("inner"));
}

#[test]
fn one_that_calls_itself_or_panics_rejects_the_request_and_no_later_one() {
    let issuer = TestIssuer::new("https://idp.test");
    let token = |subject: &str| issuer.token().audience("a").subject(subject).build();
    let auth = engine(
        &issuer,
        GrantMapping::from_fn(|caller| match caller.subject() {
            "loop" => caller.standard_grant(),
            "panic" => panic!("a fault of the application"),
            _ => Ok(Grant::default()),
        }),
    );
    for subject in ["loop", "panic"] {
        let error = auth.authenticate_token_now(&token(subject)).unwrap_err();
        assert_eq!(error.kind(), AuthErrorKind::InternalError, "{subject}");
        assert!(auth.authenticate_token_now(&token("alice")).is_ok(), "after {subject}");
    }
}
