//! The same place more than once.

use portcullis::{MultipleTokens, TokenLocation};

use super::{World, built, caller};
use crate::{
    answer::Answer,
    case::{Case, cases},
    echo::Caller,
    request::Request,
};

/// Whose tokens count, or the code.
type Of = Result<&'static [&'static str], &'static str>;

/// What comes of it where two are rejected, where the first counts, and where all do.
type Told = [Of; 3];

pub(super) fn rows(world: &World) -> Vec<Case> {
    let rules = [
        ("duplicates are rejected", MultipleTokens::Reject),
        ("the first duplicate counts", MultipleTokens::First),
        ("all duplicates count", MultipleTokens::All),
    ];
    let mut all = Vec::new();
    for (index, (name, rule)) in rules.into_iter().enumerate() {
        let configuration = world.configuration(name, move |builder| {
            let places = TokenLocation::header_query_cookie("access_token");
            built(builder.locations(places).multiple_tokens(rule))
        });
        let requests = [fields(world), queries(world), cookies(world)].concat();
        all.extend(cases(
            &configuration,
            requests.into_iter().map(|(name, request, told)| {
                let answer = match told[index] {
                    Ok(subjects) => Answer::accepted(callers(subjects)),
                    Err(code) => Answer::rejected(code),
                };
                let in_query = request.query.is_some();
                (name, request, if in_query { answer.no_store() } else { answer })
            }),
        ));
    }
    all
}

/// The caller of the first token, with the subjects of the others.
fn callers(subjects: &[&str]) -> Caller {
    let others = subjects.iter().skip(1).map(|&other| other.to_owned()).collect();
    Caller { others, ..caller(subjects[0]) }
}

const MULTIPLE: Of = Err("multiple_tokens");
const MALFORMED: Of = Err("malformed_request");
const EXPIRED: Of = Err("token_expired");
const NOTHING: Of = Err("no_credentials");
const ALICE: Of = Ok(&["alice"]);
const BOB: Of = Ok(&["bob"]);
const ALICE_TWICE: Of = Ok(&["alice", "alice"]);
const ALICE_AND_BOB: Of = Ok(&["alice", "bob"]);
const BOB_AND_ALICE: Of = Ok(&["bob", "alice"]);
const ALICE_AND_BOBS: Of = Ok(&["alice", "bob", "bob", "bob"]);

fn fields(world: &World) -> Vec<(&'static str, Request, Told)> {
    let (alice, bob) = (world.token_of("alice"), world.token_of("bob"));
    let expired = world.token().expired().build();
    let new = Request::new;
    vec![
        ("a field twice", new().bearer(&alice).bearer(&alice), [MULTIPLE, ALICE, ALICE_TWICE]),
        ("two fields", new().bearer(&alice).bearer(&bob), [MULTIPLE, ALICE, ALICE_AND_BOB]),
        (
            "two fields turned round",
            new().bearer(&bob).bearer(&alice),
            [MULTIPLE, BOB, BOB_AND_ALICE],
        ),
        ("a bad field first", new().bearer(&expired).bearer(&bob), [MULTIPLE, EXPIRED, EXPIRED]),
        ("a bad field last", new().bearer(&alice).bearer(&expired), [MULTIPLE, ALICE, EXPIRED]),
        (
            "a field of another scheme first",
            new().authorization("Basic x").bearer(&bob),
            [MULTIPLE, NOTHING, BOB],
        ),
        (
            "a field of another scheme last",
            new().bearer(&alice).authorization("Basic x"),
            [MULTIPLE, ALICE, ALICE],
        ),
        (
            "two fields of another scheme",
            new().authorization("Basic x").authorization("Basic y"),
            [MULTIPLE, NOTHING, NOTHING],
        ),
        (
            "the scheme alone first",
            new().authorization("Bearer").bearer(&bob),
            [MULTIPLE, MALFORMED, MALFORMED],
        ),
        (
            "the scheme alone last",
            new().bearer(&alice).authorization("Bearer"),
            [MULTIPLE, ALICE, MALFORMED],
        ),
        (
            "four fields",
            new().bearer(&alice).bearer(&bob).bearer(&bob).bearer(&bob),
            [MULTIPLE, ALICE, ALICE_AND_BOBS],
        ),
        (
            "five fields",
            new().bearer(&alice).bearer(&bob).bearer(&bob).bearer(&bob).bearer(&bob),
            [MULTIPLE, ALICE, MULTIPLE],
        ),
    ]
}

fn queries(world: &World) -> Vec<(&'static str, Request, Told)> {
    let pair = |subject| format!("access_token={}", world.token_of(subject));
    let (alice, bob) = (pair("alice"), pair("bob"));
    let expired = format!("access_token={}", world.token().expired().build());
    let encoded = alice.replacen('_', "%5F", 1);
    let with = |query: String| Request::new().query(query);
    vec![
        ("a parameter twice", with(format!("{alice}&{alice}")), [MULTIPLE, ALICE, ALICE_TWICE]),
        ("two parameters", with(format!("{bob}&{alice}")), [MULTIPLE, BOB, BOB_AND_ALICE]),
        (
            "two parameters, one encoded",
            with(format!("{encoded}&{bob}")),
            [MULTIPLE, ALICE, ALICE_AND_BOB],
        ),
        ("a bad parameter last", with(format!("{alice}&{expired}")), [MULTIPLE, ALICE, EXPIRED]),
        (
            "an empty parameter last",
            with(format!("{alice}&access_token=")),
            [MALFORMED, ALICE, MALFORMED],
        ),
        ("an empty parameter first", with(format!("access_token=&{bob}")), [MALFORMED; 3]),
    ]
}

fn cookies(world: &World) -> Vec<(&'static str, Request, Told)> {
    let pair = |subject| format!("access_token={}", world.token_of(subject));
    let (alice, bob) = (pair("alice"), pair("bob"));
    let expired = format!("access_token={}", world.token().expired().build());
    let with = |cookie: String| Request::new().cookie(cookie);
    vec![
        ("a cookie twice", with(format!("{alice}; {alice}")), [MULTIPLE, ALICE, ALICE_TWICE]),
        ("two cookies", with(format!("{bob}; {alice}")), [MULTIPLE, BOB, BOB_AND_ALICE]),
        (
            "two cookies in two fields",
            with(alice.clone()).cookie(bob),
            [MULTIPLE, ALICE, ALICE_AND_BOB],
        ),
        ("a bad cookie last", with(format!("{alice}; {expired}")), [MULTIPLE, ALICE, EXPIRED]),
        (
            "an empty cookie last",
            with(format!("{alice}; access_token=")),
            [MALFORMED, ALICE, MALFORMED],
        ),
    ]
}
