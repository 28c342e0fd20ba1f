//! What challenges name: the realm, the metadata URL and the scope. Nothing in them can add a
//! parameter, a challenge or a field.

use portcullis::{
    AuthError,
    policy::{check, scope},
};

use super::{World, built};
use crate::{
    answer::Answer,
    case::{Case, cases},
    request::Request,
};

pub(super) fn rows(world: &World) -> Vec<Case> {
    [realms(world), metadata(world), scopes(world), unchecked_scopes(world)].concat()
}

const REALMS: [(&str, &str); 9] = [
    ("plain", "orders"),
    ("empty", ""),
    ("with spaces", " orders of  Europe "),
    ("with quotes", "a\"b\"\""),
    ("with a parameter", "x\", error=\"none"),
    ("with a challenge", "x\", Basic realm=\"y"),
    ("with backslashes", "a\\b\\\\"),
    ("with a backslash before the quote", "a\\\", b=\"c\\"),
    ("with commas", ",,a=b, c,"),
];

/// Each realm, for each sort of rejection.
fn realms(world: &World) -> Vec<Case> {
    let tokens = [
        ("nothing", Request::new(), "no_credentials"),
        (
            "an expired token",
            Request::new().bearer(&world.token().expired().build()),
            "token_expired",
        ),
        ("two tokens", Request::new().bearer("a").bearer("b"), "multiple_tokens"),
        ("too few rights", Request::new().bearer(&world.token_of("alice")), "insufficient_role"),
    ];
    let of = |(name, realm): (&str, &'static str)| {
        let configuration = world.configuration(&format!("a realm {name}"), move |builder| {
            built(builder.realm(realm)).require(portcullis::policy::role("admin"))
        });
        let rows = tokens.iter().map(|(name, request, code)| {
            (name, request.clone(), Answer::rejected(code).parameter("realm", realm))
        });
        cases(&configuration, rows)
    };
    REALMS.into_iter().flat_map(of).collect()
}

fn metadata(world: &World) -> Vec<Case> {
    let long = "https://api.test/".to_owned() + &"x".repeat(239);
    let urls = [
        ("plain", "https://api.test/.well-known/oauth-protected-resource/orders".to_owned()),
        ("with a query", "https://api.test/?a=1,b=2;c".to_owned()),
        ("with a parameter", "https://api.test/\", error=\"none".to_owned()),
        ("of 256 bytes", long),
    ];
    let of = |(name, url): (&str, String)| {
        let of_engine = url.clone();
        let configuration = world
            .configuration(&format!("a metadata URL {name}"), move |builder| {
                built(builder.realm("orders").resource_metadata(of_engine.clone()))
            });
        let named = |code| {
            let answer = Answer::rejected(code).parameter("realm", "orders");
            answer.parameter("resource_metadata", url.clone())
        };
        let expired = Request::new().bearer(&world.token().expired().build());
        cases(
            &configuration,
            [
                ("nothing", Request::new(), named("no_credentials")),
                ("an expired token", expired, named("token_expired")),
                ("HEAD", Request::new().method("HEAD"), named("no_credentials").for_method("HEAD")),
            ],
        )
    };
    urls.into_iter().flat_map(of).collect()
}

/// Scope tokens may have any visible character.
fn scopes(world: &World) -> Vec<Case> {
    let poor = Request::new().bearer(&world.token_of("alice"));
    let of = |token: &'static str| {
        let configuration = world.requiring(&format!("the scope {token}"), [scope(token)]);
        let answer = Answer::rejected("insufficient_scope").parameter("scope", token);
        cases(&configuration, [("rejected", poor.clone(), answer)])
    };
    let tokens = [
        "a\"b",
        "a\\b",
        "\\",
        "\"",
        "a\",realm=\"x",
        "a\\\",realm=\\\"x",
        "a,b;c=d",
        "https://api.test/orders.read?x=%20",
    ];
    tokens.into_iter().flat_map(of).collect()
}

/// A function of the application may name anything: what a field cannot hold is dropped, and what
/// is too long is cut between two tokens.
fn unchecked_scopes(world: &World) -> Vec<Case> {
    let names_itself = world.requiring(
        "a scope of the application",
        [check(|caller, _| {
            let scope: Option<String> = caller.claim("names")?;
            Err(AuthError::insufficient_scope(scope.unwrap_or_default()))
        })],
    );
    let long = vec!["scope:x"; 100].join(" ");
    let cut = vec!["scope:x"; 32].join(" ");
    assert_eq!(cut.len(), 255);
    let rows = [
        ("with a line end", "a\r\nSet-Cookie: b=c", "aSet-Cookie: b=c"),
        ("with controls", "a\u{0}\u{1b}[31m\u{7f}b", "a[31mb"),
        ("that is no ASCII", "aä☃ b", "a b"),
        ("with quotes and a line end", "a\"\r\n, realm=\"x", "a\", realm=\"x"),
        ("with a backslash at its end", "a\\", "a\\"),
        ("of 800 bytes", &*long, &*cut),
    ];
    let request = |names: &str| Request::new().bearer(&world.token().claim("names", names).build());
    cases(
        &names_itself,
        rows.map(|(name, names, named)| {
            let answer = Answer::rejected("insufficient_scope").parameter("scope", named);
            (name, request(names), answer)
        }),
    )
}
