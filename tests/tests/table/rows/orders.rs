//! Every order of header, query and cookie, with every set of them filled, for every rule on
//! several tokens. Each place holds a token of its own subject, so that it shows which one counted.

use portcullis::{MultipleTokens, TokenLocation};

use super::{World, built, caller};
use crate::{
    answer::Answer,
    case::{Case, cases},
    echo::Caller,
    request::Request,
    setup::Configuration,
};

const NAME: &str = "access_token";

const HEADER: &str = "header";
const QUERY: &str = "query";
const COOKIE: &str = "cookie";

const ORDERS: [[&str; 3]; 6] = [
    [HEADER, QUERY, COOKIE],
    [HEADER, COOKIE, QUERY],
    [QUERY, HEADER, COOKIE],
    [QUERY, COOKIE, HEADER],
    [COOKIE, HEADER, QUERY],
    [COOKIE, QUERY, HEADER],
];

const RULES: [(&str, MultipleTokens); 3] = [
    ("two are rejected", MultipleTokens::Reject),
    ("the first counts", MultipleTokens::First),
    ("all count", MultipleTokens::All),
];

pub(super) fn rows(world: &World) -> Vec<Case> {
    let mut all = Vec::new();
    for order in ORDERS {
        for (rule_name, rule) in RULES {
            let configuration = configuration(world, order, rule_name, rule);
            let sets = (0..8).map(|bits| {
                let (filled, name) = subset(order, bits);
                let request = filled
                    .iter()
                    .fold(Request::new(), |to, place| put(to, place, &world.token_of(place)));
                (name, request, good(rule, &filled))
            });
            all.extend(cases(&configuration, sets));
            if order == ORDERS[0] {
                all.extend(cases(&configuration, pairs(world, rule)));
            }
        }
    }
    all
}

fn configuration(
    world: &World,
    order: [&'static str; 3],
    rule_name: &str,
    rule: MultipleTokens,
) -> Configuration {
    world.configuration(&format!("{}, {rule_name}", order.join(" ")), move |builder| {
        let places = order.map(|place| match place {
            HEADER => TokenLocation::bearer(),
            QUERY => TokenLocation::query(NAME),
            _ => TokenLocation::cookie(NAME),
        });
        built(builder.locations(places).multiple_tokens(rule))
    })
}

fn subset(order: [&'static str; 3], bits: usize) -> (Vec<&'static str>, String) {
    let places = order.into_iter().enumerate();
    let filled = places.filter(|(index, _)| bits & (1 << index) != 0).map(|(_, place)| place);
    let filled: Vec<_> = filled.collect();
    let name = if filled.is_empty() { "none".to_owned() } else { filled.join(" and ") };
    (filled, name)
}

fn put(request: Request, place: &str, token: &str) -> Request {
    match place {
        HEADER => request.authorization(format!("Bearer {token}").trim_end()),
        QUERY => request.query(format!("{NAME}={token}")),
        _ => request.cookie(format!("{NAME}={token}")),
    }
}

/// What is told where every token is good. `filled` is in the order of the places.
fn good(rule: MultipleTokens, filled: &[&str]) -> Answer {
    let explicit = filled.iter().filter(|&&place| place != COOKIE).collect::<Vec<_>>();
    let counts = match (rule, &*explicit, filled) {
        (_, _, []) => Err("no_credentials"),
        // A cookie is looked at only where there is nothing else.
        (MultipleTokens::Reject, [_, _], _) => Err("multiple_tokens"),
        (MultipleTokens::Reject, [one], _) => Ok(caller(one)),
        (MultipleTokens::All, _, [first, others @ ..]) => {
            let others = others.iter().map(|&other| other.to_owned()).collect();
            Ok(Caller { others, ..caller(first) })
        }
        (_, _, [first, ..]) => Ok(caller(first)),
    };
    told(counts.map(Answer::accepted), filled)
}

/// A token in the query is one whether it counts or not: caches must not store the response.
fn told(counts: Result<Answer, &str>, filled: &[&str]) -> Answer {
    let answer = counts.unwrap_or_else(Answer::rejected);
    if filled.contains(&QUERY) { answer.no_store() } else { answer }
}

/// One place holds something bad and another a good token, which must never replace it.
fn pairs(world: &World, rule: MultipleTokens) -> Vec<(String, Request, Answer)> {
    let expired = world.token().expired().build();
    let mut rows = Vec::new();
    for (bad, good) in ORDERS.iter().map(|[first, second, _]| (*first, *second)) {
        for (what, text, code) in
            [("an expired", &*expired, "token_expired"), ("an empty", "", "malformed_request")]
        {
            let request = put(put(Request::new(), bad, text), good, &world.token_of(good));
            let counts = mixed(rule, bad, good, code);
            let answer = told(counts.map(|place| Answer::accepted(caller(place))), &[bad, good]);
            let name = format!("{what} token in the {bad}, a good one in the {good}");
            rows.push((name, request, answer));
        }
    }
    rows
}

/// What counts where one place holds something bad, in the order header, query, cookie.
fn mixed<'a>(
    rule: MultipleTokens,
    bad: &str,
    good: &'a str,
    code: &'a str,
) -> Result<&'a str, &'a str> {
    let position = |place: &str| ORDERS[0].iter().position(|own| *own == place);
    match rule {
        MultipleTokens::Reject if bad == COOKIE => Ok(good),
        // Both are explicit, but an empty one is no second token.
        MultipleTokens::Reject if good != COOKIE && code == "token_expired" => {
            Err("multiple_tokens")
        }
        MultipleTokens::First if position(good) < position(bad) => Ok(good),
        _ => Err(code),
    }
}
