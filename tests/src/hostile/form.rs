//! Segments, serializations and base64url.

use portcullis::Algorithm;
use serde_json::json;

use crate::{Row, Setting, encode};

pub(super) fn rows(setting: &Setting) -> Vec<Row> {
    [segments(setting), other_serializations(setting), base64(setting)].concat()
}

pub(super) const HEADER: &str = r#"{"alg":"ES256","kid":"es256"}"#;

pub(super) const MALFORMED: &str = "malformed_token";

const NOT_B64TOKEN: &str = "malformed_request";

/// Signs the text of two segments, whatever it is, so that the form alone is wrong.
fn signed(setting: &Setting, header: &str, payload: &str) -> String {
    let signing_input = format!("{header}.{payload}");
    let signature = setting.issuer.key(Algorithm::ES256).sign(signing_input.as_bytes());
    format!("{signing_input}.{}", encode(signature))
}

pub(super) fn claims(setting: &Setting) -> String {
    setting.valid().claims_json()
}

/// Puts a member in front of the others.
pub(super) fn claims_with(setting: &Setting, member: &str) -> String {
    claims(setting).replacen('{', &format!("{{{member},"), 1)
}

fn segments(setting: &Setting) -> Vec<Row> {
    let valid = setting.valid().build();
    let [header, payload, signature] = valid.split('.').collect::<Vec<_>>()[..] else {
        return Vec::new();
    };
    let row = |name: &str, token: String, code: &str| {
        Row::rejected(&setting.plain, name, "§4 CVE-2024-21664, §9 segments", token, code)
    };
    vec![
        row("the empty text", String::new(), "no_credentials"),
        row("one segment", header.to_owned(), MALFORMED),
        row("two segments", format!("{header}.{payload}"), MALFORMED),
        row("four segments", format!("{valid}.{signature}"), MALFORMED),
        row(
            "four segments, the second one empty",
            format!("{header}..{payload}.{signature}"),
            MALFORMED,
        ),
        row(
            "five segments that begin as a JWS",
            format!("{valid}.{payload}.{signature}"),
            MALFORMED,
        ),
        row("a dot in front", format!(".{valid}"), MALFORMED),
        row("a dot behind", format!("{valid}."), MALFORMED),
        row("one dot", ".".to_owned(), MALFORMED),
        row("two dots", "..".to_owned(), MALFORMED),
        row("four dots", "....".to_owned(), MALFORMED),
        row("the header is empty", format!(".{payload}.{signature}"), MALFORMED),
        row("the payload is empty", format!("{header}..{signature}"), MALFORMED),
        row("the payload is empty and signed", signed(setting, header, ""), MALFORMED),
        row("two tokens with a space", format!("{valid} {valid}"), NOT_B64TOKEN),
        row("two tokens with a comma", format!("{valid},{valid}"), NOT_B64TOKEN),
        row("a token in quotes", format!("\"{valid}\""), NOT_B64TOKEN),
        row("a token with its scheme", format!("Bearer {valid}"), NOT_B64TOKEN),
        row("a token and a NUL", format!("{valid}\0"), NOT_B64TOKEN),
        row("a token and a newline", format!("{valid}\n"), NOT_B64TOKEN),
        row("a NUL in the payload", valid.replacen('.', ".\0", 1), NOT_B64TOKEN),
        row("a control byte in the header", format!("\u{1}{valid}"), NOT_B64TOKEN),
        row("a byte-order mark in front", format!("\u{feff}{valid}"), NOT_B64TOKEN),
        row("full-width dots", valid.replace('.', "．"), NOT_B64TOKEN),
        row("percent signs in place of dots", valid.replace('.', "%2E"), NOT_B64TOKEN),
    ]
}

