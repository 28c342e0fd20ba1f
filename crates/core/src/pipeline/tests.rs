use base64_simd::URL_SAFE_NO_PAD;

use crate::{Algorithm, AuthErrorKind, Authenticator, Issuer, keys::SigningKey};

fn encode(text: &str) -> String {
    URL_SAFE_NO_PAD.encode_to_string(text)
}

/// An attacker who fills the places with other headers would slow every good token down.
#[test]
fn only_a_header_that_a_trusted_key_has_signed_is_remembered() {
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let issuer = Issuer::new("joe")
        .key(key.verification_key().unwrap())
        .dangerous_any_audience()
        .dangerous_optional_subject();
    let auth = Authenticator::builder().issuer(issuer).build().unwrap();
    let is_known = |encoded: &str| auth.engine().known_headers.find(encoded.as_bytes()).is_some();
    let (header, payload) =
        (encode(r#"{"alg":"ES256"}"#), encode(r#"{"iss":"joe","exp":9999999999}"#));
    let signature = key.sign(format!("{header}.{payload}").as_bytes()).unwrap();
    let signature = URL_SAFE_NO_PAD.encode_to_string(signature);
    let others: Vec<_> =
        (0..20).map(|number| encode(&format!(r#"{{"alg":"ES256","x":{number}}}"#))).collect();
    for other in &others {
        let token = format!("{other}.{payload}.{signature}");
        let rejected = auth.authenticate_token_now(&token).unwrap_err();
        assert_eq!(rejected.kind(), AuthErrorKind::SignatureMismatch);
        assert!(!is_known(other));
    }
    assert!(!is_known(&header));
    auth.authenticate_token_now(&format!("{header}.{payload}.{signature}")).unwrap();
    assert!(is_known(&header));
    assert!(!others.iter().any(|other| is_known(other)));
}
