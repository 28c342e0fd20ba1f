//! Keys that come over the network: requests wait for them, and are rejected with 503 where they
//! cannot be had. Each row has an engine of its own, which has no keys yet.

use std::sync::Arc;

use portcullis::{Issuer, TokenLocation, keys::RemoteJwkSet, policy::scope};
use portcullis_testkit::{KeyServer, Reply};

use super::{World, caller};
use crate::{
    answer::Answer,
    case::{Case, cases},
    request::Request,
    setup::{Configuration, Setup},
};

const PATH: &str = "/jwks.json";

pub(super) fn rows(world: &World) -> Vec<Case> {
    let sources = Sources::start(world);
    let token = world.token_of("alice");
    let unknown = world.token().header("kid", "unknown").build();
    let new = Request::new;
    let query = || new().query(format!("a=1&access_token={token}"));
    let alice = || Answer::accepted(caller("alice"));
    let rejected = Answer::rejected;
    let (up, down, closed) = (&sources.up, &sources.down, &sources.closed);
    let rows = [
        ("a header waits for its key", up, new().bearer(&token), alice()),
        ("a query waits for its key", up, query(), alice().seeing("a=1").no_store()),
        ("a cookie waits for its key", up, new().cookie(format!("access_token={token}")), alice()),
        (
            "HEAD waits for its key",
            up,
            new().bearer(&token).method("HEAD"),
            alice().for_method("HEAD"),
        ),
        ("a key that never comes", up, new().bearer(&unknown), rejected("unknown_key")),
        ("a forged token waits", up, new().bearer(&forged(world)), rejected("signature_mismatch")),
        ("the source fails", down, new().bearer(&token), rejected("keys_unavailable")),
        ("the source fails, query", down, query(), rejected("keys_unavailable").no_store()),
        (
            "the source fails, HEAD",
            down,
            new().bearer(&token).method("HEAD"),
            rejected("keys_unavailable").for_method("HEAD"),
        ),
        ("the source is closed", closed, new().bearer(&token), rejected("keys_unavailable")),
        ("the source fails, and nothing is there", down, new(), rejected("no_credentials")),
        ("the source fails, no JWT", down, new().bearer("x"), rejected("malformed_token")),
    ];
    let mut all = Vec::new();
    for (name, source, request, answer) in rows {
        let configuration = source.configuration(name, |setup| setup);
        all.extend(cases(&configuration, [("cold", request.clone(), answer.clone())]));
    }
    // One server for all: more key ids than a healthy source is fetched for at once.
    let flood = up.configuration("key ids that no key has", |setup| setup);
    let junk = (0..6).map(|number| {
        let key_id = format!("junk {number}");
        let junk = new().bearer(&world.token().header("kid", &*key_id).build());
        (key_id, junk, rejected("unknown_key"))
    });
    all.extend(cases(&flood, junk));
    let optional = down.configuration("the source fails, optional", Setup::optional);
    all.extend(cases(
        &optional,
        [
            ("a token is no anonymous request", new().bearer(&token), rejected("keys_unavailable")),
            ("nothing", new(), Answer::anonymous()),
        ],
    ));
    let needing = up.configuration("waits, and a scope", |setup| setup.require(scope("x")));
    let answer = rejected("insufficient_scope").parameter("scope", "x");
    all.extend(cases(&needing, [("cold", new().bearer(&token), answer)]));
    all
}

fn forged(world: &World) -> String {
    world.token().wrong_signature().build()
}

/// Servers of keys.
struct Sources {
    up: Source,
    down: Source,
    closed: Source,
}

/// A server, and the issuer whose keys it has.
struct Source {
    server: Arc<KeyServer>,
    issuer: String,
}

impl Sources {
    fn start(world: &World) -> Self {
        let issuer = &world.setting.issuer;
        let source = |reply: Reply| {
            let server = Arc::new(KeyServer::start());
            server.reply(PATH, reply);
            Source { server, issuer: issuer.name().to_owned() }
        };
        let closed = source(Reply::empty());
        closed.server.reject_connections();
        Self {
            up: source(Reply::json(issuer.jwk_set_json())),
            down: source(Reply::empty().status(500)),
            closed,
        }
    }
}

impl Source {
    fn configuration(
        &self,
        name: &str,
        change: impl Fn(Setup) -> Setup + Send + Sync + 'static,
    ) -> Configuration {
        let (server, issuer) = (Arc::clone(&self.server), self.issuer.clone());
        Configuration::new(name, move || {
            let source = RemoteJwkSet::new(server.url(PATH)).dangerous_allow_http();
            let trusted = Issuer::new(&issuer).key_source(source);
            let builder = conformance::trusting(trusted)
                .locations(TokenLocation::header_query_cookie("access_token"));
            change(super::built(builder))
        })
    }
}
