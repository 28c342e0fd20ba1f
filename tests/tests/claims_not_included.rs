//! Claims that a token names without their values: distributed and aggregated claims
//! (OpenID Connect Core §5.6.2) and the `hasgroups` of Entra. No rule may read one as empty.

#![expect(clippy::unwrap_used, reason = "what is no test function here runs in tests alone")]

use std::{
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use conformance::{Setting, trusting};
use portcullis::{
    AuthError, Authenticator, Grant, GrantMapping, Policy, Principal,
    adapter::Authenticated,
    future::MaybePending,
    grant::ResolverConfig,
    policy::{
        self, RoleHierarchy, ScopeHierarchy, TokenKinds, acr_values, actor, any_role,
        authenticated, claim, client, max_age, not_delegated, path_parameter, permission, role,
        scope,
    },
};
use portcullis_testkit::TokenBuilder;
use serde::Deserialize;
use serde_json::{Map, Value, json};

const NOT_INCLUDED: Result<(), &str> = Err("claim_not_included");

/// A token whose groups are at Microsoft Graph, as Entra writes it for a member of over 200 groups.
fn overage(setting: &Setting) -> TokenBuilder {
    setting.valid().claim("_claim_names", json!({"groups": "src1"})).claim(
        "_claim_sources",
        json!({"src1": {"endpoint": "https://graph.test/users/1/getMemberObjects"}}),
    )
}

fn elsewhere(setting: &Setting, name: &str) -> TokenBuilder {
    setting.valid().claim("_claim_names", json!({name: "src1"}))
}

fn caller(auth: &Authenticator, token: &TokenBuilder) -> Authenticated {
    auth.authenticate_token_now(&token.build()).unwrap()
}

/// Waits for the resolver.
async fn later<G: Send + Sync + 'static>(
    auth: &Authenticator<G>,
    token: &TokenBuilder,
) -> Result<Authenticated<G>, AuthError> {
    auth.authenticate_token(&token.build()).await
}

/// Decides by a policy, and waits for asynchronous rules, which answer at the second look.
fn decide<G: Send + Sync + 'static>(
    policy: &Policy<G>,
    caller: &Authenticated<G>,
) -> Result<(), &'static str> {
    let grant = caller.grant();
    let result = match policy.authorize(caller.principal(), grant, &Route) {
        MaybePending::Ready(result) => result,
        MaybePending::Pending(deciding) => {
            let mut deciding = pin!(deciding);
            let mut cx = Context::from_waker(Waker::noop());
            loop {
                if let Poll::Ready(result) = deciding.as_mut().poll(&mut cx) {
                    break result;
                }
            }
        }
    };
    result.map_err(code)
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn code(error: AuthError) -> &'static str {
    error.kind().code()
}

/// A route whose parameter `p` is `g`.
struct Route;

impl policy::RouteView for Route {
    fn path_parameter(&self, name: &str) -> Option<std::borrow::Cow<'_, str>> {
        (name == "p").then(|| "g".into())
    }

    fn route(&self) -> Option<std::borrow::Cow<'_, str>> {
        Some("/{p}".into())
    }

    fn method(&self) -> Option<&str> {
        Some("GET")
    }
}

fn in_group(group: &'static str) -> Policy {
    policy::grant(move |grant: &Grant| grant.is_in_group(group))
}

