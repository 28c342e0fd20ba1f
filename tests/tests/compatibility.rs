//! Settings for services that must answer as another system does: what each lets in, and nothing else.

use conformance::{AUDIENCE, LEEWAY, NOW, Request, Setting, trusting};
use portcullis::{
    Algorithm, AuthErrorKind, Authenticator, Issuer, JwkSet, MultipleTokens, TokenLocation,
    VerificationKey,
};
use portcullis_testkit::SigningKey;
use serde_json::{Value, json};

fn verdict(engine: &Authenticator, token: &str) -> &'static str {
    match engine.authenticate_token_now(token) {
        Ok(_) => "accepted",
        Err(error) => error.kind().code(),
    }
}

#[test]
fn a_date_of_zero_is_none_only_where_that_is_said() {
    let setting = Setting::new();
    let engine = |rules: fn(Issuer) -> Issuer| setting.engine(rules(setting.issuer.trusted()));
    let plain = engine(|issuer| issuer);
    let optional = engine(Issuer::dangerous_optional_expiry);
    let zero = engine(Issuer::dangerous_zero_is_no_date);
    let both = engine(|issuer| issuer.dangerous_zero_is_no_date().dangerous_optional_expiry());
    for (exp, expected) in [
        (json!(0), ["token_expired", "token_expired", "missing_claim", "accepted"]),
        (json!(0.0), ["token_expired", "token_expired", "missing_claim", "accepted"]),
        (json!(-0.0), ["token_expired", "token_expired", "missing_claim", "accepted"]),
        (json!(0.5), ["token_expired"; 4]),
        (json!(-1), ["token_expired"; 4]),
        (json!(1), ["token_expired"; 4]),
        (json!("0"), ["malformed_claim"; 4]),
        (Value::Null, ["malformed_claim"; 4]),
        (json!(false), ["malformed_claim"; 4]),
        (json!(NOW + 1), ["accepted"; 4]),
    ] {
        let token = setting.valid().claim("exp", &exp).build();
        let engines = [&plain, &optional, &zero, &both];
        assert_eq!(engines.map(|engine| verdict(engine, &token)), expected, "{exp}");
    }
    // An age is not told from a date that is none.
    let aged = engine(|issuer| {
        issuer.dangerous_zero_is_no_date().max_age(std::time::Duration::from_secs(60))
    });
    assert_eq!(verdict(&aged, &setting.valid().claim("iat", 0).build()), "missing_claim");
    // What is not there is missing where it is required.
    for name in ["exp", "nbf", "iat", "/exp"] {
        let issuer = setting.issuer.trusted().dangerous_optional_expiry().required_claims([name]);
        let required = setting.engine(issuer.dangerous_zero_is_no_date());
        let claim = name.trim_start_matches('/');
        let token = |date: i64| setting.valid().claim(claim, date).build();
        assert_eq!(verdict(&required, &token(0)), "missing_claim", "{name}");
        let good = if claim == "exp" { NOW + 1 } else { NOW };
        assert_eq!(verdict(&required, &token(good)), "accepted", "{name}");
    }
}

#[test]
fn fractions_of_dates_are_cut_off_only_where_that_is_said() {
    let setting = Setting::new();
    let engine = |rules: fn(Issuer) -> Issuer| setting.engine(rules(setting.issuer.trusted()));
    let (exact, whole) = (engine(|issuer| issuer), engine(Issuer::whole_seconds));
    let now = |more: i64, tenths: u8| -> Value {
        serde_json::from_str(&format!("{}.{tenths}", NOW + more)).unwrap()
    };
    for (claim, date, of_exact, of_whole) in [
        ("exp", now(-LEEWAY, 5), "accepted", "token_expired"),
        ("exp", now(1 - LEEWAY, 5), "accepted", "accepted"),
        ("iat", now(LEEWAY, 5), "issued_in_future", "accepted"),
        ("iat", now(LEEWAY + 1, 0), "issued_in_future", "issued_in_future"),
        ("nbf", now(LEEWAY, 5), "token_not_yet_valid", "accepted"),
        ("nbf", now(LEEWAY + 1, 5), "token_not_yet_valid", "token_not_yet_valid"),
    ] {
        let token = setting.valid().claim(claim, &date).build();
        assert_eq!(verdict(&exact, &token), of_exact, "{claim} {date}");
        assert_eq!(verdict(&whole, &token), of_whole, "{claim} {date}");
    }
    // What is left of a fraction of a second is zero, and that is no date where this is said.
    let zero = engine(|issuer| {
        issuer.whole_seconds().dangerous_zero_is_no_date().dangerous_optional_expiry()
    });
    assert_eq!(verdict(&zero, &setting.valid().claim("exp", 0.5).build()), "accepted");
    let caller =
        whole.authenticate_token_now(&setting.valid().claim("exp", now(9, 5)).build()).unwrap();
    assert_eq!(caller.principal().expires_at().map(|date| date.seconds()), Some(NOW + 9));
}

