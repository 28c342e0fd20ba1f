//! Places of other names and forms than `Authorization: Bearer`.

use portcullis::TokenLocation;

use super::{World, built, caller};
use crate::{
    answer::Answer,
    case::{Case, cases},
    request::Request,
    setup::Configuration,
};

pub(super) fn rows(world: &World) -> Vec<Case> {
    [
        raw_header(world),
        another_scheme(world),
        trimmed(world),
        prefix(world),
        cookie(world),
        query(world),
        two_headers(world),
        two_cookies(world),
    ]
    .concat()
}

fn places<const N: usize>(world: &World, name: &str, places: [TokenLocation; N]) -> Configuration {
    world.configuration(name, move |builder| built(builder.locations(places.clone())))
}

/// What a row's code or subject stands for.
fn told(expected: Result<&str, &str>) -> Answer {
    expected.map_or_else(Answer::rejected, |subject| Answer::accepted(caller(subject)))
}

fn rows_of<const N: usize>(
    configuration: &Configuration,
    rows: [(&str, Request, Result<&str, &str>); N],
) -> Vec<Case> {
    cases(configuration, rows.map(|(name, request, expected)| (name, request, told(expected))))
}

const NOTHING: Result<&str, &str> = Err("no_credentials");
const MALFORMED: Result<&str, &str> = Err("malformed_request");
const MULTIPLE: Result<&str, &str> = Err("multiple_tokens");

fn raw_header(world: &World) -> Vec<Case> {
    let configuration = places(world, "X-Api-Key", [TokenLocation::header("X-Api-Key")]);
    let token = world.token_of("alice");
    let with = |value: &str| Request::new().field("x-api-key", value);
    rows_of(
        &configuration,
        [
            ("the token", with(&token), Ok("alice")),
            ("a scheme before the token", with(&format!("Bearer {token}")), MALFORMED),
            ("an empty field", with(""), MALFORMED),
            ("two fields", with(&token).field("x-api-key", &*token), MULTIPLE),
            ("the token in Authorization", Request::new().bearer(&token), NOTHING),
            ("two Authorization fields beside", with(&token).bearer("x").bearer("y"), Ok("alice")),
        ],
    )
}

fn another_scheme(world: &World) -> Vec<Case> {
    let place = TokenLocation::header("authorization").scheme("Token");
    let configuration = places(world, "Authorization: Token", [place]);
    let token = world.token_of("alice");
    let with = |value: String| Request::new().authorization(value);
    rows_of(
        &configuration,
        [
            ("the scheme", with(format!("Token {token}")), Ok("alice")),
            ("the scheme in lower case", with(format!("token {token}")), Ok("alice")),
            ("Bearer", with(format!("Bearer {token}")), NOTHING),
            ("the scheme alone", with("Token".to_owned()), MALFORMED),
            ("a longer scheme", with(format!("Tokens {token}")), NOTHING),
        ],
    )
}

fn trimmed(world: &World) -> Vec<Case> {
    let locations = [TokenLocation::bearer().exact_scheme("Bearer"), TokenLocation::cookie("t")];
    let locations = locations.map(|location| {
        TokenLocation::custom("trimmed", [location], |values| {
            let tokens = values.iter().flatten().map(|token| token.trim_ascii());
            Ok(tokens.filter(|token| !token.is_empty()).map(ToOwned::to_owned).next())
        })
    });
    let configuration = places(world, "trimmed, and an empty one is none", locations);
    let token = world.token_of("alice");
    let with = |value: &str| Request::new().authorization(value);
    rows_of(
        &configuration,
        [
            ("one space", with(&format!("Bearer {token}")), Ok("alice")),
            ("spaces in front", with(&format!("Bearer   {token}")), Ok("alice")),
            ("a space and a tab", with(&format!("Bearer \t{token}")), Ok("alice")),
            ("a tab for the space", with(&format!("Bearer\t{token}")), NOTHING),
            ("a space inside", with(&format!("Bearer {token} x")), MALFORMED),
            ("another letter case", with(&format!("bearer {token}")), NOTHING),
            ("the scheme alone", with("Bearer"), NOTHING),
            ("the scheme and spaces", with("Bearer   "), NOTHING),
            ("an empty cookie", Request::new().field("cookie", "t="), NOTHING),
            (
                "the scheme alone, and a cookie",
                with("Bearer").field("cookie", format!("t={token}")),
                Ok("alice"),
            ),
        ],
    )
}

fn prefix(world: &World) -> Vec<Case> {
    let configuration =
        places(world, "Bearer with a prefix", [TokenLocation::bearer().prefix("tok_")]);
    let token = world.token_of("alice");
    rows_of(
        &configuration,
        [
            ("the prefix", Request::new().bearer(&format!("tok_{token}")), Ok("alice")),
            ("no prefix", Request::new().bearer(&token), NOTHING),
            ("half of the prefix", Request::new().bearer(&format!("tok{token}")), NOTHING),
            ("the prefix in upper case", Request::new().bearer(&format!("TOK_{token}")), NOTHING),
            ("the prefix alone", Request::new().bearer("tok_"), MALFORMED),
            (
                "the prefix twice",
                Request::new().bearer(&format!("tok_tok_{token}")),
                Err("malformed_token"),
            ),
        ],
    )
}

