//! Whose tokens a route asks for, and places that are bound to an issuer.

use conformance::AUDIENCE;
use portcullis::{Requirement, TokenLocation};
use portcullis_testkit::TestIssuer;

use super::{World, built, caller};
use crate::{
    answer::Answer,
    case::{Case, cases},
    echo::Caller,
    request::Request,
    setup::{Configuration, Setup},
};

const USERS: &str = "https://idp.test";
const SERVICES: &str = "https://partner.test";

/// Who calls in a row, and whose token came beside theirs; or the code.
type Told = Result<&'static [&'static str], &'static str>;

const USER: Told = Ok(&["alice"]);
const SERVICE: Told = Ok(&["billing"]);
const BOTH: Told = Ok(&["alice", "billing"]);
const NOTHING: Told = Err("no_credentials");
const UNTRUSTED: Told = Err("untrusted_issuer");
const EXPIRED: Told = Err("token_expired");
const MULTIPLE: Told = Err("multiple_tokens");
const ANONYMOUS: Told = Ok(&[]);

pub(super) fn rows(world: &World) -> Vec<Case> {
    let users = || Requirement::issuer(USERS);
    let services = || Requirement::issuer(SERVICES);
    let both = || Requirement::all([users(), services()]);
    // In the order of `requests`.
    let table: [(&str, Requirement, [Told; 7]); 7] = [
        ("users", users(), [NOTHING, USER, UNTRUSTED, MULTIPLE, MULTIPLE, MULTIPLE, EXPIRED]),
        (
            "users or services",
            Requirement::any([users(), services()]),
            [NOTHING, USER, SERVICE, MULTIPLE, MULTIPLE, MULTIPLE, EXPIRED],
        ),
        ("users and services", both(), [NOTHING, NOTHING, NOTHING, BOTH, BOTH, EXPIRED, EXPIRED]),
        (
            "users, optional",
            users().optional(),
            [ANONYMOUS, USER, UNTRUSTED, MULTIPLE, MULTIPLE, MULTIPLE, EXPIRED],
        ),
        (
            "both, optional",
            both().optional(),
            [ANONYMOUS, NOTHING, NOTHING, BOTH, BOTH, EXPIRED, EXPIRED],
        ),
        (
            "users, and maybe services",
            Requirement::all([users(), services().optional()]),
            [NOTHING, USER, NOTHING, BOTH, BOTH, EXPIRED, EXPIRED],
        ),
        (
            "users of the administration",
            users().audience("admin"),
            [NOTHING, Err("wrong_audience"), UNTRUSTED, MULTIPLE, MULTIPLE, MULTIPLE, EXPIRED],
        ),
    ];
    let mut all = Vec::new();
    for (name, requirement, told) in table {
        let configuration = requiring(world, &format!("asks for {name}"), requirement);
        let rows = requests(world).into_iter().zip(told);
        all.extend(cases(
            &configuration,
            rows.map(|((name, request), told)| (name, request, answer(told))),
        ));
    }
    all.extend(audiences(world));
    all.extend(bound_places(world));
    all
}

fn requiring(world: &World, name: &str, requirement: Requirement) -> Configuration {
    let partner = world.setting.partner.clone();
    world.configuration(name, move |builder| {
        let builder = builder.issuer(partner.trusted()).audience("admin");
        let auth = builder
            .locations([TokenLocation::bearer(), TokenLocation::header("x-api-key")])
            .build()
            .unwrap();
        Setup::new(auth.with_requirement(requirement.clone()).unwrap())
    })
}

fn user(world: &World) -> String {
    world.token_of("alice")
}

fn service(partner: &TestIssuer) -> String {
    partner.token().audience(AUDIENCE).scope("orders:read").subject("billing").build()
}

fn requests(world: &World) -> [(&'static str, Request); 7] {
    let (user, service) = (user(world), service(&world.setting.partner));
    let late_user = world.token().expired().build();
    let late_service = world.setting.partner.token().audience(AUDIENCE).expired().build();
    let both = |bearer: &str, key: &str| Request::new().bearer(bearer).field("x-api-key", key);
    [
        ("nothing", Request::new()),
        ("a user", Request::new().bearer(&user)),
        ("a service", Request::new().bearer(&service)),
        ("both", both(&user, &service)),
        ("both, turned round", both(&service, &user)),
        ("a user, and an expired service", both(&user, &late_service)),
        ("an expired user", Request::new().bearer(&late_user)),
    ]
}

fn answer(told: Told) -> Answer {
    match told {
        Err(code) => Answer::rejected(code),
        Ok([]) => Answer::anonymous(),
        Ok([first, others @ ..]) => {
            let issuer = if *first == "billing" { SERVICES } else { USERS };
            let others = others.iter().map(|&other| other.to_owned()).collect();
            Answer::accepted(Caller { issuer: issuer.to_owned(), others, ..caller(first) })
        }
    }
}

fn audiences(world: &World) -> Vec<Case> {
    let admin = Requirement::any_issuer().audience("admin");
    let configuration = requiring(world, "asks for the administration", admin);
    let of = |token: portcullis_testkit::TokenBuilder| Request::new().bearer(&token.build());
    let alice = || answer(USER);
    cases(
        &configuration,
        [
            ("its audience", of(world.token().audience("admin")), alice()),
            ("both audiences", of(world.token().claim("aud", ["orders", "admin"])), alice()),
            ("the other audience", of(world.token()), Answer::rejected("wrong_audience")),
            (
                "no audience",
                of(world.token().without_claim("aud")),
                Answer::rejected("missing_claim"),
            ),
        ],
    )
}

/// A token of one issuer does not count where another's belongs.
fn bound_places(world: &World) -> Vec<Case> {
    let partner = world.setting.partner.clone();
    let configuration = world.configuration("places of their own", move |builder| {
        let places = [
            TokenLocation::bearer().of_issuer(USERS),
            TokenLocation::header("x-api-key").of_issuer(SERVICES),
        ];
        built(builder.issuer(partner.trusted()).locations(places))
    });
    let (user, service) = (user(world), service(&world.setting.partner));
    let key = |token: &str| Request::new().field("x-api-key", token);
    let rows = [
        ("a user in place", Request::new().bearer(&user), USER),
        ("a service in place", key(&service), SERVICE),
        ("a service for a user", Request::new().bearer(&service), UNTRUSTED),
        ("a user for a service", key(&user), UNTRUSTED),
        ("both", key(&service).bearer(&user), MULTIPLE),
    ];
    cases(&configuration, rows.map(|(name, request, told)| (name, request, answer(told))))
}
