//! JWK Sets.

use super::*;

#[test]
fn public_keys_of_every_type_are_read_with_the_algorithms_that_fit() {
    let p384 = der(testdata!("p384"));
    let (x, y) = p384[p384.len() - 96..].split_at(48);
    let p384 = json!({"kty": "EC", "crv": "P-384", "x": encode(x), "y": encode(y)});
    for (jwk, expected) in [
        (Example::rsa().jwk, &ALL_RSA[..]),
        (Example::rsa().with("alg", "PS384"), &[Algorithm::PS384]),
        (Example::ec().jwk, &[Algorithm::ES256]),
        (Example::ec().with("alg", "ES256"), &[Algorithm::ES256]),
        (p384, &[Algorithm::ES384]),
        (Example::of("RFC 7515 A.4").jwk, &[Algorithm::ES512]),
        (Example::ed25519().jwk, &[Algorithm::EdDSA]),
        (Example::ed25519().with("alg", "EdDSA"), &[Algorithm::EdDSA]),
        (Example::ed25519().with("alg", "Ed25519"), &[Algorithm::EdDSA]),
        (Example::ec().with("use", "sig"), &[Algorithm::ES256]),
        (Example::ec().with("key_ops", json!(["sign", "verify", "other"])), &[Algorithm::ES256]),
        (Example::ec().with("x5c", json!(["not looked at"])), &[Algorithm::ES256]),
        (Example::ec().with("unknown", json!({"a": [1]})), &[Algorithm::ES256]),
    ] {
        assert_eq!(algorithms(&read_jwk(jwk.clone())), expected, "{jwk}");
    }
    for section in ["RFC 7515 A.2", "RFC 7515 A.3", "RFC 7515 A.4", "RFC 8037 A.4"] {
        let example = Example::of(section);
        assert!(example.verifies_with(&read_jwk(example.jwk.clone())), "{section}");
    }
}

#[test]
fn key_ids_of_up_to_256_bytes_are_kept() {
    let (longest, too_long) = ("k".repeat(256), "k".repeat(257));
    assert_eq!(read_jwk(Example::ec().with("kid", longest.clone())).id(), Some(&*longest));
    assert_eq!(read_jwk(Example::ec().jwk).id(), None);
    assert_skipped([
        (Example::ec().with("kid", too_long.clone()), "longer than 256 bytes"),
        (Example::ec().with("kid", 7), "expected a string"),
        (Example::ec().with("kid", json!(["7"])), "expected a string"),
    ]);
    let key = read_jwk(Example::ec().jwk);
    assert_eq!(key.clone().key_id(longest.clone()).unwrap().id(), Some(&*longest));
    assert!(matches!(key.key_id(too_long), Err(KeyError::Unusable { .. })));
}

#[test]
fn a_key_of_an_unknown_type_or_curve_is_skipped() {
    assert_skipped([
        (Example::ec().without("kty"), "its `kty` is missing or not supported"),
        (Example::ec().with("kty", "AKP"), "its `kty` is missing or not supported"),
        (Example::ec().with("kty", "ec"), "its `kty` is missing or not supported"),
        (Example::ec().with("kty", 7), "its `kty` is missing or not supported"),
        (Example::ec().without("crv"), "missing field `crv`"),
        (Example::ec().with("crv", "secp256k1"), "unknown variant `secp256k1`"),
        (Example::ec().with("crv", "Ed25519"), "its `crv` is not supported for `kty` EC"),
        (Example::ed25519().with("crv", "Ed448"), "unknown variant `Ed448`"),
        (Example::ed25519().with("crv", "X25519"), "unknown variant `X25519`"),
        (Example::ed25519().with("crv", "P-256"), "its `crv` is not supported for `kty` OKP"),
        (json!("a text"), "it is not an object"),
        (json!(null), "it is not an object"),
        (json!([]), "it is not an object"),
    ]);
}

