//! Tokens in queries, in cookies, and in several places.

use super::fields::table;
use crate::{Request, Row, Setting};

pub(super) fn rows(setting: &Setting) -> Vec<Row> {
    [queries(setting), cookies(setting), several_places(setting), all_tokens(setting)].concat()
}

fn queries(setting: &Setting) -> Vec<Row> {
    let token = setting.valid().build();
    let with = |query: String| Request::new().query(query);
    table(
        &setting.paved,
        "RFC 6750 §2.3, CVE-2026-44883",
        vec![
            ("an empty query", with(String::new()), "no_credentials"),
            ("a parameter without value", with("access_token=".into()), "malformed_request"),
            ("a parameter without `=`", with("a=1&access_token".into()), "malformed_request"),
            (
                "a parameter twice",
                with(format!("access_token={token}&access_token={token}")),
                "multiple_tokens",
            ),
            (
                "a parameter twice, the second one empty",
                with(format!("access_token={token}&access_token=")),
                "malformed_request",
            ),
            (
                "a parameter twice, first percent-encoded",
                with(format!("access%5Ftoken={token}&access_token={token}")),
                "multiple_tokens",
            ),
            (
                "a parameter twice, then percent-encoded in lower case",
                with(format!("access_token={token}&%61ccess%5ftoken={token}")),
                "multiple_tokens",
            ),
            (
                "ten thousand parameters",
                with(vec![format!("access_token={token}"); 10_000].join("&")),
                "multiple_tokens",
            ),
            ("a parameter in upper case", with(format!("Access_Token={token}")), "no_credentials"),
            ("a parameter as a list", with(format!("access_token[]={token}")), "no_credentials"),
            (
                "a parameter behind a semicolon",
                with(format!("a=1;access_token={token}")),
                "no_credentials",
            ),
            (
                "a parameter encoded twice",
                with(format!("access%255Ftoken={token}")),
                "no_credentials",
            ),
            (
                "a parameter with a NUL in its name",
                with(format!("access_token%00={token}")),
                "no_credentials",
            ),
            (
                "a value with an escaped NUL",
                with(format!("access_token={token}%00")),
                "malformed_request",
            ),
            (
                "a value with an escaped space",
                with(format!("access_token={token}%20")),
                "malformed_request",
            ),
            (
                "a value with a broken escape",
                with(format!("access_token={token}%zz")),
                "malformed_request",
            ),
            (
                "a value with an escaped byte beyond ASCII",
                with(format!("access_token=%ff{token}")),
                "malformed_request",
            ),
            (
                "a value with its scheme",
                with(format!("access_token=Bearer%20{token}")),
                "malformed_request",
            ),
            (
                "a value with a plus for a space",
                with(format!("access_token={token}+")),
                "malformed_token",
            ),
            (
                "a value with another `=`",
                with(format!("access_token={token}=x")),
                "malformed_request",
            ),
            (
                "a value encoded twice",
                with(format!("access_token={}", token.replace('.', "%252E"))),
                "malformed_request",
            ),
        ],
    )
}

