//! The forms in which public keys are handed around: each has been taken for an HMAC secret.

use base64_simd::{STANDARD, URL_SAFE_NO_PAD};
use portcullis_testkit::SigningKey;
use serde_json::{Value, json};

/// Returns each form of a public key, RSA or P-256, with its name.
#[must_use]
pub fn forms_of(key: &SigningKey) -> Vec<(&'static str, Vec<u8>)> {
    let jwk = key.public_jwk().expect("a public key");
    let member = |name: &str| {
        let text = jwk.get(name).and_then(Value::as_str).expect("a member of the JWK");
        URL_SAFE_NO_PAD.decode_to_vec(text).expect("base64url")
    };
    let mut forms = if jwk.get("n").is_some() {
        rsa_forms(&member("n"), &member("e"))
    } else {
        ec_forms(&[&[4][..], &member("x"), &member("y")].concat())
    };
    forms.push(("its JWK", jwk.to_string().into()));
    forms.push(("a list with its JWK", json!([jwk]).to_string().into()));
    forms.push(("its JWK Set", json!({"keys": [jwk]}).to_string().into()));
    forms.push(("its JWK, pretty-printed after white space", format!("\n  {jwk:#}").into()));
    forms
}

fn rsa_forms(n: &[u8], e: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let pkcs1 = tlv(0x30, &[integer(n), integer(e)].concat());
    // rsaEncryption, with the NULL that RFC 3279 §2.3.1 asks for.
    let algorithm = [0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];
    let spki = spki(&algorithm, &pkcs1);
    let pem = pem("PUBLIC KEY", &spki);
    let ssh = [ssh_string(b"ssh-rsa"), ssh_string(&positive(e)), ssh_string(&positive(n))].concat();
    vec![
        ("its PEM text", pem.clone().into()),
        ("its PEM text without the last newline", pem.trim_end().into()),
        ("its PEM text after white space", format!("\n \t{pem}").into()),
        ("its PEM text after a comment", format!("# the key of the issuer\n{pem}").into()),
        ("its PEM text with CRLF", pem.replace('\n', "\r\n").into()),
        ("its PEM text of form PKCS#1", self::pem("RSA PUBLIC KEY", &pkcs1).into()),
        ("its DER in base64 alone", STANDARD.encode_to_string(&spki).into()),
        ("its DER", spki),
        ("its DER of form PKCS#1", pkcs1),
        ("its OpenSSH text", format!("ssh-rsa {} idp", STANDARD.encode_to_string(ssh)).into()),
    ]
}

fn ec_forms(point: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    // ecPublicKey on prime256v1.
    let algorithm = [
        0x06, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7,
    ];
    let spki = spki(&algorithm, point);
    let pem = pem("PUBLIC KEY", &spki);
    let name = "ecdsa-sha2-nistp256";
    let ssh = [ssh_string(name.as_bytes()), ssh_string(b"nistp256"), ssh_string(point)].concat();
    vec![
        ("its PEM text", pem.clone().into()),
        ("its PEM text after white space", format!("\n \t{pem}").into()),
        ("its DER", spki),
        ("its OpenSSH text", format!("{name} {} idp", STANDARD.encode_to_string(ssh)).into()),
    ]
}

/// `SubjectPublicKeyInfo` ([RFC 5280 §4.1]).
///
/// [RFC 5280 §4.1]: https://www.rfc-editor.org/rfc/rfc5280#section-4.1
fn spki(algorithm: &[u8], key: &[u8]) -> Vec<u8> {
    let bits = tlv(0x03, &[&[0], key].concat());
    tlv(0x30, &[tlv(0x30, algorithm), bits].concat())
}

fn integer(value: &[u8]) -> Vec<u8> {
    tlv(0x02, &positive(value))
}

/// An integer whose first bit is set would be negative.
fn positive(value: &[u8]) -> Vec<u8> {
    let sign = value.first().is_some_and(|first| *first >= 0x80).then_some(0);
    sign.into_iter().chain(value.iter().copied()).collect()
}

/// Tag, length and value of DER.
#[must_use]
pub fn tlv(tag: u8, value: &[u8]) -> Vec<u8> {
    let len = u16::try_from(value.len()).expect("a short value");
    let [high, low] = len.to_be_bytes();
    let head = match len {
        0..0x80 => vec![tag, low],
        0x80..0x100 => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    [&head, value].concat()
}

fn ssh_string(value: &[u8]) -> Vec<u8> {
    let len = u32::try_from(value.len()).expect("a short value");
    [&len.to_be_bytes()[..], value].concat()
}

fn pem(label: &str, der: &[u8]) -> String {
    let base64 = STANDARD.encode_to_string(der);
    let lines: Vec<_> =
        base64.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line)).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}
