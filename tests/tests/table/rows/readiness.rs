//! A readiness probe needs no credentials, and says no more than whether there are keys.

use conformance::trusting;
use portcullis::{Issuer, keys::JwkSetFile};

use super::{World, built};
use crate::{
    answer::Answer,
    case::{Case, cases},
    request::{READINESS_PATH, Request},
    setup::Configuration,
};

pub(super) fn rows(world: &World) -> Vec<Case> {
    let with_keys = world.configuration("readiness", built);
    let without_keys = Configuration::new("readiness without keys", || {
        let missing = JwkSetFile::new("/missing/keys.json");
        built(trusting(Issuer::new("https://idp.test").key_source(missing)))
    });
    let probe = || Request::new().path(READINESS_PATH);
    let rows = |status, body| {
        [
            ("GET", probe(), Answer::probe(status, body)),
            ("a bad token", probe().bearer("x"), Answer::probe(status, body)),
            ("HEAD", probe().method("HEAD"), Answer::probe(status, body).for_method("HEAD")),
            ("POST", probe().method("POST"), Answer::method_not_allowed()),
            ("OPTIONS", probe().method("OPTIONS"), Answer::method_not_allowed()),
        ]
    };
    let mut all = cases(&with_keys, rows(200, "ready"));
    all.extend(cases(&without_keys, rows(503, "no usable keys")));
    all
}