fn cookies(setting: &Setting) -> Vec<Row> {
    let token = setting.valid().build();
    let pair = format!("access_token={token}");
    let with = |cookie: String| Request::new().cookie(cookie);
    table(
        &setting.paved,
        "RFC 6265 §4.2.1",
        vec![
            (
                "a cookie in a request that another site caused",
                with(pair.clone()).method("POST").field("sec-fetch-site", "cross-site"),
                "cross_site_request",
            ),
            ("a cookie twice", with(format!("{pair}; {pair}")), "multiple_tokens"),
            ("a cookie in two fields", with(pair.clone()).cookie(pair.clone()), "multiple_tokens"),
            (
                "a cookie twice, the second one empty",
                with(format!("{pair}; access_token=")),
                "malformed_request",
            ),
            ("an empty cookie", with("access_token=".into()), "malformed_request"),
            ("a cookie with empty quotes", with(r#"access_token="""#.into()), "malformed_request"),
            (
                "a cookie whose quote never ends",
                with(format!("access_token=\"{token}")),
                "malformed_request",
            ),
            (
                "a cookie in two pairs of quotes",
                with(format!("access_token=\"\"{token}\"\"")),
                "malformed_request",
            ),
            ("a cookie in upper case", with(format!("ACCESS_TOKEN={token}")), "no_credentials"),
            (
                "a cookie with a prefix",
                with(format!("__Host-access_token={token}")),
                "no_credentials",
            ),
            (
                "a cookie whose name ends like ours",
                with(format!("xaccess_token={token}")),
                "no_credentials",
            ),
            (
                "a cookie without `=`",
                with(format!("a=1; access_token; b={token}")),
                "no_credentials",
            ),
            ("a cookie with a comma", with(format!("a=1, {pair}")), "no_credentials"),
            (
                "a percent-encoded cookie name",
                with(format!("access%5Ftoken={token}")),
                "no_credentials",
            ),
            ("a cookie in the value of another", with(format!("a={pair}")), "no_credentials"),
            ("ten thousand cookies", with(vec![pair; 10_000].join("; ")), "multiple_tokens"),
        ],
    )
}

fn several_places(setting: &Setting) -> Vec<Row> {
    let token = setting.valid().build();
    let bad = setting.valid().wrong_signature().build();
    let query = format!("access_token={token}");
    let mut rows = table(
        &setting.paved,
        "RFC 6750 §2",
        vec![
            ("header and query", Request::new().bearer(&token).query(&query), "multiple_tokens"),
            (
                "header and an empty parameter",
                Request::new().bearer(&token).query("access_token="),
                "malformed_request",
            ),
            (
                "the scheme alone and query",
                Request::new().authorization("Bearer").query(&query),
                "malformed_request",
            ),
            (
                "a bad header, and a good cookie that does not replace it",
                Request::new().bearer(&bad).cookie(&*query),
                "signature_mismatch",
            ),
            (
                "the scheme alone, and a good cookie that does not replace it",
                Request::new().authorization("Bearer").cookie(&*query),
                "malformed_request",
            ),
            (
                "a bad query, and a good cookie that does not replace it",
                Request::new().query(format!("access_token={bad}")).cookie(&*query),
                "signature_mismatch",
            ),
        ],
    );
    rows.extend(table(
        &setting.first,
        "RFC 6750 §2",
        vec![
            (
                "where the first counts: a bad header, and a good query",
                Request::new().bearer(&bad).query(&query),
                "signature_mismatch",
            ),
            (
                "where the first counts: two fields, the first one bad",
                Request::new().bearer(&bad).bearer(&token),
                "signature_mismatch",
            ),
            (
                "where the first counts: an empty parameter, and a good cookie",
                Request::new().query("access_token=").cookie(&*query),
                "malformed_request",
            ),
            (
                "where the first counts: a bad parameter, and a good one",
                Request::new().query(format!("access_token={bad}&{query}")),
                "signature_mismatch",
            ),
        ],
    ));
    rows
}

/// Each token costs a verification, so their number is limited.
fn all_tokens(setting: &Setting) -> Vec<Row> {
    let token = setting.valid().build();
    let bad = setting.valid().wrong_signature().build();
    let pair = format!("access_token={token}");
    let many = |count| vec![pair.as_str(); count];
    table(
        &setting.all,
        "§4 one request, many tokens",
        vec![
            (
                "where all count: five tokens",
                Request::new().query(many(5).join("&")),
                "multiple_tokens",
            ),
            (
                "where all count: five tokens in three places",
                Request::new().bearer(&token).query(many(2).join("&")).cookie(many(2).join("; ")),
                "multiple_tokens",
            ),
            (
                "where all count: ten thousand fields",
                (0..10_000).fold(Request::new(), |request, _| request.bearer(&token)),
                "multiple_tokens",
            ),
            (
                "where all count: ten thousand parameters",
                Request::new().query(many(10_000).join("&")),
                "multiple_tokens",
            ),
            (
                "where all count: ten thousand cookies",
                Request::new().cookie(many(10_000).join("; ")),
                "multiple_tokens",
            ),
            (
                "where all count: a good header, and a bad query",
                Request::new().bearer(&token).query(format!("access_token={bad}")),
                "signature_mismatch",
            ),
            (
                "where all count: a good header, and a bad cookie",
                Request::new().bearer(&token).cookie(format!("access_token={bad}")),
                "signature_mismatch",
            ),
            (
                "where all count: a bad header, and a good query",
                Request::new().bearer(&bad).query(&pair),
                "signature_mismatch",
            ),
            (
                "where all count: a good header, and an empty cookie",
                Request::new().bearer(&token).cookie("access_token="),
                "malformed_request",
            ),
            (
                "where all count: nothing",
                Request::new().cookie("a=b").query("c=d"),
                "no_credentials",
            ),
        ],
    )
}