#[test]
fn a_group_that_is_not_listed_is_not_taken_for_absent() {
    let setting = Setting::new();
    for token in [
        overage(&setting),
        overage(&setting).claim("groups", Value::Null),
        setting.valid().claim("hasgroups", true),
        setting.valid().claim("hasgroups", "true"),
    ] {
        let alice = caller(&setting.plain, &token);
        for policy in [
            in_group("suspended"),
            in_group("suspended").not(),
            in_group("suspended").not().not(),
            in_group("suspended").not().and(scope("orders:read")),
            scope("orders:read").and(in_group("suspended").not()),
            policy::grant(|grant: &Grant| !grant.groups().any(|group| group == "suspended")),
            policy::grant(|grant: &Grant| grant.groups().next().is_none()),
            policy::check(|_, grant: &Grant| {
                policy::allow_if(!grant.is_in_group("suspended"), || "suspended")
            }),
            policy::check_async(|_, grant: Arc<Grant>| {
                let not_yet = !grant.is_in_group("suspended");
                async move { policy::allow_if(not_yet, || "suspended") }
            }),
            policy::check_async(|_, grant: Arc<Grant>| async move {
                YieldOnce::default().await;
                policy::allow_if(!grant.is_in_group("suspended"), || "suspended")
            }),
            path_parameter("p").check(|value, _, grant: &Grant| {
                policy::allow_if(!grant.is_in_group(value), || "in it")
            }),
            claim("groups", json!(["suspended"])).not(),
            claim("/groups/a", "suspended").not(),
            path_parameter("p").is_in_claim("groups").not(),
            path_parameter("p").equals_claim("groups").not(),
        ] {
            assert_eq!(
                decide(&policy, &alice),
                NOT_INCLUDED,
                "{policy:?} for {}",
                token.claims_json()
            );
        }
    }
}

#[test]
fn rules_that_read_other_claims_are_not_affected() {
    let setting = Setting::new();
    let alice = caller(&setting.plain, &overage(&setting).roles(["clerk"]).claim("tenant", "acme"));
    for policy in [
        scope("orders:read"),
        role("clerk"),
        role("admin").not(),
        claim("tenant", "acme"),
        claim("tenant", "other").not(),
        policy::grant(|grant: &Grant| grant.has_role("clerk")),
        authenticated(),
        not_delegated(),
    ] {
        assert_eq!(decide(&policy, &alice), Ok(()), "{policy:?}");
    }
    for token in [
        setting.valid().claim("hasgroups", false),
        setting.valid().claim("_claim_names", Value::Null),
        setting.valid().claim("_claim_names", json!({})),
        setting.valid().claim("_claim_names", json!({"photo": "src1"})),
        setting.valid(),
    ] {
        let alice = caller(&setting.plain, &token);
        assert_eq!(decide(&in_group("suspended").not(), &alice), Ok(()), "{}", token.claims_json());
    }
}

#[test]
fn another_branch_of_an_or_may_still_allow() {
    let setting = Setting::new();
    let alice = caller(&setting.plain, &overage(&setting));
    let unknown = || in_group("suspended").not();
    let yes = || scope("orders:read");
    let no = || scope("orders:write");
    for (policy, expected) in [
        (unknown().or(yes()), Ok(())),
        (yes().or(unknown()), Ok(())),
        (unknown().or(no()), NOT_INCLUDED),
        (no().or(unknown()), NOT_INCLUDED),
        (unknown().or(unknown()), NOT_INCLUDED),
        (unknown().or(no()).or(yes()), Ok(())),
        (unknown().or(no()).not(), NOT_INCLUDED),
        (unknown().or(yes()).not(), Err("not_permitted")),
        (unknown().and(yes()).or(yes()), Ok(())),
        (
            unknown()
                .or(policy::check(|_, _| Err(portcullis::AuthErrorKind::StoreUnavailable.into()))),
            Err("store_unavailable"),
        ),
        (
            unknown().or(policy::check_async(|_, _: Arc<Grant>| async {
                YieldOnce::default().await;
                Ok(())
            })),
            Ok(()),
        ),
        (
            unknown().or(policy::check_async(|_, _: Arc<Grant>| async {
                YieldOnce::default().await;
                Err(portcullis::AuthErrorKind::NotPermitted.into())
            })),
            NOT_INCLUDED,
        ),
    ] {
        assert_eq!(decide(&policy, &alice), expected, "{policy:?}");
    }
}

