//! Tokens in header fields.

use portcullis::{Authenticator, MultipleTokens, TokenLocation};

use crate::{Request, Row, Setting, trusting};

pub(super) fn rows(setting: &Setting) -> Vec<Row> {
    [fields(setting), own_header(setting)].concat()
}

/// Rows of requests for one engine.
pub(super) fn table(
    engine: &Authenticator,
    stands_for: &'static str,
    rows: Vec<(&str, Request, &str)>,
) -> Vec<Row> {
    let row = |(name, request, code)| Row::rejected(engine, name, stands_for, request, code);
    rows.into_iter().map(row).collect()
}

fn fields(setting: &Setting) -> Vec<Row> {
    let token = setting.valid().build();
    let request = Request::new;
    let with = |value: String| Request::new().authorization(value);
    let mut rows = table(
        &setting.plain,
        "RFC 6750 §2.1, RFC 9110 §11.4",
        vec![
            ("no field at all", request(), "no_credentials"),
            ("an empty field", with(String::new()), "no_credentials"),
            (
                "two fields with one token",
                request().bearer(&token).bearer(&token),
                "multiple_tokens",
            ),
            (
                "two fields, the second one empty",
                request().bearer(&token).authorization(""),
                "multiple_tokens",
            ),
            (
                "two fields, the first one of another scheme",
                request().authorization("Basic YTpi").bearer(&token),
                "multiple_tokens",
            ),
            (
                "ten thousand fields",
                (0..10_000).fold(request(), |request, _| request.bearer(&token)),
                "multiple_tokens",
            ),
            ("the scheme alone", with("Bearer".into()), "malformed_request"),
            ("the scheme and a space", with("Bearer ".into()), "malformed_request"),
            ("the scheme and many spaces", with("Bearer      ".into()), "malformed_request"),
            ("a tab behind the scheme", with(format!("Bearer\t{token}")), "malformed_request"),
            ("a newline behind the scheme", with(format!("Bearer\n{token}")), "no_credentials"),
            ("a colon behind the scheme", with(format!("Bearer: {token}")), "no_credentials"),
            ("nothing behind the scheme", with(format!("Bearer{token}")), "no_credentials"),
            (
                "a space and a tab behind the scheme",
                with(format!("Bearer \t{token}")),
                "malformed_request",
            ),
            ("two words behind the scheme", with("Bearer a b".into()), "malformed_request"),
            (
                "two tokens behind the scheme",
                with(format!("Bearer {token} {token}")),
                "malformed_request",
            ),
            (
                "two credentials in one field",
                with(format!("Bearer {token}, Bearer {token}")),
                "malformed_request",
            ),
            ("the scheme twice", with(format!("Bearer Bearer {token}")), "malformed_request"),
            (
                "a token in quotes behind the scheme",
                with(format!("Bearer \"{token}\"")),
                "malformed_request",
            ),
            (
                "a parameter behind the scheme",
                with(format!("Bearer token=\"{token}\"")),
                "malformed_request",
            ),
            ("a token and a parameter", with(format!("Bearer {token}; x=1")), "malformed_request"),
            ("a NUL behind the token", with(format!("Bearer {token}\0")), "malformed_request"),
            (
                "a field added by a newline",
                with(format!("Bearer {token}\r\nX: 1")),
                "malformed_request",
            ),
            ("another scheme", with("Basic YWxpY2U6c2VjcmV0".into()), "no_credentials"),
            ("another scheme with a good token", with(format!("DPoP {token}")), "no_credentials"),
            ("no scheme", with(token.clone()), "no_credentials"),
            ("a scheme that begins like ours", with(format!("BearerX {token}")), "no_credentials"),
            (
                "a scheme with a full-width letter",
                with(format!("Ｂearer {token}")),
                "no_credentials",
            ),
            ("a space before the scheme", with(format!(" Bearer {token}")), "no_credentials"),
            (
                "a token in another field",
                request().field("x-authorization", format!("Bearer {token}")),
                "no_credentials",
            ),
            (
                "a token in a query that nobody reads",
                request().query(format!("access_token={token}")),
                "no_credentials",
            ),
            (
                "a token in a cookie that nobody reads",
                request().cookie(format!("access_token={token}")),
                "no_credentials",
            ),
        ],
    );
    for (name, bytes) in [
        ("bytes beyond ASCII behind the scheme", &b"Bearer \xff\xfe\x80"[..]),
        ("a no-break space behind the scheme", b"Bearer \xc2\xa0abc"),
        ("a delete byte behind the scheme", b"Bearer abc\x7f"),
        ("padding alone behind the scheme", b"Bearer =="),
    ] {
        let request = Request::new().authorization(bytes);
        let stands_for = "RFC 6750 §2.1";
        rows.push(Row::rejected(&setting.plain, name, stands_for, request, "malformed_request"));
    }
    rows
}

fn own_header(setting: &Setting) -> Vec<Row> {
    let token = setting.valid().build();
    let engine = trusting(setting.issuer.trusted())
        .locations([TokenLocation::header("X-Api-Key").prefix("pk_")])
        .multiple_tokens(MultipleTokens::Reject)
        .build()
        .expect("a usable configuration");
    let with = |value: String| Request::new().field("x-api-key", value);
    table(
        &engine,
        "RFC 9110 §5.3",
        vec![
            (
                "a header of its own, twice",
                with(format!("pk_{token}")).field("x-api-key", "pk_x"),
                "multiple_tokens",
            ),
            (
                "a header of its own, twice, one without prefix",
                with(format!("pk_{token}")).field("x-api-key", "x"),
                "multiple_tokens",
            ),
            ("a header of its own without the prefix", with(token.clone()), "no_credentials"),
            ("a header of its own with the prefix alone", with("pk_".into()), "malformed_request"),
            (
                "a header of its own with the prefix twice",
                with(format!("pk_pk_{token}")),
                "malformed_token",
            ),
            (
                "a header of its own with the prefix in upper case",
                with(format!("PK_{token}")),
                "no_credentials",
            ),
            (
                "a header of its own with a scheme",
                with(format!("Bearer {token}")),
                "no_credentials",
            ),
        ],
    )
}
