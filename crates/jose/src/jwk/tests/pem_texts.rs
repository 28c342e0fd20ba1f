//! Public keys in PEM.

use super::*;

#[test]
fn public_keys_in_pem_may_be_used_with_every_algorithm_that_fits() {
    for (text, expected) in PUBLIC_PEMS {
        let with_crlf = text.replace('\n', "\r\n");
        let with_mark = format!("\u{feff}{text}");
        let with_comment = format!("subject=CN = portcullis tests\n\n  {text}\nthe end\n");
        for text in [text, &with_crlf, &with_mark, &with_comment] {
            let key = VerificationKey::from_pem(text).unwrap();
            assert_eq!((algorithms(&key), key.id()), (expected.to_vec(), None), "{text}");
        }
    }
}

#[test]
fn line_breaks_in_pem_may_be_written_as_backslash_and_n() {
    for (text, expected) in PUBLIC_PEMS {
        let escaped = text.replace('\n', r"\n");
        let (with_crlf, quoted) = (text.replace('\n', r"\r\n"), format!("\"{escaped}\""));
        for text in [&escaped, &with_crlf, &quoted] {
            let key = VerificationKey::from_pem(text).unwrap();
            assert_eq!(algorithms(&key), expected, "{text}");
        }
    }
    for (text, label) in PRIVATE_PEMS {
        let error = VerificationKey::from_pem(&text.replace('\n', r"\n")).unwrap_err();
        assert!(matches!(&error, KeyError::PrivateKey { found } if found == label), "{error:?}");
    }
}

#[test]
fn a_key_from_pem_can_be_narrowed_to_one_of_its_algorithms() {
    let key = VerificationKey::from_pem(testdata!("rsa_2048")).unwrap();
    let key = key.key_id("1").unwrap().algorithm(Algorithm::PS256).unwrap();
    assert_eq!((algorithms(&key), key.id()), (vec![Algorithm::PS256], Some("1")));
    for other in [Algorithm::RS256, Algorithm::ES256, Algorithm::HS256] {
        assert!(matches!(key.clone().algorithm(other), Err(KeyError::Unusable { .. })));
    }
}

#[test]
fn private_keys_in_pem_are_rejected_as_such_whatever_their_label() {
    for (text, label) in PRIVATE_PEMS {
        let after_public = format!("{}{text}", testdata!("p256"));
        let before_public = format!("{text}{}", testdata!("p256_certificate"));
        for text in [text, &after_public, &before_public] {
            let error = VerificationKey::from_pem(text).unwrap_err();
            assert!(
                matches!(&error, KeyError::PrivateKey { found } if found == label),
                "{error:?}"
            );
        }
    }
}

#[test]
fn a_public_key_that_no_algorithm_uses_is_rejected() {
    for text in UNUSABLE_PEMS {
        let error = VerificationKey::from_pem(text).unwrap_err();
        assert!(matches!(error, KeyError::Unusable { .. }), "{text}{error:?}");
    }
    let spki = der(testdata!("p256"));
    for (label, der) in [
        ("PUBLIC KEY", &b"no DER"[..]),
        ("PUBLIC KEY", &[]),
        ("PUBLIC KEY", &spki[..spki.len() - 1]),
        // Bare keys: a point of P-256 and the 32 bytes of an Ed25519 key.
        ("PUBLIC KEY", &spki[spki.len() - 65..]),
        ("PUBLIC KEY", &[0x30; 32]),
        ("RSA PUBLIC KEY", &spki),
        ("CERTIFICATE", &spki),
    ] {
        let error = VerificationKey::from_pem(&pem(label, der)).unwrap_err();
        assert!(matches!(error, KeyError::Unusable { .. }), "{label} {der:02x?} {error:?}");
    }
}

#[test]
fn a_text_that_is_not_one_block_of_a_public_key_is_no_pem() {
    let (spki, certificate) = (testdata!("p256"), testdata!("p256_certificate"));
    for text in [
        String::new(),
        "garbage".to_owned(),
        Example::ec().jwk.to_string(),
        format!("{spki}{spki}"),
        format!("{certificate}{}", testdata!("p384_certificate")),
        spki.replace("PUBLIC KEY", "EC PARAMETERS"),
        spki.replace("PUBLIC KEY", "public key"),
        spki.replace("PUBLIC KEY", "X509 CRL"),
        spki.replace("END PUBLIC KEY", "END CERTIFICATE"),
        spki.replace("-----END PUBLIC KEY-----", ""),
        spki.replace("MF", "M!"),
        spki.replace("-----", "----"),
    ] {
        let error = VerificationKey::from_pem(&text).unwrap_err();
        assert!(matches!(error, KeyError::InvalidPem { .. }), "{text}\n{error:?}");
    }
}
