//! Tokens are taken out of the query before the handler sees it, and nothing else is
//! ([RFC 6750 §2.3]).
//!
//! [RFC 6750 §2.3]: https://www.rfc-editor.org/rfc/rfc6750#section-2.3

use portcullis::{TokenLocation, policy::scope};

use super::{World, built, caller};
use crate::{
    answer::Answer,
    case::{Case, cases},
    request::Request,
};

/// The query that is sent, with `T` for the token, and the one that the handler sees.
const STRIPPED: [(&str, &str); 22] = [
    ("access_token=T", ""),
    ("a=1&access_token=T", "a=1"),
    ("access_token=T&b=2", "b=2"),
    ("a=1&access_token=T&b=2", "a=1&b=2"),
    ("a=1&a=2&access_token=T&a=3", "a=1&a=2&a=3"),
    ("access%5Ftoken=T&a=1", "a=1"),
    ("%61ccess%5ftoken=T&a=1", "a=1"),
    ("a&access_token=T", "a"),
    ("a=&access_token=T", "a="),
    ("a=b=c&access_token=T", "a=b=c"),
    ("&access_token=T&", "&"),
    ("a=%26access_token%3Dx&access_token=T", "a=%26access_token%3Dx"),
    ("a=%C3%A4+%20&access_token=T", "a=%C3%A4+%20"),
    ("a=%zz&access_token=T", "a=%zz"),
    ("a=access_token&access_token=T", "a=access_token"),
    ("access_token2=x&access_token=T", "access_token2=x"),
    ("xaccess_token=x&access_token=T", "xaccess_token=x"),
    ("Access_Token=x&access_token=T", "Access_Token=x"),
    ("access_token%20=x&access_token=T", "access_token%20=x"),
    ("access%255Ftoken=x&access_token=T", "access%255Ftoken=x"),
    ("a=1;access_token=x&access_token=T", "a=1;access_token=x"),
    ("a=/b?c&access_token=T", "a=/b?c"),
];

pub(super) fn rows(world: &World) -> Vec<Case> {
    let configuration = world.configuration("the paved path", |builder| {
        built(builder.locations(TokenLocation::header_query_cookie("access_token")))
    });
    let token = world.token_of("alice");
    let alice = || Answer::accepted(caller("alice"));
    let stripped = STRIPPED.map(|(sent, seen)| {
        let answer = if seen.is_empty() { alice() } else { alice().seeing(seen) };
        let request = Request::new().query(sent.replace("=T", &format!("={token}")));
        (format!("?{sent}"), request, answer.no_store())
    });
    let mut all = cases(&configuration, stripped);
    all.extend(cases(&configuration, left_alone(&token)));
    all.extend(cases(&configuration, rejected(world)));
    let needing = world.configuration("the paved path, and a scope", |builder| {
        built(builder.locations(TokenLocation::header_query_cookie("access_token")))
            .require(scope("orders:write"))
    });
    let answer = Answer::rejected("insufficient_scope").parameter("scope", "orders:write");
    let request = Request::new().query(format!("access_token={token}"));
    all.extend(cases(&needing, [("a token without it in the query", request, answer.no_store())]));
    all
}

/// Where no token is in the query, it stays as it is and the response may be stored.
fn left_alone(token: &str) -> Vec<(&'static str, Request, Answer)> {
    let alice = || Answer::accepted(caller("alice"));
    let with = |query: &str| Request::new().bearer(token).query(query);
    let absolute = Request::new().query(format!("a=1&access_token={token}")).absolute();
    vec![
        ("a query without a token", with("a=1&b=%20"), alice().seeing("a=1&b=%20")),
        ("an empty query", with(""), alice()),
        ("a query of ampersands", with("&&"), alice().seeing("&&")),
        ("a name that is none of ours", with("access_tokens=x"), alice().seeing("access_tokens=x")),
        ("a whole URI", absolute, alice().seeing("a=1").no_store()),
        (
            "a whole URI without a token",
            Request::new().bearer(token).query("a=1").absolute(),
            alice().seeing("a=1"),
        ),
    ]
}

/// A rejection, too, must not be stored: its URI holds a token.
fn rejected(world: &World) -> Vec<(&'static str, Request, Answer)> {
    let rejected = |code| Answer::rejected(code).no_store();
    let with = |token: &str| Request::new().query(format!("access_token={token}"));
    let valid = || world.token();
    vec![
        ("an expired token", with(&valid().expired().build()), rejected("token_expired")),
        (
            "a forged token",
            with(&valid().wrong_signature().build()),
            rejected("signature_mismatch"),
        ),
        ("an empty token", with(""), rejected("malformed_request")),
        ("no JWT", with("abc"), rejected("malformed_token")),
        (
            "an expired token, and HEAD",
            with(&valid().expired().build()).method("HEAD"),
            rejected("token_expired").for_method("HEAD"),
        ),
        ("none of ours", Request::new().query("a=1"), Answer::rejected("no_credentials")),
    ]
}
