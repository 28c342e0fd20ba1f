//! Issuers whose claims differ, and one type of the application.

use conformance::{AUDIENCE, NOW};
use portcullis::{
    AuthError, AuthErrorKind, Authenticator, GrantMapping, NumericDate, Principal, policy,
};
use portcullis_testkit::{ManualClock, TestIssuer, TokenBuilder};
use serde::Deserialize;

/// What the application wants to know, whoever says it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
struct Rights {
    #[serde(alias = "org")]
    tenant: String,
    #[serde(alias = "https://partner.test/level", default)]
    level: u8,
}

struct World {
    clock: ManualClock,
    ours: TestIssuer,
    partner: TestIssuer,
}

impl World {
    fn new() -> Self {
        let clock = ManualClock::at(NumericDate::from_seconds(NOW));
        let issuer = |name: &str| TestIssuer::new(name).clock(clock.clone());
        Self { ours: issuer("https://ours.test"), partner: issuer("https://partner.test"), clock }
    }

    fn builder(&self) -> portcullis::AuthenticatorBuilder {
        Authenticator::builder()
            .issuer(self.ours.trusted())
            .issuer(self.partner.trusted().grant_mapping(GrantMapping::default().roles(["groups"])))
            .audience(AUDIENCE)
            .clock(self.clock.clone())
    }
}

fn rights<G: Clone + Send + Sync + 'static>(
    auth: &Authenticator<G>,
    token: TokenBuilder,
) -> Result<G, &'static str> {
    let found = auth.authenticate_token_now(&token.audience(AUDIENCE).build());
    found.map(|caller| G::clone(caller.grant())).map_err(|error| error.kind().code())
}

#[test]
fn two_issuers_with_other_names_for_claims_make_one_type_by_reading() {
    let world = World::new();
    let auth = world.builder().with_grant::<Rights>().build().unwrap();
    let expected = |level| Ok(Rights { tenant: "acme".to_owned(), level });
    let of_ours = world.ours.token().claim("tenant", "acme").claim("level", 3);
    assert_eq!(rights(&auth, of_ours), expected(3));
    let of_partner = world.partner.token().claim("org", "acme");
    let leveled = of_partner.clone().claim("https://partner.test/level", 2);
    assert_eq!(rights(&auth, leveled), expected(2));
    assert_eq!(rights(&auth, of_partner), expected(0));
    assert_eq!(rights(&auth, world.ours.token()), Err("malformed_claim"));
}

/// What one issuer may say, the other may not.
fn by_issuer(caller: &Principal) -> Result<Rights, AuthError> {
    let required = |name| -> Result<String, AuthError> {
        Ok(caller.claim(name)?.ok_or(AuthErrorKind::MissingClaim)?)
    };
    match caller.trusted_issuer() {
        "https://ours.test" => Ok(Rights {
            tenant: required("tenant")?,
            level: caller.claim("level")?.unwrap_or_default(),
        }),
        _ => Ok(Rights {
            tenant: required("org")?,
            level: u8::from(caller.standard_grant()?.has_role("staff")),
        }),
    }
}

#[test]
fn two_issuers_make_one_type_by_a_function_that_knows_who_speaks() {
    let world = World::new();
    let auth = world.builder().with_grant_from(by_issuer).build().unwrap();
    let expected = |level| Ok(Rights { tenant: "acme".to_owned(), level });
    let of_ours = world.ours.token().claim("tenant", "acme").claim("level", 3);
    assert_eq!(rights(&auth, of_ours.clone()), expected(3));
    let of_partner = world.partner.token().claim("org", "acme").claim("groups", ["staff"]);
    assert_eq!(rights(&auth, of_partner.clone()), expected(1));
    // The claims of the other count for nothing.
    let level_of_partner = of_partner.claim("level", 9);
    assert_eq!(rights(&auth, level_of_partner), expected(1));
    let names_of_partner = world.ours.token().claim("org", "acme");
    assert_eq!(rights(&auth, names_of_partner), Err("missing_claim"));
    // One policy is for both.
    let policy = policy::grant(|rights: &Rights| rights.level >= 2);
    let caller = auth.authenticate_token_now(&of_ours.audience(AUDIENCE).build()).unwrap();
    assert!(policy.check(caller.principal(), caller.grant()).is_ok());
}
