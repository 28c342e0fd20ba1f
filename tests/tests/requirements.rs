//! Whose tokens a route asks for, where they may be, and what is left of the request without them.

#![expect(clippy::unwrap_used, clippy::needless_pass_by_value, reason = "short helpers of tests")]

use conformance::{NOW, Request};
use portcullis::{
    Authenticator, AuthenticatorBuilder, ConfigError, MultipleTokens, NumericDate, Requirement,
    TokenLocation,
    adapter::{Admission, Verdict},
    error::{LocationError, RequirementError},
};
use portcullis_testkit::{ManualClock, TestIssuer, TokenBuilder};

const USERS: &str = "https://users.test";
const SERVICES: &str = "https://services.test";

struct World {
    clock: ManualClock,
    users: TestIssuer,
    services: TestIssuer,
    strangers: TestIssuer,
}

impl World {
    fn new() -> Self {
        let clock = ManualClock::at(NumericDate::from_seconds(NOW));
        let issuer = |name| TestIssuer::new(name).clock(clock.clone());
        Self {
            users: issuer(USERS),
            services: issuer(SERVICES),
            strangers: issuer("https://strangers.test"),
            clock,
        }
    }

    fn builder(&self) -> AuthenticatorBuilder {
        Authenticator::builder()
            .issuer(self.users.trusted())
            .issuer(self.services.trusted())
            .audience("orders")
            .audience("admin")
            .locations([
                TokenLocation::bearer(),
                TokenLocation::header("x-service-token"),
                TokenLocation::cookie("session"),
            ])
            .clock(self.clock.clone())
    }

    fn with_requirement(&self, requirement: Requirement) -> Authenticator {
        self.builder().build().unwrap().with_requirement(requirement).unwrap()
    }

    fn user(&self) -> TokenBuilder {
        self.users.token().audience("orders").subject("alice")
    }

    fn service(&self) -> TokenBuilder {
        self.services.token().audience("orders").subject("billing")
    }
}

/// The subjects of all callers, the caller first, or the code; `anonymous:` in front where the request
/// is let through without a caller.
fn outcome(verdict: &Verdict) -> String {
    match &verdict.result {
        Ok(caller) => {
            let others = caller.others().iter().map(|other| other.principal().subject());
            let all = [caller.principal().subject()].into_iter().chain(others);
            all.collect::<Vec<_>>().join("+")
        }
        Err(error) if verdict.admits_anonymous => format!("anonymous: {}", error.kind().code()),
        Err(error) => error.kind().code().to_owned(),
    }
}

fn judge(auth: &Authenticator, request: &Request) -> String {
    outcome(&auth.authenticate_now(request))
}

fn bearer(token: TokenBuilder) -> Request {
    Request::new().bearer(&token.build())
}

fn both(first: TokenBuilder, second: TokenBuilder) -> Request {
    bearer(first).field("x-service-token", second.build())
}

#[test]
fn one_issuer_is_asked_for_and_another_that_is_trusted_too_is_rejected() {
    let world = World::new();
    let auth = world.with_requirement(Requirement::issuer(USERS));
    assert_eq!(judge(&auth, &bearer(world.user())), "alice");
    assert_eq!(judge(&auth, &bearer(world.service())), "untrusted_issuer");
    assert_eq!(judge(&auth, &Request::new()), "no_credentials");
    assert_eq!(judge(&auth, &both(world.user(), world.service())), "multiple_tokens");
}

#[test]
fn any_of_several_issuers_is_asked_for() {
    let world = World::new();
    let any = Requirement::any([Requirement::issuer(USERS), Requirement::issuer(SERVICES)]);
    let auth = world.with_requirement(any);
    assert_eq!(judge(&auth, &bearer(world.user())), "alice");
    assert_eq!(judge(&auth, &bearer(world.service())), "billing");
    let stranger = world.strangers.token().audience("orders");
    assert_eq!(judge(&auth, &bearer(stranger)), "untrusted_issuer");
}

