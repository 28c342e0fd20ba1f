//! Functions of an application that take part in extraction, validation and mapping.

use conformance::trusting;
use portcullis::{
    AuthErrorKind, Grant, GrantMapping, Issuer, Principal, TokenLocation, policy::scope,
};

use super::{World, built, caller};
use crate::{
    answer::Answer,
    case::{Case, cases},
    request::Request,
    setup::{Configuration, Setup},
};

pub(super) fn rows(world: &World) -> Vec<Case> {
    [basic_password(world), two_cookies(world), custom_query(world), checks(world), mappings(world)]
        .concat()
}

/// The token is the password of an HTTP Basic field, here without base64.
fn basic_password(world: &World) -> Vec<Case> {
    let configuration = world.configuration("a custom location in a header field", |builder| {
        let basic = TokenLocation::header("authorization").scheme("Basic");
        let password = TokenLocation::custom("password", [basic], |values| match values {
            [Some("panic")] => panic!("in a custom location"),
            [Some("none")] => Ok(None),
            [Some("nothing")] => Err(AuthErrorKind::NoCredentials.into()),
            [Some(user)] => match user.split_once(':') {
                Some((_, token)) => Ok(Some(token.to_owned())),
                None => Err(AuthErrorKind::MalformedRequest.into()),
            },
            _ => Err(AuthErrorKind::InternalError.into()),
        });
        let locations = [password, TokenLocation::bearer(), TokenLocation::cookie("session")];
        built(builder.locations(locations).remove_tokens()).optional()
    });
    let (token, other) = (world.token_of("alice"), world.token_of("bob"));
    let basic = |text: &str| Request::new().authorization(format!("Basic {text}"));
    let hidden = |subject| Answer::accepted(caller(subject)).seeing_fields(&[]);
    let anonymous = || Answer::anonymous().seeing_fields(&[]);
    let expired = format!("x:{}", world.token().expired().build());
    let session = format!("session={other}");
    cases(
        &configuration,
        [
            ("a good token", basic(&format!("x:{token}")), hidden("alice")),
            ("a bad token", basic(&expired), Answer::rejected("token_expired")),
            ("an empty token", basic("x:"), Answer::rejected("malformed_request")),
            ("nothing", Request::new(), Answer::anonymous()),
            ("an error", basic("x"), Answer::rejected("malformed_request")),
            ("an empty value", basic(""), Answer::rejected("malformed_request")),
            (
                "no text",
                Request::new().authorization(*b"Basic \xff"),
                Answer::rejected("malformed_request"),
            ),
            ("a panic", basic("panic"), Answer::fault()),
            ("no token", basic("none"), anonymous()),
            ("no credentials", basic("nothing"), anonymous()),
            ("no token, and a cookie", basic("none").cookie(session.clone()), hidden("bob")),
            (
                "a token, and a cookie",
                basic(&format!("x:{token}")).cookie(session),
                hidden("alice"),
            ),
            (
                "twice",
                basic("none").authorization("Basic none"),
                Answer::rejected("multiple_tokens"),
            ),
            (
                "beside a bearer token",
                basic("none").bearer(&token),
                Answer::rejected("multiple_tokens"),
            ),
            ("another scheme", Request::new().bearer(&token), hidden("alice")),
        ],
    )
}

/// The signature is in a cookie of its own.
fn two_cookies(world: &World) -> Vec<Case> {
    let configuration = world.configuration("a custom location in two cookies", |builder| {
        let sources = [TokenLocation::cookie("token"), TokenLocation::cookie("signature")];
        let split = TokenLocation::custom("two cookies", sources, |values| match values {
            [Some(token), Some(signature)] => Ok(Some(format!("{token}.{signature}"))),
            _ => Ok(None),
        });
        built(builder.locations([split, TokenLocation::bearer()]).remove_tokens()).optional()
    });
    let (token, other) = (world.token_of("alice"), world.token_of("bob"));
    let (start, signature) = token.rsplit_once('.').unwrap();
    let both = format!("token={start}; signature={signature}");
    let alice = || Answer::accepted(caller("alice"));
    let cookie = |text: String| Request::new().cookie(text);
    cases(
        &configuration,
        [
            ("both", cookie(both.clone()), alice().seeing_fields(&[])),
            (
                "among others",
                cookie(format!("a=1; token={start}; b=2; signature=\"{signature}\"")),
                alice().seeing_fields(&[("cookie", "a=1; b=2")]),
            ),
            (
                "in two fields",
                cookie(format!("token={start}; a=1")).cookie(format!("signature={signature}")),
                alice().seeing_fields(&[("cookie", "a=1")]),
            ),
            ("one", cookie(format!("token={start}")), Answer::anonymous().seeing_fields(&[])),
            ("another", cookie("tokens=1".to_owned()), Answer::anonymous()),
            ("one twice", cookie(format!("token=x; {both}")), Answer::rejected("multiple_tokens")),
            (
                "with an explicit token",
                cookie(both).bearer(&other),
                Answer::accepted(caller("bob")).seeing_fields(&[]),
            ),
        ],
    )
}

