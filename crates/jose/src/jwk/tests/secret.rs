//! Secrets, and what is none.

use super::*;

#[test]
fn a_secret_is_at_least_as_long_as_the_hash() {
    for (algorithm, len) in [(Algorithm::HS256, 32), (Algorithm::HS384, 48), (Algorithm::HS512, 64)]
    {
        for enough in [len, len + 1, 200] {
            let key = VerificationKey::from_secret(vec![7; enough], algorithm).unwrap();
            assert_eq!((algorithms(&key), key.id()), (vec![algorithm], None));
        }
        for too_short in [0, 1, len - 1] {
            let secret = vec![7; too_short];
            let error = VerificationKey::from_secret(&secret, algorithm).unwrap_err();
            let KeyError::SecretTooShort { needed, found, .. } = error else { panic!("{error:?}") };
            assert_eq!((needed, found), (len, too_short));

            let short = VerificationKey::dangerous_from_short_secret(&secret, algorithm);
            assert_eq!(short.is_ok(), too_short > 0);
        }
    }
}

#[test]
fn zero_bytes_are_no_secret() {
    for len in [1, 32, 64, 200] {
        let short = VerificationKey::dangerous_from_short_secret(vec![0; len], Algorithm::HS256);
        assert!(matches!(short, Err(KeyError::Unusable { .. })), "{len}");
    }
    let made = VerificationKey::from_secret([0; 32], Algorithm::HS256);
    assert!(matches!(made, Err(KeyError::Unusable { .. })));
    let jwk = json!({"kty": "oct", "k": "A".repeat(43)}).to_string();
    let made = JwkSet::dangerous_from_json_with_secrets(&jwk);
    assert!(matches!(made, Err(JwkSetError::NoUsableKey { .. })), "{made:?}");
    let mut one = [0; 32];
    one[31] = 1;
    assert!(VerificationKey::from_secret(one, Algorithm::HS256).is_ok());
}

#[test]
fn a_secret_fits_no_asymmetric_algorithm() {
    for algorithm in Algorithm::ALL.iter().copied().filter(|algorithm| !algorithm.is_symmetric()) {
        for made in [
            VerificationKey::from_secret([7; 64], algorithm),
            VerificationKey::dangerous_from_short_secret([7; 64], algorithm),
        ] {
            assert!(matches!(made, Err(KeyError::Unusable { .. })), "{algorithm}");
        }
    }
}

#[track_caller]
fn assert_secret_is_public_key(secret: &[u8]) {
    let shown = String::from_utf8_lossy(secret);
    for made in [
        VerificationKey::from_secret(secret, Algorithm::HS256),
        VerificationKey::dangerous_from_short_secret(secret, Algorithm::HS512),
        VerificationKey::try_from(&DecodingKey::from_secret(secret)),
    ] {
        assert!(matches!(made, Err(KeyError::SecretIsPublicKey)), "{shown}: {made:?}");
    }
}

/// Ways in which a text file may start before what counts.
const PREFIXES: [&str; 6] =
    ["", "\u{feff}", " \t\r\n", "\u{feff}\n", "# a comment\n", "Bag Attributes\n  name: x\n"];

#[test]
fn a_key_in_pem_or_der_is_no_secret() {
    let public = PUBLIC_PEMS.into_iter().map(|(text, _)| text).chain(UNUSABLE_PEMS);
    for text in public.clone().chain(PRIVATE_PEMS.into_iter().map(|(text, _)| text)) {
        for prefix in PREFIXES {
            assert_secret_is_public_key(format!("{prefix}{text}").as_bytes());
            let one_line = text.replace('\n', "\\n");
            assert_secret_is_public_key(format!("{prefix}{one_line}").as_bytes());
        }
        assert_secret_is_public_key(text.replace('\n', "\r\n").as_bytes());
        assert_secret_is_public_key(text.trim_end().as_bytes());
    }
    for text in public {
        assert_secret_is_public_key(&der(text));
    }
}

#[test]
fn a_jwk_or_jwk_set_is_no_secret() {
    for example in [Example::rsa(), Example::ec(), Example::ed25519()] {
        let set = json!({"keys": [example.jwk]});
        for jwk in [&example.jwk, &set] {
            let pretty = serde_json::to_string_pretty(jwk).unwrap();
            for text in [jwk.to_string(), pretty] {
                for prefix in ["", "\u{feff}", " \t\r\n", "\u{feff}\n"] {
                    assert_secret_is_public_key(format!("{prefix}{text}\n").as_bytes());
                }
            }
        }
    }
}

#[test]
fn an_ssh_key_is_no_secret() {
    for text in [
        "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC7 someone@host",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0 someone@host",
        "ssh-dss AAAAB3NzaC1kc3MAAACBAP1 someone@host",
        "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTY someone@host",
        "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29t",
        "sk-ecdsa-sha2-nistp256@openssh.com AAAAInNrLWVjZHNhLXNoYTItbmlzdHAyNTY",
        "---- BEGIN SSH2 PUBLIC KEY ----\nAAAAB3NzaC1yc2EAAAADAQABAAABAQC7",
    ] {
        for prefix in PREFIXES {
            assert_secret_is_public_key(format!("{prefix}{text}").as_bytes());
        }
    }
}

#[test]
fn a_secret_that_only_starts_like_a_key_is_a_secret() {
    for secret in [
        // As `0`, this starts a `SEQUENCE` in DER; and any 32 bytes are a bare Ed25519 key.
        &b"0123456789abcdef0123456789abcdef"[..],
        &[0x30; 32],
        &[0x30; 48],
        &[0x30; 64],
        b"{\"not\": \"a key, but longer than thirty-two bytes\"}",
        b"{\"kty\": a text that is no JSON and is long enough",
        b"the word ssh-rsa in the middle of a longer text",
    ] {
        assert!(VerificationKey::from_secret(secret, Algorithm::HS256).is_ok(), "{secret:?}");
    }
}

#[test]
fn debug_shows_neither_a_secret_nor_a_key() {
    let secret = "correct horse battery staple, and more";
    let key = VerificationKey::from_secret(secret, Algorithm::HS256).unwrap().key_id("1").unwrap();
    let shown = "VerificationKey { key_id: Some(\"1\"), algorithms: {HS256}, .. }";
    assert_eq!(format!("{key:?}"), shown);
}