#[test]
fn a_key_whose_numbers_are_not_unpadded_base64url_is_skipped() {
    let (rsa, ec, ed25519) = (Example::rsa(), Example::ec(), Example::ed25519());
    let standard_alphabet = rsa.member("n").replace('-', "+").replace('_', "/");
    let trailing_bits = ed25519.member("x").replace("URo", "URp");
    assert_ne!(trailing_bits, ed25519.member("x"));
    assert_skipped([
        (rsa.with("n", "not base64!"), "its `n` is not unpadded base64url"),
        (rsa.with("n", standard_alphabet), "its `n` is not unpadded base64url"),
        (rsa.with("n", format!("{}==", rsa.member("n"))), "its `n` is not unpadded base64url"),
        (rsa.with("n", format!("{}\n", rsa.member("n"))), "its `n` is not unpadded base64url"),
        (rsa.with("e", "AQAB===="), "its `e` is not unpadded base64url"),
        (ec.with("x", format!("{}=", ec.member("x"))), "its `x` is not unpadded base64url"),
        (ec.with("y", format!("{}=", ec.member("y"))), "its `y` is not unpadded base64url"),
        (ed25519.with("x", trailing_bits), "its `x` is not unpadded base64url"),
        (rsa.with("n", 7), "expected a string"),
        (rsa.without("e"), "missing field `e`"),
        (ec.without("y"), "missing field `y`"),
    ]);
}

#[test]
fn an_rsa_key_is_from_2048_to_8192_bits_long() {
    let (longest, too_long) = (modulus(1024, 0xff), modulus(1025, 0x01));
    for good in [modulus(256, 0x80), modulus(256, 0xff), longest.clone(), zeros_before(&longest)] {
        assert_eq!(algorithms(&read_jwk(rsa_jwk(&good, &F4))), ALL_RSA);
    }
    let even = [&modulus(255, 0xff)[..], &[0xfe]].concat();
    let outside = "RSA modulus outside 2048 to 8192 bits";
    assert_skipped([
        (rsa_jwk(&modulus(256, 0x7f), &F4), outside),
        (rsa_jwk(&modulus(128, 0xff), &F4), outside),
        (rsa_jwk(&too_long, &F4), outside),
        // Leading zeros count for nothing.
        (rsa_jwk(&zeros_before(&modulus(256, 0x7f)), &F4), outside),
        (rsa_jwk(&zeros_before(&modulus(128, 0xff)), &F4), outside),
        (rsa_jwk(&zeros_before(&too_long), &F4), outside),
        (rsa_jwk(&[0; 256], &F4), "no valid public key"),
        (rsa_jwk(&even, &F4), "no valid public key"),
        (rsa_jwk(&[], &F4), "no valid public key"),
    ]);
}

#[test]
fn leading_zero_bytes_of_an_rsa_number_change_neither_the_key_nor_its_thumbprint() {
    let rsa = Example::rsa();
    let (n, e) = (decode(rsa.member("n")), decode(rsa.member("e")));
    let canonical = read_jwk(rsa_jwk(&n, &e));
    // A `BigInteger` of Java has a sign byte; an integer of .NET has four bytes.
    for (n, e) in [(zeros_before(&n), e.clone()), (n.clone(), zeros_before(&e))] {
        let key = read_jwk(rsa_jwk(&n, &e));
        assert!(rsa.verifies_with(&key));
        assert!(key.thumbprint().is_some());
        assert_eq!(key.thumbprint(), canonical.thumbprint());
        let key = DecodingKey::from_rsa_raw_components(&n, &e);
        assert!(rsa.verifies_with(&VerificationKey::try_from(&key).unwrap()));
    }
}

#[test]
fn an_rsa_exponent_is_odd_and_neither_one_nor_huge() {
    let modulus = modulus(256, 0xff);
    for good in [&[3][..], &F4, &[1, 0, 0, 0, 1], &[0, 1, 0, 1]] {
        assert_eq!(algorithms(&read_jwk(rsa_jwk(&modulus, good))), ALL_RSA);
    }
    for bad in
        [&[][..], &[0], &[0, 0], &[1], &[0, 1], &[2], &[1, 0, 0], &[1, 0, 0, 0, 0, 1], &modulus]
    {
        assert_skipped([(rsa_jwk(&modulus, bad), "no valid public key")]);
    }
}

