//! From the members of one JWK to a key ([RFC 7518 §6]).
//!
//! [RFC 7518 §6]: https://www.rfc-editor.org/rfc/rfc7518#section-6

use std::borrow::Cow;

use aws_lc_rs::{
    rsa::PublicKeyComponents,
    signature::{self, ParsedPublicKey, RsaParameters},
};
use base64_simd::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{
    AlgorithmParameters, CommonParameters, EllipticCurve, EllipticCurveKeyParameters,
    KeyOperations, OctetKeyPairParameters, PublicKeyUse, RSAKeyParameters,
};
use serde::Deserialize;
use serde_json::Value;

use super::{
    KeyError, certificate::CertificateThumbprints, key::VerificationKey, thumbprint::unsigned,
};
use crate::Algorithm;

pub(super) const RSA: [Algorithm; 6] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
];

/// Members that hold private or secret values ([RFC 7518 §6.2.2, §6.3.2, §6.4.1]).
///
/// [RFC 7518 §6.2.2, §6.3.2, §6.4.1]: https://www.rfc-editor.org/rfc/rfc7518#section-6
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

impl VerificationKey {
    /// Reads one public JWK.
    pub(super) fn from_jwk_value(jwk: &Value) -> Result<Self, KeyError> {
        let members = jwk.as_object().ok_or_else(|| KeyError::unusable("it is not an object"))?;
        let kty = members.get("kty").and_then(Value::as_str);
        if kty == Some("oct") {
            return Err(KeyError::unusable(
                "it is a shared secret, which has no place in a public set",
            ));
        }
        if let Some(member) = PRIVATE_MEMBERS.into_iter().find(|name| members.contains_key(*name)) {
            return Err(KeyError::PrivateKey { found: member.to_owned() });
        }
        let common: CommonParameters = read(jwk)?;
        check_use(&common)?;
        let named = named_algorithm(members.get("alg"))?;
        let parameters = match kty {
            Some("RSA") => AlgorithmParameters::RSA(read(jwk)?),
            Some("EC") => AlgorithmParameters::EllipticCurve(read(jwk)?),
            Some("OKP") => AlgorithmParameters::OctetKeyPair(read(jwk)?),
            _ => return Err(KeyError::unusable("its `kty` is missing or not supported")),
        };
        // The thumbprint is that of the key and not of the text, which may write numbers in other ways.
        let key = Self::from_parameters(&common, named, &parameters)?.with_own_thumbprint();
        let certificate = CertificateThumbprints {
            sha1: common.x509_sha1_fingerprint.map(Cow::Owned),
            sha256: common.x509_sha256_fingerprint.map(Cow::Owned),
        };
        Ok(key.with_certificate(certificate))
    }

    /// Reads the JSON text of one public JWK.
    pub(crate) fn from_jwk_text(text: &str) -> Result<Self, KeyError> {
        let jwk =
            serde_json::from_str(text).map_err(|error| KeyError::unusable(error.to_string()))?;
        Self::from_jwk_value(&jwk)
    }

    /// Makes a key from typed parameters; `named` is the JWK's own `alg`.
    fn from_parameters(
        common: &CommonParameters,
        named: Option<Algorithm>,
        parameters: &AlgorithmParameters,
    ) -> Result<Self, KeyError> {
        let key_id = common.key_id.clone();
        let fitting = |algorithms: &[Algorithm]| match named {
            None => Ok(algorithms.to_vec()),
            Some(named) if algorithms.contains(&named) => Ok(vec![named]),
            Some(named) => Err(KeyError::unusable(format!(
                "its `alg` {named} does not fit its `kty` or `crv`"
            ))),
        };
        match parameters {
            AlgorithmParameters::RSA(RSAKeyParameters { n, e, .. }) => {
                let (n, e) = (decode("n", n)?, decode("e", e)?);
                from_rsa(key_id, &fitting(&RSA)?, (&n, &e))
            }
            AlgorithmParameters::EllipticCurve(EllipticCurveKeyParameters {
                curve, x, y, ..
            }) => {
                let (algorithm, width) = match curve {
                    EllipticCurve::P256 => (Algorithm::ES256, 32),
                    EllipticCurve::P384 => (Algorithm::ES384, 48),
                    EllipticCurve::P521 => (Algorithm::ES512, 66),
                    _ => return Err(KeyError::unusable("its `crv` is not supported for `kty` EC")),
                };
                let (x, y) = (decode("x", x)?, decode("y", y)?);
                if x.len() != width || y.len() != width {
                    return Err(KeyError::unusable(
                        "its coordinates do not have the width of its curve",
                    ));
                }
                let point = [&[4][..], &x, &y].concat();
                Self::from_public_key(key_id, &fitting(&[algorithm])?, |verifier| {
                    ParsedPublicKey::new(verifier, &point).ok()
                })
            }
            AlgorithmParameters::OctetKeyPair(OctetKeyPairParameters { curve, x, .. }) => {
                if *curve != EllipticCurve::Ed25519 {
                    return Err(KeyError::unusable("its `crv` is not supported for `kty` OKP"));
                }
                let x = decode("x", x)?;
                if x.len() != 32 {
                    return Err(KeyError::unusable("its `x` does not have the width of its curve"));
                }
                Self::from_public_key(key_id, &fitting(&[Algorithm::EdDSA])?, |verifier| {
                    ParsedPublicKey::new(verifier, &x).ok()
                })
            }
            _ => Err(KeyError::unusable("its `kty` is not supported")),
        }
    }
}

