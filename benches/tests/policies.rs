//! Allocations of a policy that allows.

use std::{borrow::Cow, time::Duration};

use portcullis::{
    Authenticator, Grant, GrantMapping, NumericDate,
    future::MaybePending,
    policy::{
        Policy, RoleHierarchy, RouteView, TokenKinds, acr_values, all_roles, any_scope, audience,
        check_async, deny_all, issuer, max_age, path_parameter, permission, role, scope, subject,
    },
};
use portcullis_testkit::{ManualClock, TestIssuer};

struct Route;

impl RouteView for Route {
    fn path_parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        (name == "tenant").then_some(Cow::Borrowed("acme"))
    }

    fn route(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed("/{tenant}"))
    }

    fn method(&self) -> Option<&str> {
        Some("GET")
    }
}

const ISSUER: &str = "https://idp.test";
const NOW: i64 = 1_700_000_000;

#[test]
fn a_policy_allocates_nothing_unless_it_has_to_wait() {
    let clock = ManualClock::at(NumericDate::from_seconds(NOW));
    let idp = TestIssuer::new(ISSUER).clock(clock.clone());
    let mapping = GrantMapping::default().permissions("permissions", ":");
    let auth = Authenticator::builder()
        .issuer(idp.trusted().grant_mapping(mapping))
        .audience("api")
        .clock(clock)
        .build()
        .expect("an engine");
    let token = idp.token().audience("api").scope("a b").roles(["writer", "auditor"]);
    let token = token
        .claim("permissions", ["acme:admin"])
        .claim("tenants", ["other", "acme"])
        .claim("kind", "execution")
        .claim("acr", "gold")
        .claim("auth_time", NOW);
    let caller = auth.authenticate_token_now(&token.build()).expect("a good token");
    let ranks = RoleHierarchy::new(["reader", "writer", "admin"]);
    let tenant = || path_parameter("tenant");
    let wait = || check_async(async |_, _: std::sync::Arc<Grant>| Ok(()));
    let policies: Vec<Policy> = vec![
        scope("a").and(any_scope(["c", "b"])),
        role("writer").and(all_roles(["writer", "auditor"])),
        ranks.role_at_least("reader").and(ranks.permission_at_least(tenant(), "writer")),
        permission(tenant(), "admin").or(wait()),
        tenant().is_in_claim("tenants").and(tenant().equals_claim("sub").not()),
        TokenKinds::new("kind", ["execution", "workload"]).only("execution"),
        acr_values(["gold"]).and(max_age(Duration::from_secs(60))),
        issuer(ISSUER).and(audience("api")).and(subject(ISSUER, "alice")),
        deny_all().except_method("GET", "/{tenant}", scope("a")),
    ];
    for policy in policies {
        let mut allowed = false;
        let allocations = allocation_counter::measure(|| {
            let decision = policy.authorize(caller.principal(), caller.grant(), &Route);
            allowed = matches!(decision, MaybePending::Ready(Ok(())));
        });
        assert!(allowed, "{policy:?}");
        assert_eq!(allocations.count_total, 0, "{policy:?}");
    }
}