#[test]
fn a_point_lies_on_its_curve_and_has_its_width() {
    let (ec, ed25519, p521) = (Example::ec(), Example::ed25519(), Example::of("RFC 7520 4.3"));
    let (x, y) = (decode(ec.member("x")), decode(ec.member("y")));
    let swapped = json!({"kty": "EC", "crv": "P-256", "x": encode(&y), "y": encode(&x)});
    let zero = json!({"kty": "EC", "crv": "P-256", "x": encode([0; 32]), "y": encode([0; 32])});
    let longer = encode([&[0], &x[..]].concat());
    let width = "do not have the width of its curve";
    // A library that drops leading zeros writes this one (RFC 7518 §6.2.1.2 forbids it).
    let p521_x = decode(p521.member("x"));
    assert_eq!((p521_x.len(), p521_x[0]), (66, 0));
    assert_skipped([
        (swapped, "no valid public key"),
        (zero, "no valid public key"),
        (ec.with("x", encode(&x[1..])), width),
        (ec.with("x", longer), width),
        (ec.with("y", encode(&y[1..])), width),
        (ec.with("y", ""), width),
        (ec.with("crv", "P-384"), width),
        (p521.with("x", encode(&p521_x[1..])), width),
        (ed25519.with("x", encode([1; 31])), "does not have the width of its curve"),
        (ed25519.with("x", encode([1; 33])), "does not have the width of its curve"),
    ]);
}

#[test]
fn a_key_that_is_not_for_verifying_is_skipped() {
    let ec = Example::ec();
    assert_skipped([
        (ec.with("use", "enc"), "its `use` is not `sig`"),
        (ec.with("use", "SIG"), "its `use` is not `sig`"),
        (ec.with("use", 7), "expected a string"),
        (ec.with("key_ops", json!(["sign"])), "its `key_ops` lacks `verify`"),
        (ec.with("key_ops", json!(["encrypt", "wrapKey"])), "its `key_ops` lacks `verify`"),
        (ec.with("key_ops", json!([])), "its `key_ops` lacks `verify`"),
        (ec.with("key_ops", "verify"), "expected a sequence"),
    ]);
}

#[test]
fn a_key_whose_algorithm_does_not_fit_is_skipped() {
    let (rsa, ec, ed25519) = (Example::rsa(), Example::ec(), Example::ed25519());
    assert_skipped([
        (rsa.with("alg", "ES256"), "its `alg` ES256 does not fit"),
        (rsa.with("alg", "HS256"), "its `alg` HS256 does not fit"),
        (ec.with("alg", "ES384"), "its `alg` ES384 does not fit"),
        (ec.with("alg", "RS256"), "its `alg` RS256 does not fit"),
        (ed25519.with("alg", "ES256"), "its `alg` ES256 does not fit"),
        (rsa.with("alg", "RSA-OAEP"), "its `alg` is not a signature algorithm"),
        (rsa.with("alg", "rs256"), "its `alg` is not a signature algorithm"),
        (rsa.with("alg", "none"), "its `alg` is not a signature algorithm"),
        (ec.with("alg", "ES256K"), "its `alg` is not a signature algorithm"),
        (rsa.with("alg", json!(null)), "its `alg` is not a string"),
    ]);
}

#[test]
fn a_secret_is_skipped_and_so_is_a_key_with_private_members() {
    let secret = json!({"kty": "oct", "kid": "s", "alg": "HS256", "k": encode([7; 32])});
    assert_skipped([
        (secret, "it is a shared secret"),
        (json!({"kty": "oct"}), "it is a shared secret"),
        (Example::rsa().with("d", "AQAB"), "the private member `d`"),
        (Example::rsa().with("p", "AQAB"), "the private member `p`"),
        (Example::rsa().with("q", "AQAB"), "the private member `q`"),
        (Example::rsa().with("dp", "AQAB"), "the private member `dp`"),
        (Example::rsa().with("dq", "AQAB"), "the private member `dq`"),
        (Example::rsa().with("qi", "AQAB"), "the private member `qi`"),
        (Example::rsa().with("oth", json!([])), "the private member `oth`"),
        (Example::rsa().with("k", "AQAB"), "the private member `k`"),
        (Example::ec().with("d", json!(null)), "the private member `d`"),
        (Example::ed25519().with("d", ""), "the private member `d`"),
    ]);
}

