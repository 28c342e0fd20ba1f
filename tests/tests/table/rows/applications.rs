//! Every code, said by a function of the application: where it makes the grant, and where it
//! decides on the handler.

use conformance::rejections::REJECTIONS;
use portcullis::{AuthError, AuthErrorKind, Principal, policy::check};

use super::{World, built};
use crate::{
    answer::Answer,
    case::{Case, cases},
    request::Request,
};

pub(super) fn rows(world: &World) -> Vec<Case> {
    let grant = world.configuration("the grant is rejected with", |builder| {
        let builder = builder.with_grant_from(|caller| {
            asked_for(caller)?;
            caller.standard_grant()
        });
        built(builder)
    });
    let policy = world.requiring("the policy rejects with", [check(|caller, _| asked_for(caller))]);
    let request = |code: &str| Request::new().bearer(&world.token().claim("reject", code).build());
    let mut all = cases(
        &grant,
        REJECTIONS.map(|told| {
            // There were credentials, whatever the function says.
            let no_credentials = told.code == "no_credentials";
            let code = if no_credentials { "not_permitted" } else { told.code };
            (told.code, request(told.code), Answer::rejected(code))
        }),
    );
    all.extend(cases(
        &policy,
        REJECTIONS.map(|told| (told.code, request(told.code), Answer::rejected(told.code))),
    ));
    all
}

/// The token tells what the application is to reject it with.
fn asked_for(caller: &Principal) -> Result<(), AuthError> {
    let code: Option<String> = caller.claim("reject")?;
    let kind = AuthErrorKind::ALL.iter().find(|kind| code.as_deref() == Some(kind.code()));
    kind.map_or(Ok(()), |&kind| Err(kind.into()))
}