#[test]
fn any_type_is_accepted_only_where_that_is_said() {
    let setting = Setting::new();
    let any = setting.engine(setting.issuer.trusted().dangerous_any_token_type());
    for typ in ["logout+jwt", "dpop+jwt", "", "x"] {
        let token = setting.valid().header("typ", typ).build();
        assert_eq!(verdict(&setting.plain, &token), "wrong_type", "{typ}");
        assert_eq!(verdict(&any, &token), "accepted", "{typ}");
    }
    let no_text = setting.valid().header("typ", 1).build();
    assert_ne!(verdict(&any, &no_text), "accepted");
}

#[test]
fn of_keys_with_one_id_the_last_wins_only_where_that_is_said() {
    let setting = Setting::new();
    let [first, second] = [(); 2].map(|()| SigningKey::generate(Algorithm::ES256, "same"));
    let rsa = SigningKey::generate(Algorithm::RS256, "same");
    let other = SigningKey::generate(Algorithm::ES256, "other");
    let key = |key: &SigningKey| key.verification_key().unwrap();
    let trusted = |keys: &[&SigningKey]| {
        let issuer = Issuer::new(setting.issuer.name());
        keys.iter().map(|own| key(own)).fold(issuer, Issuer::key)
    };
    let all = [&first, &second, &rsa, &other];
    let each = setting.engine(trusted(&all));
    let last = setting.engine(trusted(&all).last_key_of_id_wins());
    let turned = setting.engine(trusted(&[&second, &first]).last_key_of_id_wins());
    for (signer, expected) in [
        (&first, ["accepted", "signature_mismatch", "accepted"]),
        (&second, ["accepted", "accepted", "signature_mismatch"]),
        // The algorithm of the token tells keys of two types apart.
        (&rsa, ["accepted", "accepted", "algorithm_not_allowed"]),
        (&other, ["accepted", "accepted", "unknown_key"]),
    ] {
        let token = setting.valid().key(signer).build();
        assert_eq!([&each, &last, &turned].map(|engine| verdict(engine, &token)), expected);
    }
    // In the order of a document, too.
    let jwks = [&first, &second].map(|key| key.public_jwk().unwrap());
    let set = JwkSet::from_json(&json!({ "keys": jwks }).to_string()).unwrap();
    let issuer = Issuer::new(setting.issuer.name()).jwk_set(&set).last_key_of_id_wins();
    let token = |signer| setting.valid().key(signer).build();
    let engine = setting.engine(issuer);
    assert_eq!(verdict(&engine, &token(&second)), "accepted");
    assert_eq!(verdict(&engine, &token(&first)), "signature_mismatch");
    // It says nothing of tokens without a key id.
    let pem = |own: &SigningKey| VerificationKey::from_pem(&own.public_key_pem().unwrap()).unwrap();
    let issuer = Issuer::new(setting.issuer.name()).key(pem(&first)).key(pem(&second));
    let engine = setting.engine(issuer.last_key_of_id_wins());
    let token = setting.valid().key(&second).without_key_id().build();
    assert_eq!(verdict(&engine, &token), "ambiguous_key");
}