#[test]
fn reasons_do_not_show_private_values() {
    let keys = [
        Example::ec().with("d", "SECRET-VALUE"),
        json!({"kty": "oct", "k": "SECRET-VALUE", "use": "SECRET-VALUE"}),
    ];
    for error in [read_set(&keys).unwrap_err(), read_set(&keys[1..]).unwrap_err()] {
        assert!(!format!("{error} {error:?}").contains("SECRET-VALUE"), "{error}");
    }
}

#[test]
fn a_set_without_a_usable_key_is_an_error_with_each_reason() {
    let error = read_set(&[]).unwrap_err();
    assert!(matches!(error, JwkSetError::NoUsableKey { reasons } if reasons.is_empty()));

    let bad = [json!({"kty": "AKP", "kid": "post-quantum"}), Example::ec().with("use", "enc")];
    let error = read_set(&bad).unwrap_err();
    let JwkSetError::NoUsableKey { reasons } = error else { panic!("{error:?}") };
    let expected = [
        "key 0 (kid \"post-quantum\"): its `kty` is missing or not supported",
        "key 1: its `use` is not `sig`",
    ];
    assert_eq!(reasons, expected);
}

#[test]
fn what_is_no_jwk_set_is_an_error() {
    for text in [
        "",
        "no JSON",
        "null",
        "[]",
        "{}",
        "{\"Keys\":[]}",
        "{\"keys\":null}",
        "{\"keys\":{}}",
        "{\"keys\":\"\"}",
        "{\"keys\":[]",
        "{\"keys\":[]}{}",
        "-----BEGIN PUBLIC KEY-----",
    ] {
        let error = JwkSet::from_json(text).unwrap_err();
        assert!(matches!(error, JwkSetError::Invalid { .. }), "{text}: {error:?}");
    }
    // One key is not a set of one, except in a file.
    let error = JwkSet::from_json(&Example::ec().jwk.to_string()).unwrap_err();
    assert!(error.to_string().contains("it is a single JWK; expected"), "{error}");
}

#[test]
fn a_single_jwk_in_a_file_is_a_set_of_one() {
    let read = |text: &str| JwkSet::from_json(&JwkSet::text_of_set(text));
    let jwk = Example::ec().jwk;
    for text in [jwk.to_string(), format!("\u{feff}{jwk}\n"), json!({"keys": [jwk]}).to_string()] {
        assert_eq!(read(&text).unwrap().keys().len(), 1, "{text}");
    }
    // What is private is rejected here too, and named.
    let mut private = jwk.clone();
    private["d"] = json!("AAAA");
    let error = read(&private.to_string()).unwrap_err();
    assert!(error.to_string().contains("private member `d`"), "{error}");
    let secret = json!({"kty": "oct", "k": "c2VjcmV0"}).to_string();
    assert!(matches!(read(&secret).unwrap_err(), JwkSetError::NoUsableKey { .. }));
    for text in [json!({"keys": {}, "kty": "EC"}), json!({"kid": "1"}), json!([jwk])] {
        let error = read(&text.to_string()).unwrap_err();
        assert!(matches!(error, JwkSetError::Invalid { .. }), "{text}: {error:?}");
    }
}

