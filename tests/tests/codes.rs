//! Every kind of rejection: what reaches it, and what the caller is told.

#![expect(clippy::unwrap_used, reason = "what is no test function here runs in tests alone")]

use std::collections::{BTreeMap, BTreeSet};

use conformance::{
    Outcome, Setting, hostile,
    rejections::{REJECTIONS, Told, told_with},
    trusting,
};
use portcullis::{
    AuthError, AuthErrorKind, Policy, Rejection,
    adapter::{Authenticated, Challenge},
    policy::{self, all_scopes, any_role, any_scope, claim, role, scope},
};

/// Reached by a policy on a handler, whatever the token is.
const BY_POLICY: [AuthErrorKind; 4] = [
    AuthErrorKind::InsufficientScope,
    AuthErrorKind::InsufficientRole,
    AuthErrorKind::NotPermitted,
    AuthErrorKind::InternalError,
];

/// Reached where a function of the application says so: it knows its users, the engine does not.
const BY_APPLICATION: [AuthErrorKind; 5] = [
    AuthErrorKind::SubjectUnknown,
    AuthErrorKind::SubjectDisabled,
    AuthErrorKind::ActorDisabled,
    AuthErrorKind::ReauthenticationRequired,
    AuthErrorKind::ResolverUnavailable,
];

/// Reached with a source of keys that can fail, with tenants that are looked up, or with a store of revoked
/// and used tokens: with static keys only a function of the application can say so.
const BY_SOURCE_OR_STORE: [AuthErrorKind; 5] = [
    AuthErrorKind::IssuerNotLookedUp,
    AuthErrorKind::KeysUnavailable,
    AuthErrorKind::TokenRevoked,
    AuthErrorKind::TokenReplayed,
    AuthErrorKind::StoreUnavailable,
];

/// The parameters of a challenge as they stand on the wire, or `None` where nothing is asked.
fn expected_challenge(kind: AuthErrorKind) -> (u16, Option<String>) {
    let Told { status, error, description, .. } = told_with(kind.code());
    let value = match (status, error) {
        (500 | 503, _) | (403, "") => None,
        (_, "") => Some("Bearer".to_owned()),
        _ => Some(format!(r#"Bearer error="{error}", error_description="{description}""#)),
    };
    (status, value)
}

/// Compares what the caller is told, and returns the kind.
#[track_caller]
fn assert_challenge(what: &str, error: &AuthError, parameters: &str) -> AuthErrorKind {
    let kind = error.kind();
    let challenge = Challenge::from(error);
    let (status, value) = expected_challenge(kind);
    let value = value.map(|value| value + parameters);
    assert_eq!(challenge.code(), kind.code(), "{what}");
    assert_eq!((challenge.status(), challenge.www_authenticate()), (status, value), "{what}");
    assert_eq!(challenge.retry_after().is_some(), status == 503, "{what}");
    kind
}

fn names(kinds: impl IntoIterator<Item = AuthErrorKind>) -> BTreeSet<&'static str> {
    kinds.into_iter().map(AuthErrorKind::code).collect()
}

/// The kinds that a token or a request alone brings about, found by the table of hostile rows.
fn reached_by_the_table() -> BTreeSet<&'static str> {
    let rows = hostile::rejected(&Setting::new());
    let judged = rows.iter().map(|row| (row.name(), row.judge()));
    let kinds = judged.filter_map(|(name, outcome)| match outcome {
        Outcome::Rejected(error) => Some(assert_challenge(name, &error, "")),
        _ => None,
    });
    names(kinds)
}

#[test]
fn every_kind_is_reached_by_the_table_by_a_policy_or_by_those_named_here() {
    let mut reached = reached_by_the_table();
    for (what, named) in [
        ("a policy", &BY_POLICY[..]),
        ("the application", &BY_APPLICATION),
        ("a source or store", &BY_SOURCE_OR_STORE),
    ] {
        for code in names(named.iter().copied()) {
            assert!(reached.insert(code), "{code} is reached without {what}");
        }
    }
    assert_eq!(reached, names(AuthErrorKind::ALL.iter().copied()));
    println!(
        "codes: {} of {} reached by tokens and requests alone",
        AuthErrorKind::ALL.len()
            - BY_POLICY.len()
            - BY_APPLICATION.len()
            - BY_SOURCE_OR_STORE.len(),
        AuthErrorKind::ALL.len()
    );
}

#[test]
fn every_kind_has_one_row_of_its_own() {
    let codes: Vec<_> = REJECTIONS.iter().map(|told| told.code).collect();
    let all: Vec<_> = AuthErrorKind::ALL.iter().map(|kind| kind.code()).collect();
    assert_eq!(codes, all);
    assert_eq!(names(AuthErrorKind::ALL.iter().copied()).len(), all.len());
}

fn alice(setting: &Setting) -> Authenticated {
    setting.plain.authenticate_token_now(&setting.valid().roles(["clerk"]).build()).unwrap()
}