#[test]
fn a_claim_that_the_token_includes_and_names_another_source_for_is_not_known() {
    let setting = Setting::new();
    let alice = caller(&setting.plain, &overage(&setting).claim("groups", ["staff"]));
    for policy in [in_group("staff"), in_group("staff").not(), claim("groups", ["staff"]).not()] {
        assert_eq!(decide(&policy, &alice), NOT_INCLUDED, "{policy:?}");
    }
    // A claim that takes precedence is in the token, and the one behind it does not matter.
    let mapping = GrantMapping::default().groups(["teams", "groups"]);
    let auth = setting.engine(setting.issuer.trusted().grant_mapping(mapping));
    let alice = caller(&auth, &overage(&setting).claim("teams", ["staff"]));
    assert!(alice.grant().is_complete());
    assert_eq!(decide(&in_group("suspended").not(), &alice), Ok(()));
}

/// Each rule that reads a claim, with the claim that it reads.
#[test]
fn no_rule_reads_a_claim_that_is_not_included_as_absent() {
    let setting = Setting::new();
    let ranks = RoleHierarchy::new(["reader", "writer"]);
    let kinds = TokenKinds::new("kind", ["task", "wait"]).absent_is("task");
    let mapping = GrantMapping::default().roles(["/realm/roles"]).permissions("permissions", ":");
    let auth = setting.engine(setting.issuer.trusted().grant_mapping(mapping));
    for (name, policies) in [
        ("scope", vec![scope("a"), policy::any_scope(["a", "b"])]),
        ("realm", vec![role("reader"), any_role(["reader", "x"]), ranks.role_at_least("writer")]),
        (
            "permissions",
            vec![
                permission("x", "read"),
                permission(path_parameter("p"), "read"),
                ranks.permission_at_least("x", "reader"),
                policy::grant(|grant: &Grant| grant.levels_on("x").next().is_some()),
                policy::grant(|grant: &Grant| grant.permissions().next().is_some()),
            ],
        ),
        ("kind", vec![kinds.only("task"), kinds.only("wait")]),
        ("acr", vec![acr_values(["gold"])]),
        ("auth_time", vec![max_age(Duration::from_secs(60))]),
        ("tenant", vec![claim("tenant", "acme"), claim("/tenant/name", Value::Null)]),
    ] {
        let alice = caller(&auth, &elsewhere(&setting, name).without_claim("scope"));
        for policy in policies {
            for policy in [policy.clone(), policy.clone().not(), policy.not().not()] {
                assert_eq!(decide(&policy, &alice), NOT_INCLUDED, "{policy:?} without {name}");
            }
        }
    }
}

#[test]
fn a_list_of_several_claims_decides_by_what_is_there() {
    let setting = Setting::new();
    let mapping = GrantMapping::default().roles(["roles"]).more_roles(["groups"]);
    let auth = setting.engine(setting.issuer.trusted().grant_mapping(mapping));
    let alice = caller(&auth, &overage(&setting).roles(["clerk"]));
    let ranks = RoleHierarchy::new(["clerk", "admin"]);
    for (policy, expected) in [
        (role("clerk"), Ok(())),
        (role("clerk").not(), Err("not_permitted")),
        (any_role(["x", "clerk"]), Ok(())),
        (ranks.role_at_least("clerk"), Ok(())),
        (role("admin"), NOT_INCLUDED),
        (role("admin").not(), NOT_INCLUDED),
        (policy::all_roles(["clerk", "admin"]).not(), NOT_INCLUDED),
        (ranks.role_at_least("admin").not(), NOT_INCLUDED),
    ] {
        assert_eq!(decide(&policy, &alice), expected, "{policy:?}");
    }
}

#[test]
fn an_empty_scope_that_is_unrestricted_is_one_that_the_token_includes() {
    let setting = Setting::new();
    let grammar = ScopeHierarchy::new(
        |grant: &Grant| grant.scope().iter().collect(),
        |held, needed| Ok(held == needed),
    )
    .dangerous_empty_is_unrestricted();
    let alice = caller(&setting.plain, &elsewhere(&setting, "scope").without_claim("scope"));
    assert_eq!(grammar.check(alice.grant(), "x").map_err(code), NOT_INCLUDED);
    assert_eq!(decide(&grammar.covers("x"), &alice), NOT_INCLUDED);
    let alice = caller(&setting.plain, &setting.valid().without_claim("scope"));
    assert_eq!(grammar.check(alice.grant(), "x").map_err(code), Ok(()));
}