#[test]
fn all_of_several_issuers_are_asked_for_and_the_first_is_the_caller() {
    let world = World::new();
    let all = Requirement::all([Requirement::issuer(USERS), Requirement::issuer(SERVICES)]);
    let auth = world.with_requirement(all);
    assert_eq!(judge(&auth, &both(world.user(), world.service())), "alice+billing");
    // Where a token is does not matter unless the place is bound.
    assert_eq!(judge(&auth, &both(world.service(), world.user())), "alice+billing");
    assert_eq!(judge(&auth, &bearer(world.user())), "no_credentials");
    assert_eq!(judge(&auth, &bearer(world.service())), "no_credentials");
    assert_eq!(judge(&auth, &Request::new()), "no_credentials");
    assert_eq!(judge(&auth, &both(world.user(), world.service().expired())), "token_expired");
    assert_eq!(judge(&auth, &both(world.user().expired(), world.service())), "token_expired");
    let in_cookie = bearer(world.service()).cookie(format!("session={}", world.user().build()));
    assert_eq!(judge(&auth, &in_cookie), "alice+billing");
    let twice = both(world.user(), world.service()).bearer(&world.user().build());
    assert_eq!(judge(&auth, &twice), "multiple_tokens");
}

#[test]
fn an_optional_part_may_be_missing_and_must_not_be_bad() {
    let world = World::new();
    let service = Requirement::issuer(SERVICES).optional();
    let auth = world.with_requirement(Requirement::all([Requirement::issuer(USERS), service]));
    assert_eq!(judge(&auth, &bearer(world.user())), "alice");
    assert_eq!(judge(&auth, &both(world.user(), world.service())), "alice+billing");
    assert_eq!(judge(&auth, &bearer(world.service())), "no_credentials");
    assert_eq!(judge(&auth, &both(world.user(), world.service().expired())), "token_expired");
    assert_eq!(judge(&auth, &Request::new()), "no_credentials");
}

#[test]
fn a_part_of_an_optional_pair_is_not_nothing() {
    let world = World::new();
    let pair = Requirement::all([Requirement::issuer(USERS), Requirement::issuer(SERVICES)]);
    let auth = world.with_requirement(pair.optional());
    assert_eq!(judge(&auth, &Request::new()), "anonymous: no_credentials");
    assert_eq!(judge(&auth, &bearer(world.user())), "no_credentials");
    assert_eq!(judge(&auth, &both(world.user(), world.service())), "alice+billing");
}

#[test]
fn missing_credentials_are_let_through_only_where_that_is_said() {
    let world = World::new();
    let auth = world.with_requirement(Requirement::issuer(USERS).optional());
    assert_eq!(judge(&auth, &Request::new()), "anonymous: no_credentials");
    assert_eq!(judge(&auth, &bearer(world.user())), "alice");
    assert_eq!(judge(&auth, &bearer(world.service())), "untrusted_issuer");
    assert_eq!(judge(&auth, &bearer(world.user().expired())), "token_expired");

    let all = Requirement::all([Requirement::issuer(USERS), Requirement::issuer(SERVICES)]);
    let auth = world.with_requirement(all).with_admission(Admission::Optional);
    assert_eq!(judge(&auth, &Request::new()), "anonymous: no_credentials");
    // One of two is not none.
    assert_eq!(judge(&auth, &bearer(world.user())), "no_credentials");
}

#[test]
fn failed_credentials_are_let_through_only_where_that_is_said_and_stay_visible() {
    let world = World::new();
    let auth = world.builder().build().unwrap().with_admission(Admission::DangerousFailed);
    assert_eq!(judge(&auth, &bearer(world.user())), "alice");
    assert_eq!(judge(&auth, &Request::new()), "anonymous: no_credentials");
    assert_eq!(judge(&auth, &bearer(world.user().expired())), "anonymous: token_expired");
    let twice = bearer(world.user()).bearer(&world.user().build());
    assert_eq!(judge(&auth, &twice), "anonymous: multiple_tokens");
    let empty = Request::new().authorization("Bearer");
    assert_eq!(judge(&auth, &empty), "anonymous: malformed_request");
}