#[test]
fn a_key_that_another_of_its_id_replaces_signs_no_token_without_a_key_id() {
    let setting = Setting::new();
    let [first, second] = [(); 2].map(|()| SigningKey::generate(Algorithm::ES256, "same"));
    let rsa = SigningKey::generate(Algorithm::RS256, "same");
    let other = SigningKey::generate(Algorithm::ES256, "other");
    let trusted = |keys: &[&SigningKey]| {
        let issuer = Issuer::new(setting.issuer.name()).last_key_of_id_wins();
        keys.iter().map(|own| own.verification_key().unwrap()).fold(issuer, Issuer::key)
    };
    let token = |signer| setting.valid().key(signer).without_key_id().build();
    let all = setting.engine(trusted(&[&first, &second, &rsa, &other]).try_all_keys());
    for (signer, expected) in [
        (&first, "signature_mismatch"),
        (&second, "accepted"),
        (&rsa, "accepted"),
        (&other, "accepted"),
    ] {
        assert_eq!(verdict(&all, &token(signer)), expected);
    }
    // Only one is left, so that nothing is ambiguous.
    let only = setting.engine(trusted(&[&first, &second, &rsa]));
    assert_eq!(verdict(&only, &token(&second)), "accepted");
    assert_eq!(verdict(&only, &token(&first)), "signature_mismatch");
}

/// A location whose every field has the scheme `Bearer`, as Temporal reads it.
fn required_scheme() -> TokenLocation {
    let field = TokenLocation::header("authorization");
    TokenLocation::custom("bearer", [field], |values| {
        let value = values.first().copied().flatten().unwrap_or_default();
        match value.split_once(' ').unwrap_or((value, "")) {
            ("", "") => Ok(None),
            (scheme, token) if scheme.eq_ignore_ascii_case("Bearer") => Ok(Some(token.to_owned())),
            _ => Err(AuthErrorKind::MalformedRequest.into()),
        }
    })
}

#[test]
fn a_required_scheme_takes_any_other_value_for_bad_credentials() {
    let setting = Setting::new();
    let engine = |place: TokenLocation| {
        trusting(setting.issuer.trusted())
            .locations([place, TokenLocation::header("x-token")])
            .multiple_tokens(MultipleTokens::First)
            .build()
            .unwrap()
    };
    let plain = engine(TokenLocation::bearer());
    let required = engine(required_scheme());
    let token = setting.valid().audience(AUDIENCE).build();
    let judge =
        |engine: &Authenticator, request: &Request| match engine.authenticate_now(request).result {
            Ok(_) => "accepted",
            Err(error) => error.kind().code(),
        };
    for (value, expected, without) in [
        (format!("Bearer {token}"), "accepted", "accepted"),
        (format!("bEARER {token}"), "accepted", "accepted"),
        // The second space stays in the token.
        (format!("Bearer  {token}"), "malformed_request", "accepted"),
        (format!("Bearer {token} "), "malformed_request", "accepted"),
        (format!("Bearer {token} x"), "malformed_request", "malformed_request"),
        (token.clone(), "malformed_request", "no_credentials"),
        (format!("Basic {token}"), "malformed_request", "no_credentials"),
        (format!("Bearer\t{token}"), "malformed_request", "malformed_request"),
        (format!("Bearer{token}"), "malformed_request", "no_credentials"),
        (format!(" Bearer {token}"), "malformed_request", "no_credentials"),
        ("x".to_owned(), "malformed_request", "no_credentials"),
        ("Bearer".to_owned(), "malformed_request", "malformed_request"),
        ("Bearer ".to_owned(), "malformed_request", "malformed_request"),
        (String::new(), "no_credentials", "no_credentials"),
    ] {
        let request = Request::new().authorization(value.clone());
        assert_eq!(judge(&required, &request), expected, "{value}");
        assert_eq!(judge(&plain, &request), without, "{value}");
        // No other place makes it good, and no second field.
        let behind = request.field("x-token", token.clone()).bearer(&token);
        let expected = if value.is_empty() { "accepted" } else { expected };
        assert_eq!(judge(&required, &behind), expected, "{value}");
    }
    // The first field counts, whatever the second one holds.
    let request = Request::new().bearer(&token).authorization("Basic x");
    assert_eq!(judge(&required, &request), "accepted");
}

#[test]
fn what_lacks_a_required_scheme_is_hidden_like_a_bad_token() {
    let setting = Setting::new();
    let left = |place: TokenLocation, value: &str| {
        let places = [place, TokenLocation::header("x-token")];
        let builder = trusting(setting.issuer.trusted()).locations(places);
        let engine = builder.remove_tokens().build().unwrap();
        let hidden = engine.authenticate_now(&Request::new().authorization(value)).hidden;
        hidden.fields().next().is_none()
    };
    for value in ["Bearer x", "x", "Basic x", "Bearerx"] {
        assert!(!left(required_scheme(), value), "{value}");
        assert_eq!(left(TokenLocation::bearer(), value), value != "Bearer x", "{value}");
    }
}