fn other_serializations(setting: &Setting) -> Vec<Row> {
    let valid = setting.valid().build();
    let [header, payload, signature] = valid.split('.').collect::<Vec<_>>()[..] else {
        return Vec::new();
    };
    let flattened =
        json!({"protected": header, "payload": payload, "signature": signature}).to_string();
    let general = json!({
        "payload": payload,
        "signatures": [
            {"protected": header, "signature": signature},
            {"protected": encode(r#"{"alg":"none"}"#), "signature": ""},
        ],
    })
    .to_string();
    let encrypted = |header: &str| {
        format!(
            "{}.{}.{}.{}.{}",
            encode(header),
            encode([7; 32]),
            encode([7; 12]),
            payload,
            encode([7; 16])
        )
    };
    let row = |name: &str, stands_for, token: String, code: &str| {
        Row::rejected(&setting.plain, name, stands_for, token, code)
    };
    let rejected = "algorithm_not_allowed";
    vec![
        row("the flattened JSON form", "§4 CVE-2022-39227", flattened.clone(), NOT_B64TOKEN),
        row(
            "the general JSON form, two signatures",
            "§4 CVE-2016-9122",
            general.clone(),
            NOT_B64TOKEN,
        ),
        row(
            "the flattened JSON form in base64url",
            "§4 CVE-2022-39227",
            encode(&flattened),
            MALFORMED,
        ),
        row("the general JSON form in base64url", "§4 CVE-2016-9122", encode(&general), MALFORMED),
        row(
            "the flattened JSON form as the header of a token",
            "§4 CVE-2022-39227",
            signed(setting, &encode(&flattened), payload),
            MALFORMED,
        ),
        row(
            "the JSON form with a compact token inside",
            "§4 CVE-2022-39227",
            format!("{{\" {header}.{payload}.{signature}\":\"\"}}"),
            NOT_B64TOKEN,
        ),
        row(
            "a JWE with a direct key",
            "§4 CVE-2023-51774",
            encrypted(r#"{"alg":"dir","enc":"A256GCM"}"#),
            rejected,
        ),
        row(
            "a JWE for an RSA key, with a plain JWT inside",
            "§4 CVE-2026-29000",
            encrypted(r#"{"alg":"RSA-OAEP","enc":"A256GCM","cty":"JWT"}"#),
            rejected,
        ),
        row(
            "a JWE that makes its reader hash a billion times",
            "§4 CVE-2022-36083, CVE-2023-49290, CVE-2023-50658, CVE-2023-52428",
            encrypted(
                r#"{"alg":"PBES2-HS256+A128KW","enc":"A256GCM","p2c":2147483647,"p2s":"AA"}"#,
            ),
            rejected,
        ),
        row(
            "a compressed JWE",
            "§4 CVE-2024-21319, CVE-2024-28122, CVE-2024-28180, CVE-2024-33664",
            encrypted(r#"{"alg":"dir","enc":"A256GCM","zip":"DEF"}"#),
            rejected,
        ),
        row(
            "a JWE with a point that is not on its curve",
            "§4 CVE-2016-9121",
            encrypted(
                r#"{"alg":"ECDH-ES","enc":"A256GCM","epk":{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}}"#,
            ),
            rejected,
        ),
        row(
            "five segments whose `alg` is one of the issuer's",
            "§4 CVE-2023-51774, §7 a JWE in place of a JWS",
            encrypted(r#"{"alg":"ES256","kid":"es256","enc":"A256GCM"}"#),
            MALFORMED,
        ),
        row(
            "a JWE without tag",
            "§4 CVE-2026-34986",
            format!("{}....", encode(r#"{"alg":"dir","enc":"A256CBC-HS512"}"#)),
            rejected,
        ),
        row(
            "a signed token inside of a signed token",
            "§7 nested tokens",
            signed(
                setting,
                &encode(r#"{"alg":"ES256","kid":"es256","cty":"JWT"}"#),
                &encode(&valid),
            ),
            MALFORMED,
        ),
    ]
}

fn base64(setting: &Setting) -> Vec<Row> {
    // Both end in a character with spare bits, and hold one that the alphabets write differently.
    let header = encode(r#"{"alg":"ES256","kid":"es256","x":"????>>>"}"#);
    let payload = (0..9)
        .map(|len| encode(claims_with(setting, &format!(r#""x":"???>>>{}""#, "?".repeat(len)))))
        .find(|payload| payload.len() % 4 != 0 && payload.contains(['-', '_']))
        .expect("a payload with spare bits");
    let token = loop {
        let token = signed(setting, &header, &payload);
        if token.rsplit('.').next().is_some_and(|signature| signature.contains(['-', '_'])) {
            break token;
        }
    };
    let (signing_input, signature) = token.rsplit_once('.').expect("a signature");
    let mut rows = Vec::new();
    let mut row = |what: &str, stands_for, spoil: &dyn Fn(&str) -> String, codes: [&str; 3]| {
        let tokens = [
            signed(setting, &spoil(&header), &payload),
            signed(setting, &header, &spoil(&payload)),
            format!("{signing_input}.{}", spoil(signature)),
        ];
        for (segment, (token, code)) in
            ["header", "payload", "signature"].into_iter().zip(tokens.into_iter().zip(codes))
        {
            let phrase = format!("the {segment} {what}");
            rows.push(Row::rejected(&setting.plain, phrase, stands_for, token, code));
        }
    };
    let thrice = |code| [code, code, code];
    // Padding may stand at the end of a `b64token`, and there only.
    let padding = [NOT_B64TOKEN, NOT_B64TOKEN, MALFORMED];
    row(
        "is padded",
        "§9 padding",
        &|text| format!("{text}{}", "=".repeat(4 - text.len() % 4)),
        padding,
    );
    row("has one `=` too many", "§9 padding", &|text| format!("{text}===="), padding);
    row(
        "is in the standard alphabet",
        "§9 alphabet",
        &|text| text.replace('-', "+").replace('_', "/"),
        thrice(MALFORMED),
    );
    row("has spare bits that are set", "§9 not canonical", &with_spare_bits, thrice(MALFORMED));
    // It decodes to one byte more: a NUL.
    let one_more = [MALFORMED, MALFORMED, "signature_mismatch"];
    row("has one character too many", "§9 length", &|text| format!("{text}A"), one_more);
    row(
        "has a length that base64 cannot have",
        "§9 length",
        &|text| format!("{text}{}", "A".repeat(5 - text.len() % 4)),
        thrice(MALFORMED),
    );
    row("has a tilde", "§9 alphabet", &|text| format!("{text}~"), thrice(MALFORMED));
    row("has a space", "§9 white space", &|text| format!("{text} "), thrice(NOT_B64TOKEN));
    row(
        "has a newline inside",
        "§9 white space",
        &|text| newline_inside(text),
        thrice(NOT_B64TOKEN),
    );
    row("has a byte beyond ASCII", "§9 alphabet", &|text| format!("ä{text}"), thrice(NOT_B64TOKEN));
    rows
}

fn newline_inside(segment: &str) -> String {
    let (start, end) = segment.split_at(4);
    format!("{start}\n{end}")
}

/// Sets the lowest bit of the last character, which decodes to nothing.
fn with_spare_bits(segment: &str) -> String {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut segment = segment.to_owned();
    let value = segment.pop().and_then(|last| ALPHABET.find(last)).expect("base64url");
    segment.extend(ALPHABET.chars().nth(value | 1));
    segment
}