#[test]
fn a_route_has_an_audience_of_its_own() {
    let world = World::new();
    let auth = world.with_requirement(Requirement::any_issuer().audience("admin"));
    assert_eq!(judge(&auth, &bearer(world.user())), "wrong_audience");
    assert_eq!(judge(&auth, &bearer(world.users.token().audience("admin"))), "alice");
    let list = world.user().claim("aud", ["admin", "orders"]);
    assert_eq!(judge(&auth, &bearer(list)), "alice");
    // It narrows what the engine accepts, and never widens it.
    let auth = world.with_requirement(Requirement::any_issuer().audience("elsewhere"));
    let elsewhere = world.users.token().audience("elsewhere");
    assert_eq!(judge(&auth, &bearer(elsewhere)), "wrong_audience");
}

#[test]
fn an_audience_of_several_parts_is_that_of_each() {
    let world = World::new();
    let pair = Requirement::all([Requirement::issuer(USERS), Requirement::issuer(SERVICES)]);
    let auth = world.with_requirement(pair.audience("admin"));
    let for_admin = |token: TokenBuilder| token.claim("aud", "admin");
    let request = both(for_admin(world.user()), for_admin(world.service()));
    assert_eq!(judge(&auth, &request), "alice+billing");
    let request = both(for_admin(world.user()), world.service());
    assert_eq!(judge(&auth, &request), "wrong_audience");
}

#[test]
fn a_place_holds_tokens_of_its_issuer_alone() {
    let world = World::new();
    let places = [
        TokenLocation::bearer().of_issuer(USERS),
        TokenLocation::header("x-service-token").of_issuer(SERVICES),
    ];
    let auth = world.builder().locations(places).build().unwrap();
    let in_service_place =
        |token: TokenBuilder| Request::new().field("x-service-token", token.build());
    assert_eq!(judge(&auth, &bearer(world.user())), "alice");
    assert_eq!(judge(&auth, &in_service_place(world.service())), "billing");
    assert_eq!(judge(&auth, &bearer(world.service())), "untrusted_issuer");
    assert_eq!(judge(&auth, &in_service_place(world.user())), "untrusted_issuer");
    let all = Requirement::all([Requirement::issuer(USERS), Requirement::issuer(SERVICES)]);
    let auth = auth.with_requirement(all).unwrap();
    assert_eq!(judge(&auth, &both(world.user(), world.service())), "alice+billing");
    assert_eq!(judge(&auth, &both(world.service(), world.user())), "untrusted_issuer");
}

#[test]
fn the_others_of_several_tokens_are_at_hand() {
    let world = World::new();
    let auth = world.builder().multiple_tokens(MultipleTokens::All).build().unwrap();
    assert_eq!(judge(&auth, &both(world.user(), world.service())), "alice+billing");
    assert_eq!(judge(&auth, &both(world.service(), world.user())), "billing+alice");
}

#[test]
fn a_requirement_on_top_of_another_never_loosens_it() {
    let world = World::new();
    let outer = || world.with_requirement(Requirement::issuer(USERS).audience("admin"));
    let admin = |token: TokenBuilder| bearer(token.claim("aud", "admin"));
    let both = outer().with_requirement(Requirement::any_issuer()).unwrap();
    assert_eq!(judge(&both, &admin(world.user())), "alice");
    assert_eq!(judge(&both, &bearer(world.user())), "wrong_audience");
    assert_eq!(judge(&both, &admin(world.service())), "untrusted_issuer");
    let none = outer().with_requirement(Requirement::issuer(SERVICES)).unwrap();
    assert_eq!(judge(&none, &admin(world.user())), "untrusted_issuer");
    assert_eq!(judge(&none, &admin(world.service())), "untrusted_issuer");
    let optional = outer().with_requirement(Requirement::any_issuer().optional()).unwrap();
    assert_eq!(judge(&optional, &Request::new()), "no_credentials");
}