/// The engine reads these itself: who calls, for how long, and bound to what.
#[test]
fn rejects_a_token_that_does_not_include_a_claim_of_the_engine() {
    let setting = Setting::new();
    for name in ["act", "cnf", "client_id", "azp", "jti", "nbf", "aud", "sub", "exp"] {
        let token = elsewhere(&setting, name);
        let rejected = setting.plain.authenticate_token_now(&token.build()).expect_err(name);
        assert_eq!(code(rejected), "claim_not_included", "{name}");
    }
    for (value, expected) in [
        (json!("groups"), "malformed_claim"),
        (json!(["groups"]), "malformed_claim"),
        (json!(1), "malformed_claim"),
    ] {
        let token = setting.valid().claim("_claim_names", &value);
        let rejected =
            setting.plain.authenticate_token_now(&token.build()).expect_err("a wrong type");
        assert_eq!(code(rejected), expected, "{value}");
    }
    let claims = setting.valid().claims_json();
    let twice = claims.replacen('{', r#"{"_claim_names":{"act":"a","act":"b"},"#, 1);
    let rejected = setting.plain.authenticate_token_now(&setting.valid().raw_claims(twice).build());
    assert_eq!(code(rejected.expect_err("a member twice")), "malformed_token");
}

#[test]
fn rules_about_the_caller_still_work_next_to_a_claim_that_is_not_included() {
    let setting = Setting::new();
    let token = overage(&setting).claim("act", json!({"sub": "bot"})).claim("client_id", "web");
    let alice = caller(&setting.plain, &token);
    let issuer = setting.issuer.name();
    assert_eq!(decide(&actor(issuer, "bot"), &alice), Ok(()));
    assert_eq!(decide(&client(issuer, "web"), &alice), Ok(()));
}

#[derive(Debug)]
struct Rights {
    standard: Grant,
    suspended: bool,
}

#[test]
fn a_mapping_of_the_application_cannot_read_it_as_absent() {
    let setting = Setting::new();
    let judge = |function: fn(&Principal) -> Result<bool, AuthError>| {
        let builder = trusting(setting.issuer.trusted()).with_grant_from(move |caller| {
            Ok(Rights { suspended: function(caller)?, standard: caller.standard_grant()? })
        });
        let auth = builder.build().unwrap();
        let judged = auth.authenticate_token_now(&overage(&setting).build());
        judged
            .map(|caller| (decide(&not_suspended(), &caller), decide(&not_in_group(), &caller)))
            .map_err(code)
    };
    #[derive(Deserialize)]
    struct Claims {
        #[serde(default)]
        groups: Vec<String>,
    }
    #[derive(Deserialize)]
    struct Flattened {
        #[serde(flatten)]
        claims: Claims,
    }
    #[derive(Deserialize)]
    struct Wrapped(Option<Claims>);
    let rejected = Err("claim_not_included");
    assert_eq!(judge(|caller| Ok(caller.standard_grant()?.is_in_group("suspended"))), rejected);
    let one = |caller: &Principal| {
        let groups: Option<Vec<String>> = caller.claim("groups")?;
        Ok(groups.unwrap_or_default().contains(&"suspended".to_owned()))
    };
    assert_eq!(judge(one), rejected);
    // The engine notices the read although the function drops the error.
    let drops_the_error = |caller: &Principal| {
        let groups = caller.claim::<Vec<String>>("groups").ok().flatten();
        Ok(groups.unwrap_or_default().contains(&"suspended".to_owned()))
    };
    assert_eq!(judge(drops_the_error), rejected);
    assert_eq!(judge(|caller| Ok(!caller.claims::<Claims>()?.groups.is_empty())), rejected);
    assert_eq!(
        judge(|caller| Ok(!caller.claims::<Flattened>()?.claims.groups.is_empty())),
        rejected
    );
    assert_eq!(judge(|caller| Ok(caller.claims::<Wrapped>()?.0.is_none())), rejected);
    assert_eq!(judge(|caller| Ok(caller.claims::<Map<String, Value>>()?.is_empty())), rejected);
    assert_eq!(judge(|caller| Ok(caller.claims::<Value>()?.is_null())), rejected);
    // Reads of other claims are not affected.
    #[derive(Deserialize)]
    struct Other {
        sub: String,
    }
    let reads_others = |caller: &Principal| Ok(caller.claims::<Other>()?.sub == "suspended");
    assert_eq!(judge(reads_others), Ok((Ok(()), NOT_INCLUDED)));
    let names_it = |caller: &Principal| {
        let names: Option<Map<String, Value>> = caller.claim("_claim_names")?;
        Ok(names.is_none_or(|names| !names.contains_key("groups")))
    };
    assert_eq!(judge(names_it), Ok((Ok(()), NOT_INCLUDED)));
    let asks_first = |caller: &Principal| {
        let grant = caller.standard_grant()?;
        Ok(grant.is_complete() && grant.is_in_group("suspended"))
    };
    assert_eq!(judge(asks_first), Ok((Ok(()), NOT_INCLUDED)));
}

fn not_suspended() -> Policy<Rights> {
    policy::grant(|rights: &Rights| rights.suspended).not()
}

fn not_in_group() -> Policy<Rights> {
    let inside = in_group("suspended").not().on(|rights: &Rights| &rights.standard);
    inside.and(policy::grant(|rights: &Rights| !rights.standard.is_in_group("suspended")))
}

#[tokio::test]
async fn groups_that_a_resolver_supplies_count() {
    let setting = Setting::new();
    for (groups, expected) in [(&["staff"][..], Ok(())), (&["suspended"], Err("not_permitted"))] {
        let resolving = ResolverConfig::new(move |caller: Principal| async move {
            let grant = caller.standard_grant()?;
            assert!(!grant.is_complete());
            Ok(grant.into_builder().groups(groups.iter().copied()).build())
        });
        let auth = trusting(setting.issuer.trusted()).with_resolver(resolving).build().unwrap();
        let caller = later(&auth, &overage(&setting)).await.unwrap();
        assert!(caller.grant().is_complete() && caller.grant().has_scope("orders:read"));
        assert_eq!(decide(&in_group("suspended").not(), &caller), expected, "{groups:?}");
    }
    let reading = ResolverConfig::new(|caller: Principal| async move {
        let standard = caller.standard_grant()?;
        YieldOnce::default().await;
        Ok(Rights { suspended: standard.is_in_group("suspended"), standard })
    });
    let auth = trusting(setting.issuer.trusted()).with_resolver(reading).build().unwrap();
    let rejected = later(&auth, &overage(&setting)).await.unwrap_err();
    assert_eq!(code(rejected), "claim_not_included");
}

#[test]
fn a_grant_that_is_not_complete_says_so_in_json() {
    let setting = Setting::new();
    let grant = caller(&setting.plain, &overage(&setting));
    assert_eq!(serde_json::to_value(&**grant.grant()).unwrap()["not_included"], json!(["groups"]));
    let grant = caller(&setting.plain, &setting.valid());
    assert_eq!(serde_json::to_value(&**grant.grant()).unwrap().get("not_included"), None);
}

/// Is ready when it is polled for the second time.
#[derive(Default)]
struct YieldOnce {
    polled: bool,
}

impl Future for YieldOnce {
    type Output = ();

    fn poll(mut self: std::pin::Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.polled, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

#[test]
fn an_explanation_names_the_claims_that_are_not_included() {
    let setting = Setting::new();
    for token in [overage(&setting), setting.valid().claim("hasgroups", true)] {
        let explanation = setting.plain.explain_token(&token.build());
        let map = explanation.steps().iter().find(|step| step.stage() == "map").unwrap();
        let fact = "not included in the token, so that rules about it reject: `groups`";
        assert!(map.facts().contains(&fact.to_owned()), "{map:?}");
    }
    let explanation = setting.plain.explain_token(&elsewhere(&setting, "act").build());
    let rejected = explanation.rejected().unwrap();
    assert_eq!(rejected.stage(), "map");
    assert!(rejected.help().unwrap().contains("with a resolver"), "{rejected:?}");
}