#[test]
fn policies_reach_the_kinds_that_are_theirs() {
    let setting = Setting::new();
    let caller = alice(&setting);
    let check = |policy: &Policy| policy.check(caller.principal(), caller.grant());
    let mut reached = BTreeSet::new();
    for (policy, code, parameters) in [
        (scope("orders:write"), "insufficient_scope", r#", scope="orders:write""#),
        (
            all_scopes(["orders:read", "orders:write"]),
            "insufficient_scope",
            r#", scope="orders:read orders:write""#,
        ),
        (any_scope(["a", "b"]), "insufficient_scope", r#", scope="a""#),
        (scope("a\"b\\"), "insufficient_scope", r#", scope="a\"b\\""#),
        (scope("a").and(scope("b")), "insufficient_scope", r#", scope="a b""#),
        // Rules that say nothing never allow, and neither do their opposites.
        (scope("a\r\nb"), "internal_error", ""),
        (scope("orders:read orders:read").not(), "internal_error", ""),
        (all_scopes(<[&str; 0]>::default()), "internal_error", ""),
        (any_scope(<[&str; 0]>::default()).not(), "internal_error", ""),
        (any_role(<[&str; 0]>::default()).not(), "internal_error", ""),
        (claim("x", BTreeMap::from([((1, 2), 3)])).not(), "internal_error", ""),
        (role("admin"), "insufficient_role", ""),
        (any_role(["admin", "auditor"]), "insufficient_role", ""),
        (role("admin").or(scope("orders:write")), "insufficient_role", ""),
        (scope("orders:read").and(role("admin")), "insufficient_role", ""),
        (claim("tenant", "acme"), "not_permitted", ""),
        (claim("sub", ["alice"]), "not_permitted", ""),
        (policy::grant(|_| false), "not_permitted", ""),
        (role("clerk").not(), "not_permitted", ""),
    ] {
        let what = format!("{policy:?}");
        let rejected = check(&policy).expect_err(&what);
        assert_eq!(rejected.kind().code(), code, "{what}");
        reached.insert(assert_challenge(&what, &rejected, parameters).code());
    }
    assert_eq!(reached, names(BY_POLICY));
    for policy in [
        scope("orders:read"),
        any_scope(["a", "orders:read"]),
        role("clerk"),
        role("admin").not(),
        claim("sub", "alice"),
        role("admin").or(scope("orders:read")),
    ] {
        check(&policy).unwrap_or_else(|error| panic!("{policy:?}: {error}"));
    }
}

/// An application may say any kind: where it makes the grant, and where it decides on a handler.
#[test]
fn functions_of_the_application_reach_every_kind() {
    let setting = Setting::new();
    let (token, caller) = (setting.valid().build(), alice(&setting));
    for &kind in AuthErrorKind::ALL {
        let engine = trusting(setting.issuer.trusted())
            .with_grant_from(move |_| -> Result<(), AuthError> { Err(kind.into()) })
            .build()
            .unwrap();
        let rejected = engine.authenticate_token_now(&token).expect_err("a rejection");
        // There were credentials, whatever the function says.
        let told = match kind {
            AuthErrorKind::NoCredentials => AuthErrorKind::NotPermitted,
            kind => kind,
        };
        assert_eq!(assert_challenge("the grant", &rejected, ""), told);
        let policy: Policy = policy::check(move |_, _| Err(kind.into()));
        let rejected = policy.check(caller.principal(), caller.grant()).expect_err("a rejection");
        assert_eq!(assert_challenge("the policy", &rejected, ""), kind);
    }
}

/// No answer may turn into a yes, and none into a mere no.
#[test]
fn a_rule_that_cannot_tell_is_neither_mended_nor_negated() {
    let setting = Setting::new();
    let caller = alice(&setting);
    let a_no = names([
        AuthErrorKind::InsufficientScope,
        AuthErrorKind::InsufficientRole,
        AuthErrorKind::NotPermitted,
        AuthErrorKind::ReauthenticationRequired,
    ]);
    for &kind in AuthErrorKind::ALL {
        let rule = || policy::check(move |_, _| Err(kind.into()));
        let check = |policy: Policy| {
            policy.check(caller.principal(), caller.grant()).map_err(|error| error.kind())
        };
        let expected = if a_no.contains(kind.code()) { Ok(()) } else { Err(kind) };
        assert_eq!(check(rule().not()), expected, "{kind:?} not");
        assert_eq!(check(rule().or(scope("orders:write"))), Err(kind), "{kind:?} or no");
        // Not known is what the token says, and nothing else: the other rule may still allow.
        let known = kind != AuthErrorKind::ClaimNotIncluded;
        let expected = if known { expected } else { Ok(()) };
        assert_eq!(check(rule().or(scope("orders:read"))), expected, "{kind:?} or");
    }
}

#[test]
fn a_challenge_names_the_realm_and_the_metadata_of_the_engine() {
    let setting = Setting::new();
    let engine = trusting(setting.issuer.trusted())
        .realm("orders \"eu\"")
        .resource_metadata("https://api.test/.well-known/oauth-protected-resource")
        .build()
        .unwrap();
    let rejected = engine.authenticate_token_now(&setting.valid().expired().build()).unwrap_err();
    let challenge = |error: &AuthError| {
        let rejection = Rejection::new(error.clone(), engine.challenge_settings());
        rejection.challenge().clone()
    };
    assert_eq!(
        challenge(&rejected).www_authenticate().as_deref(),
        Some(concat!(
            r#"Bearer realm="orders \"eu\"", error="invalid_token", "#,
            r#"error_description="the token has expired", "#,
            r#"resource_metadata="https://api.test/.well-known/oauth-protected-resource""#
        ))
    );
    let nothing = AuthError::from(AuthErrorKind::NoCredentials);
    assert_eq!(
        challenge(&nothing).www_authenticate().as_deref(),
        Some(concat!(
            r#"Bearer realm="orders \"eu\"", "#,
            r#"resource_metadata="https://api.test/.well-known/oauth-protected-resource""#
        ))
    );
    let unavailable = AuthError::from(AuthErrorKind::KeysUnavailable);
    assert_eq!(challenge(&unavailable).www_authenticate(), None);
}