#[test]
fn a_requirement_that_no_request_can_meet_is_a_mistake() {
    let world = World::new();
    let rejected = |requirement| {
        let auth = world.builder().build().unwrap();
        auth.with_requirement(requirement).map(|_| ()).unwrap_err()
    };
    let unknown = Requirement::issuer("https://users.test/");
    assert!(matches!(
        rejected(Requirement::any([Requirement::issuer(USERS), unknown])),
        ConfigError::Requirement(RequirementError::UntrustedIssuer { issuer }) if issuer == "https://users.test/"
    ));
    for (requirement, empty) in [
        (Requirement::any([]), "any"),
        (Requirement::all([]).optional(), "all"),
        (Requirement::issuer(USERS).audience(""), "audience"),
    ] {
        let error = rejected(requirement);
        assert!(
            matches!(error, ConfigError::Requirement(RequirementError::Empty { part }) if part == empty)
        );
    }
    let bound = world
        .builder()
        .locations([TokenLocation::bearer().of_issuer("https://other.test")])
        .build();
    assert!(matches!(
        bound.unwrap_err(),
        ConfigError::Location(LocationError::UntrustedIssuer { .. })
    ));
    for twice in [
        [
            TokenLocation::cookie("a").of_issuer(USERS),
            TokenLocation::cookie("a").of_issuer(SERVICES),
        ],
        [
            TokenLocation::bearer().of_issuer(USERS),
            TokenLocation::header("Authorization").scheme("bearer"),
        ],
    ] {
        let twice = world.builder().locations(twice).build();
        assert!(matches!(
            twice.unwrap_err(),
            ConfigError::Location(LocationError::Duplicate { .. })
        ));
    }
}

fn web_socket(world: &World) -> Authenticator {
    let places = [TokenLocation::bearer(), TokenLocation::web_socket_protocol("access_token")];
    world.builder().locations(places).build().unwrap()
}

fn offering(protocols: &[&str]) -> Request {
    let field = |request: Request, value: &&str| request.field("sec-websocket-protocol", *value);
    protocols.iter().fold(Request::new(), field)
}

#[test]
fn a_web_socket_token_follows_its_name_among_the_subprotocols() {
    let world = World::new();
    let (auth, token) = (web_socket(&world), world.user().build());
    let judged = |protocols: &[&str]| judge(&auth, &offering(protocols));
    assert_eq!(judged(&[&format!("access_token, {token}")]), "alice");
    assert_eq!(judged(&[&format!("chat, access_token,{token}, v2")]), "alice");
    // The fields make one list.
    assert_eq!(judged(&["chat, access_token", &token]), "alice");
    assert_eq!(judged(&["chat, v2"]), "no_credentials");
    assert_eq!(judged(&["chat", &token]), "no_credentials");
    assert_eq!(judged(&["Access_Token", &token]), "no_credentials");
    assert_eq!(judged(&["access_token"]), "malformed_request");
    assert_eq!(judged(&["access_token, ,"]), "malformed_request");
    assert_eq!(judged(&["access_token, , chat"]), "malformed_token");
    // Empty elements do not count.
    assert_eq!(judged(&[", access_token,, ", &format!(",{token}")]), "alice");
    let twice = format!("access_token, {token}, access_token, {token}");
    assert_eq!(judged(&[&twice]), "multiple_tokens");
    let with_header = offering(&["access_token", &token]).bearer(&token);
    assert_eq!(judge(&auth, &with_header), "multiple_tokens");
}

/// Field names with the values that are left.
fn left(auth: &Authenticator, request: &Request) -> Vec<(String, Vec<String>)> {
    let hidden = auth.authenticate_now(request).hidden;
    let text = |value: &Vec<u8>| String::from_utf8(value.clone()).unwrap();
    hidden
        .fields()
        .map(|(name, values)| (name.to_owned(), values.iter().map(text).collect()))
        .collect()
}

#[test]
fn a_web_socket_token_is_taken_out_and_its_name_stays() {
    let world = World::new();
    let (auth, token) = (web_socket(&world), world.user().build());
    let name = "sec-websocket-protocol".to_owned();
    let cases: [(&[&str], &[&str]); 3] = [
        (&[&format!("chat, access_token,{token} , v2")], &["chat, access_token, v2"]),
        (&["chat, access_token", &token], &["chat, access_token"]),
        (&["access_token, bad token"], &["access_token"]),
    ];
    for (sent, expected) in cases {
        let expected = expected.iter().map(|&text| text.to_owned()).collect();
        assert_eq!(left(&auth, &offering(sent)), [(name.clone(), expected)], "{sent:?}");
    }
    assert_eq!(left(&auth, &offering(&["chat, v2"])), []);
    assert_eq!(left(&auth, &Request::new()), []);
}