#[test]
fn a_key_that_repeats_a_member_is_skipped() {
    let (first, last) = (Example::ec().with("kid", "first"), Example::rsa().with("kid", "last"));
    let jwk = Example::ed25519().with("kid", "twice").to_string();
    for repeated in [
        r#""kid":"once""#,
        r#""kid":"twice""#,
        r#""\u006bid":"once""#,
        r#""kty":"OKP""#,
        r#""x":"AAAA""#,
        r#""unknown":1,"unknown":1"#,
    ] {
        let jwk = jwk.replacen('{', &format!("{{{repeated},"), 1);
        let set = JwkSet::from_json(&format!(r#"{{"keys":[{first},{jwk},{last}]}}"#)).unwrap();
        let ids: Vec<_> = set.keys().iter().map(VerificationKey::id).collect();
        assert_eq!(ids, [Some("first"), Some("last")], "{repeated}");
        let [skipped] = set.skipped() else { panic!("{repeated}: {:?}", set.skipped()) };
        assert_eq!((skipped.index(), skipped.reason()), (1, "a member name is repeated"));

        let set = format!(r#"{{"keys":[{jwk}]}}"#);
        let error = JwkSet::dangerous_from_json_with_secrets(&set).unwrap_err();
        assert!(matches!(error, JwkSetError::NoUsableKey { .. }), "{repeated}: {error:?}");
        for read in [JwkSet::from_json, JwkSet::dangerous_from_json_with_secrets] {
            let error = read(&JwkSet::text_of_set(&jwk)).unwrap_err();
            assert!(error.to_string().contains("a member name is repeated"), "{error}");
        }
        let error = JwkSet::dangerous_from_json_with_secrets(&jwk).unwrap_err();
        assert!(matches!(error, JwkSetError::Invalid { .. }), "{repeated}: {error:?}");
    }
}

#[test]
fn a_set_that_repeats_a_member_is_an_error() {
    let keys = format!("\"keys\":[{}]", Example::ec().jwk);
    for text in [
        format!("{{{keys},{keys}}}"),
        format!("{{\"keys\":[],{keys}}}"),
        format!("{{{keys},\"\\u006beys\":[]}}"),
        format!("{{{keys},\"issued\":1,\"issued\":1}}"),
    ] {
        let error = JwkSet::from_json(&text).unwrap_err();
        assert!(matches!(error, JwkSetError::Invalid { .. }), "{text}: {error:?}");
        assert!(error.to_string().contains("a member name is repeated"), "{error}");
    }
}

#[test]
fn of_a_longer_set_the_first_100_usable_keys_count() {
    let key = |index: usize| Example::ec().with("kid", index.to_string());
    let unusable = |index: usize| {
        key(index).as_object().cloned().map(|mut jwk| {
            jwk.insert("use".to_owned(), json!("enc"));
            Value::Object(jwk)
        })
    };
    // Ten that cannot be used come first, and cost no place.
    let keys: Vec<_> = (0..130)
        .map(|index| if index < 10 { unusable(index).unwrap() } else { key(index) })
        .collect();
    let set = read_set(&keys).unwrap();
    let ids: Vec<_> = set.keys().iter().filter_map(VerificationKey::id).collect();
    assert_eq!((ids.len(), ids[0], ids[99]), (100, "10", "109"));
    assert_eq!(set.skipped().len(), 30);
    assert_eq!(set.skipped()[10].key_id(), Some("110"));
    assert!(set.skipped()[10].reason().contains("first 100"), "{}", set.skipped()[10]);

    // What is remembered of the rest has a limit too.
    let many = [keys, vec![json!(0); 100_000]].concat();
    let set = read_set(&many).unwrap();
    assert_eq!((set.keys().len(), set.skipped().len()), (100, 1000));
}

#[test]
fn a_byte_order_mark_and_members_beside_the_keys_are_ignored() {
    let set = json!({"keys": [Example::ec().jwk], "issued": 7}).to_string();
    for text in [set.clone(), format!("\u{feff}{set}"), format!("\n {set}\n")] {
        assert_eq!(JwkSet::from_json(&text).unwrap().keys().len(), 1);
    }
}

#[test]
fn a_file_is_named_in_its_errors() {
    let error = JwkSet::from_file("no/such/file.json").unwrap_err();
    assert!(matches!(&error, FileError::Unreadable { .. }), "{error:?}");
    assert!(error.to_string().contains("no/such/file.json"), "{error}");

    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/jwk/testdata/p256.pem");
    assert_eq!(algorithms(&VerificationKey::from_pem_file(path).unwrap()), [Algorithm::ES256]);
    let error = JwkSet::from_file(path).unwrap_err();
    assert!(matches!(&error, FileError::Unusable { .. }), "{error:?}");
    assert!(error.to_string().contains("p256.pem"), "{error}");
}