/// What is in the query is hidden without a setting.
fn custom_query(world: &World) -> Vec<Case> {
    let configuration = world.configuration("a custom location in the query", |builder| {
        let query = TokenLocation::query("key");
        let location = TokenLocation::custom("key", [query], |values| match values {
            [Some(text)] => Ok(text.strip_prefix("k_").map(ToOwned::to_owned)),
            _ => Ok(None),
        });
        built(builder.locations([location, TokenLocation::bearer()])).optional()
    });
    let token = world.token_of("alice");
    let query = |text: String| Request::new().query(text);
    let alice = || Answer::accepted(caller("alice"));
    cases(
        &configuration,
        [
            ("a good token", query(format!("a=1&key=k_{token}")), alice().seeing("a=1").no_store()),
            (
                "an encoded name",
                query(format!("%6Bey=k_{token}&b")),
                alice().seeing("b").no_store(),
            ),
            (
                "no token",
                query("key=x&a=1".to_owned()),
                Answer::anonymous().seeing("a=1").no_store(),
            ),
            (
                "beside a header",
                query(format!("key=k_{token}")).bearer(&token),
                Answer::rejected("multiple_tokens").no_store(),
            ),
            (
                "no token beside a header",
                query("key=x&a=1".to_owned()).bearer(&token),
                alice().seeing("a=1").no_store(),
            ),
        ],
    )
}

/// An engine whose issuer is changed.
fn issuer(
    world: &World,
    name: &str,
    change: fn(Issuer) -> Issuer,
    finish: fn(Setup) -> Setup,
) -> Configuration {
    let issuer = world.setting.issuer.clone();
    Configuration::new(name, move || finish(built(trusting(change(issuer.trusted())))))
}

fn checks(world: &World) -> Vec<Case> {
    let configuration = issuer(
        world,
        "checks of the application",
        |issuer| {
            issuer
                .validate(|caller| match caller.claim::<String>("use")?.as_deref() {
                    Some("panic") => panic!("in a check"),
                    Some("none") => Err(AuthErrorKind::NoCredentials.into()),
                    Some("group") => caller.claim::<Vec<String>>("groups").map(drop).or(Ok(())),
                    Some("refresh") => Err(AuthErrorKind::WrongType.into()),
                    _ => Ok(()),
                })
                .validate(|caller| match caller.subject() {
                    "mallory" => Err(AuthErrorKind::WrongSubject.into()),
                    _ => Ok(()),
                })
        },
        Setup::optional,
    );
    let of_use = |text: &str| world.token().subject("alice").claim("use", text);
    let request = |text: &str| Request::new().bearer(&of_use(text).build());
    let elsewhere = serde_json::json!({"groups": "src1"});
    let incomplete = of_use("group").claim("_claim_names", elsewhere).build();
    cases(
        &configuration,
        [
            ("no objection", request("access"), Answer::accepted(caller("alice"))),
            ("the first objects", request("refresh"), Answer::rejected("wrong_type")),
            (
                "the second objects",
                Request::new().bearer(&world.token_of("mallory")),
                Answer::rejected("wrong_subject"),
            ),
            // There were credentials, whatever the function returns.
            ("no credentials", request("none"), Answer::rejected("not_permitted")),
            ("a panic", request("panic"), Answer::fault()),
            (
                "a claim that is not included",
                Request::new().bearer(&incomplete),
                Answer::rejected("claim_not_included"),
            ),
            (
                "an expired token is not checked",
                Request::new().bearer(&of_use("panic").expired().build()),
                Answer::rejected("token_expired"),
            ),
        ],
    )
}

/// Roles and scope by a number.
fn by_level(caller: &Principal) -> Result<Grant, portcullis::AuthError> {
    match caller.claim("level")? {
        None => Ok(Grant::default()),
        Some(1) => Ok(Grant::builder().scope("orders:read").build()),
        Some(2) => caller.standard_grant(),
        Some(3) => Ok(caller.claim("groups").map_or_else(
            |_| Grant::default(),
            |groups: Option<Vec<String>>| {
                Grant::builder().groups(groups.unwrap_or_default()).build()
            },
        )),
        Some(4) => panic!("in a mapping"),
        Some(_) => Err(AuthErrorKind::NotPermitted.into()),
    }
}

fn mappings(world: &World) -> Vec<Case> {
    let configuration = issuer(
        world,
        "a mapping of the application",
        |issuer| issuer.grant_mapping(GrantMapping::from_fn(by_level)),
        |setup| setup.require(scope("orders:read")),
    );
    let level = |level: u32| world.token().subject("alice").scope("other").claim("level", level);
    let request = |number| Request::new().bearer(&level(number).build());
    let elsewhere = serde_json::json!({"groups": "src1"});
    let incomplete = level(3).claim("_claim_names", elsewhere).build();
    let insufficient = || Answer::rejected("insufficient_scope").parameter("scope", "orders:read");
    cases(
        &configuration,
        [
            ("a grant", request(1), Answer::accepted(caller("alice"))),
            ("nothing", Request::new().bearer(&world.token_of("alice")), insufficient()),
            ("the grant of itself", request(2), Answer::fault()),
            ("claims that are included", request(3), insufficient()),
            (
                "a claim that is not included",
                Request::new().bearer(&incomplete),
                Answer::rejected("claim_not_included"),
            ),
            ("a panic", request(4), Answer::fault()),
            ("an error", request(5), Answer::rejected("not_permitted")),
        ],
    )
}
