//! Sizes and depths.

use super::form::{HEADER, MALFORMED, claims, claims_with};
use crate::{Row, Setting, compact, encode, trusting};

pub(super) fn rows(setting: &Setting) -> Vec<Row> {
    let stands_for = "§4 CVE-2025-27144, CVE-2025-30204, CVE-2025-53864, CVE-2025-61920";
    let roomy = trusting(setting.issuer.trusted())
        .max_token_len(16 << 20)
        .build()
        .expect("a usable configuration");
    let header = encode(HEADER);
    let nested = |depth: usize, open: &str, close: &str| {
        let value = format!(r#""x":{}1{}"#, open.repeat(depth), close.repeat(depth));
        setting.valid().raw_claims(claims_with(setting, &value)).build()
    };
    let lists = |depth| nested(depth, "[", "]");
    let objects = |depth| nested(depth, r#"{"a":"#, "}");
    let open_ended = |document: String| setting.valid().raw_claims(document).build();
    let row = |engine, name: &str, token, code: &str| {
        Row::rejected(engine, name, stands_for, token, code)
    };
    vec![
        row(&setting.plain, "a million dots", ".".repeat(1_000_000), "token_too_large"),
        row(&roomy, "a million dots, where that much is read", ".".repeat(1_000_000), MALFORMED),
        row(
            &roomy,
            "a million segments behind a good header",
            format!("{header}{}.{}", ".a".repeat(1_000_000), encode([7; 64])),
            MALFORMED,
        ),
        row(
            &setting.plain,
            "a token one byte over 16 KiB",
            padded_to(setting, 16 * 1024 + 1),
            "token_too_large",
        ),
        row(
            &setting.plain,
            "a good token of 20 KiB",
            setting.valid().claim("x", "x".repeat(15 * 1024)).build(),
            "token_too_large",
        ),
        row(&setting.plain, "a megabyte that is no token", "x".repeat(1 << 20), "token_too_large"),
        row(&setting.plain, "lists 33 deep", lists(33), MALFORMED),
        row(&setting.plain, "objects 33 deep", objects(33), MALFORMED),
        row(&setting.plain, "lists 5,000 deep", lists(5_000), MALFORMED),
        row(&roomy, "lists a million deep", lists(1_000_000), MALFORMED),
        row(&roomy, "objects a million deep", objects(1_000_000), MALFORMED),
        row(
            &roomy,
            "a million brackets that never close",
            open_ended("[".repeat(1_000_000)),
            MALFORMED,
        ),
        row(
            &roomy,
            "a million objects that never close",
            open_ended(r#"{"a":"#.repeat(1_000_000)),
            MALFORMED,
        ),
        row(
            &roomy,
            "lists a million deep in the header",
            compact(
                format!(r#"{{"alg":"ES256","x":{}}}"#, "[".repeat(1_000_000)),
                claims(setting),
                [7; 64],
            ),
            MALFORMED,
        ),
        row(
            &roomy,
            "a hundred thousand claims of one name",
            open_ended(format!("{{{}}}", vec![r#""a":1"#; 100_000].join(","))),
            MALFORMED,
        ),
        row(
            &roomy,
            "a hundred thousand claims of one escaped name",
            open_ended(format!("{{{}}}", vec![r#""\u0061":1"#; 100_000].join(","))),
            MALFORMED,
        ),
        row(
            &roomy,
            "a date of a million digits",
            open_ended(claims_with(setting, &format!(r#""nbf":{}"#, "9".repeat(1_000_000)))),
            "malformed_claim",
        ),
    ]
}

/// Builds a good token of exactly this length.
pub(super) fn padded_to(setting: &Setting, len: usize) -> String {
    let build = |header: usize, claims: usize| {
        let pad = |len: usize| "x".repeat(len);
        setting.valid().header("x", pad(header)).claim("x", pad(claims)).build()
    };
    let base = build(0, 0).len();
    let rough = (len - base) / 4 * 3;
    (0..4)
        .flat_map(|header| {
            (rough.saturating_sub(12)..rough + 6).map(move |claims| (header, claims))
        })
        .map(|(header, claims)| build(header, claims))
        .find(|token| token.len() == len)
        .expect("a token of this length")
}