/// Makes an RSA key from modulus and exponent.
///
/// Leading zero bytes are left out: [RFC 7518 §6.3.1.1] forbids them, but many producers write the sign
/// byte of their integers, and the numbers are the same.
///
/// [RFC 7518 §6.3.1.1]: https://www.rfc-editor.org/rfc/rfc7518#section-6.3.1.1
pub(super) fn from_rsa(
    key_id: Option<String>,
    algorithms: &[Algorithm],
    (n, e): (&[u8], &[u8]),
) -> Result<VerificationKey, KeyError> {
    let components = PublicKeyComponents { n: unsigned(n), e: unsigned(e) };
    // The components are parsed once; the key of each algorithm is made from what came out.
    let parsed = components.to_parsed_public_key(first_rsa_parameters());
    let parsed =
        parsed.map_err(|_| KeyError::unusable("its parameters make no valid public key"))?;
    VerificationKey::from_public_key(key_id, algorithms, |verifier| {
        ParsedPublicKey::new(verifier, &parsed).ok()
    })
}

fn first_rsa_parameters() -> &'static RsaParameters {
    &signature::RSA_PKCS1_2048_8192_SHA256
}

/// Checks `use` and `key_ops` ([RFC 7517 §4.2, §4.3]).
///
/// [RFC 7517 §4.2, §4.3]: https://www.rfc-editor.org/rfc/rfc7517#section-4.2
pub(super) fn check_use(common: &CommonParameters) -> Result<(), KeyError> {
    if common.public_key_use.as_ref().is_some_and(|usage| *usage != PublicKeyUse::Signature) {
        return Err(KeyError::unusable("its `use` is not `sig`"));
    }
    if let Some(operations) = &common.key_operations
        && !operations.contains(&KeyOperations::Verify)
    {
        return Err(KeyError::unusable("its `key_ops` lacks `verify`"));
    }
    Ok(())
}

/// Reads the JWK's own `alg`, which may be a name that `jsonwebtoken` does not know.
pub(super) fn named_algorithm(alg: Option<&Value>) -> Result<Option<Algorithm>, KeyError> {
    let Some(alg) = alg else { return Ok(None) };
    let name = alg.as_str().ok_or_else(|| KeyError::unusable("its `alg` is not a string"))?;
    match name.parse() {
        Ok(algorithm) => Ok(Some(algorithm)),
        Err(_) => {
            Err(KeyError::unusable("its `alg` is not a signature algorithm that is supported"))
        }
    }
}

pub(super) fn read<'a, T: Deserialize<'a>>(jwk: &'a Value) -> Result<T, KeyError> {
    // The error names members and types, and the document is public.
    T::deserialize(jwk).map_err(|error| KeyError::unusable(error.to_string()))
}

pub(super) fn decode(name: &str, value: &str) -> Result<Vec<u8>, KeyError> {
    URL_SAFE_NO_PAD
        .decode_to_vec(value)
        .map_err(|_| KeyError::unusable(format!("its `{name}` is not unpadded base64url")))
}