#[test]
fn header_fields_and_cookies_keep_their_tokens_unless_the_engine_removes_them() {
    let world = World::new();
    let (kept, token) = (world.builder().build().unwrap(), world.user().build());
    let request = || {
        Request::new()
            .bearer(&token)
            .authorization("Basic YTpi")
            .field("x-service-token", "x")
            .cookie(format!("theme=dark; session={token};lang=en"))
            .cookie(format!("session=\"{token}\""))
    };
    assert_eq!(left(&kept, &request()), []);
    let removed = world.builder().remove_tokens().build().unwrap();
    let expected = [
        ("authorization", vec!["Basic YTpi"]),
        ("x-service-token", vec![]),
        ("cookie", vec!["theme=dark; lang=en"]),
    ];
    let expected = expected.map(|(name, values): (&str, Vec<&str>)| {
        (name.to_owned(), values.into_iter().map(str::to_owned).collect::<Vec<_>>())
    });
    assert_eq!(left(&removed, &request()), expected);
    let others = Request::new().authorization("Basic YTpi").cookie("sessions=1; theme=dark");
    assert_eq!(left(&removed, &others), []);
}

#[test]
fn debug_of_what_is_left_shows_no_value() {
    let world = World::new();
    let auth = world.builder().remove_tokens().build().unwrap();
    let request = bearer(world.user()).authorization("Basic secret").query("access_token=secret");
    let shown = format!("{:?}", auth.authenticate_now(&request).hidden);
    assert!(!shown.contains("secret"), "{shown}");
    assert!(shown.contains("authorization"), "{shown}");
}

#[test]
fn a_route_reads_other_places_and_no_others() {
    let world = World::new();
    let auth = world.builder().build().unwrap();
    let key = TokenLocation::header("x-key").of_issuer(USERS);
    let route = auth.clone().with_locations([key, TokenLocation::query("token")]).unwrap();
    let token = world.user().build();
    let by_key = Request::new().field("x-key", &*token);
    assert_eq!(judge(&route, &by_key), "alice");
    assert_eq!(judge(&auth, &by_key), "no_credentials");
    assert_eq!(judge(&route, &Request::new().bearer(&token)), "no_credentials");
    assert_eq!(judge(&auth, &Request::new().bearer(&token)), "alice");
    let of_services = Request::new().field("x-key", world.service().build());
    assert_eq!(judge(&route, &of_services), "untrusted_issuer");
    // What is taken out of a request is what the route reads.
    let query = Request::new().query(format!("a=b&token={token}"));
    assert_eq!(route.hidden_tokens(&query).query(), Some("a=b"));
    assert_eq!(auth.hidden_tokens(&query).query(), None);
    // A requirement holds on top.
    let services = route.clone().with_requirement(Requirement::issuer(SERVICES)).unwrap();
    assert_eq!(judge(&services, &by_key), "untrusted_issuer");
    // The last word counts.
    let again = route.with_locations([TokenLocation::bearer()]).unwrap();
    assert_eq!(judge(&again, &Request::new().bearer(&token)), "alice");
}

#[test]
fn a_route_reads_no_places_that_cannot_be() {
    let auth = World::new().builder().build().unwrap();
    let reading = |places: Vec<TokenLocation>| auth.clone().with_locations(places).unwrap_err();
    assert!(matches!(reading(vec![]), ConfigError::Location(LocationError::NoLocations)));
    assert!(matches!(
        reading(vec![TokenLocation::header("cookie")]),
        ConfigError::Location(LocationError::InvalidName { .. })
    ));
    let twice = vec![TokenLocation::bearer(), TokenLocation::bearer()];
    assert!(matches!(reading(twice), ConfigError::Location(LocationError::Duplicate { .. })));
    let stranger = TokenLocation::bearer().of_issuer("https://strangers.test");
    assert!(matches!(
        reading(vec![stranger]),
        ConfigError::Location(LocationError::UntrustedIssuer { .. })
    ));
}