fn cookie(world: &World) -> Vec<Case> {
    let configuration =
        places(world, "cookie __Host-session", [TokenLocation::cookie("__Host-session")]);
    let token = world.token_of("alice");
    let with = |cookie: String| Request::new().cookie(cookie);
    rows_of(
        &configuration,
        [
            ("alone", with(format!("__Host-session={token}")), Ok("alice")),
            ("between others", with(format!("a=1; __Host-session={token}; b=2")), Ok("alice")),
            ("without a space", with(format!("a=1;__Host-session={token};b=2")), Ok("alice")),
            (
                "in the second of two fields",
                with("a=1".to_owned()).cookie(format!("__Host-session={token}")),
                Ok("alice"),
            ),
            ("quoted", with(format!("__Host-session=\"{token}\"")), Ok("alice")),
            ("empty quotes", with("__Host-session=\"\"".to_owned()), MALFORMED),
            ("half a quote", with(format!("__Host-session=\"{token}")), MALFORMED),
            ("empty", with("__Host-session=".to_owned()), MALFORMED),
            ("in lower case", with(format!("__host-session={token}")), NOTHING),
            ("without its prefix", with(format!("session={token}")), NOTHING),
            ("with another prefix", with(format!("x__Host-session={token}")), NOTHING),
            ("in the value of another", with(format!("a=__Host-session={token}")), NOTHING),
            ("percent-encoded", with(format!("__Host%2Dsession={token}")), NOTHING),
            ("behind a comma", with(format!("a=1, __Host-session={token}")), NOTHING),
            (
                "with other cookies that are no ASCII",
                Request::new()
                    .cookie([b"a=\xff; __Host-session=".as_slice(), token.as_bytes()].concat()),
                Ok("alice"),
            ),
            ("a header is no place", Request::new().bearer(&token), NOTHING),
        ],
    )
}

fn query(world: &World) -> Vec<Case> {
    let configuration = places(
        world,
        "query jwt or token",
        [TokenLocation::query("jwt"), TokenLocation::query("token")],
    );
    let token = world.token_of("alice");
    let with = |query: String| Request::new().query(query);
    let no_store = |(name, request, expected)| (name, request, told(expected).no_store());
    let rows = [
        ("the first name", with(format!("jwt={token}")), Ok("alice")),
        ("the second name", with(format!("token={token}")), Ok("alice")),
        ("both names", with(format!("token={token}&jwt={token}")), MULTIPLE),
        ("one of the names empty", with(format!("jwt={token}&token=")), MALFORMED),
        ("encoded dots", with(format!("jwt={}", token.replace('.', "%2E"))), Ok("alice")),
        ("encoded letters", with(format!("jwt={}", token.replacen('e', "%65", 1))), Ok("alice")),
        ("a scheme before the token", with(format!("jwt=Bearer%20{token}")), MALFORMED),
        ("an encoded NUL", with(format!("jwt={token}%00")), MALFORMED),
        ("an encoded line end", with(format!("jwt={token}%0d%0aX:y")), MALFORMED),
        ("a broken escape", with(format!("jwt={token}%zz")), MALFORMED),
        ("no value", with("jwt".to_owned()), MALFORMED),
    ];
    let mut all = cases(&configuration, rows.map(no_store));
    all.extend(cases(
        &configuration,
        ["access_token", "JWT", "jwt[]", "jwt%00", "jw"].map(|name| {
            let query = format!("{name}=x");
            let answer = Answer::rejected("no_credentials");
            (format!("a parameter {name}"), Request::new().query(query), answer)
        }),
    ));
    all
}

fn two_headers(world: &World) -> Vec<Case> {
    let configuration = places(
        world,
        "X-Api-Key or Bearer",
        [TokenLocation::header("x-api-key"), TokenLocation::bearer()],
    );
    let (alice, bob) = (world.token_of("alice"), world.token_of("bob"));
    rows_of(
        &configuration,
        [
            ("the first", Request::new().field("x-api-key", &*alice), Ok("alice")),
            ("the second", Request::new().bearer(&bob), Ok("bob")),
            ("both", Request::new().field("x-api-key", &*alice).bearer(&bob), MULTIPLE),
            (
                "both, turned round",
                Request::new().bearer(&bob).field("x-api-key", &*alice),
                MULTIPLE,
            ),
            (
                "the first, and another scheme",
                Request::new().field("x-api-key", &*alice).authorization("Basic x"),
                Ok("alice"),
            ),
        ],
    )
}

fn two_cookies(world: &World) -> Vec<Case> {
    let configuration = places(
        world,
        "cookie new or old",
        [TokenLocation::cookie("new"), TokenLocation::cookie("old")],
    );
    let (alice, bob) = (world.token_of("alice"), world.token_of("bob"));
    rows_of(
        &configuration,
        [
            ("the first", Request::new().cookie(format!("new={alice}")), Ok("alice")),
            ("the second", Request::new().cookie(format!("old={bob}")), Ok("bob")),
            ("both", Request::new().cookie(format!("old={bob}; new={alice}")), Ok("alice")),
            ("the first empty", Request::new().cookie(format!("old={bob}; new=")), MALFORMED),
        ],
    )
}
