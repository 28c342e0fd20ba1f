//! Mistakes that do not compile, each with a twin that does.
//!
//! A mistake and its twin are made from one text and differ in the lines of `wrong` and `right` alone,
//! so that nothing else can be the reason. Each has the code of the compiler's error, which nightly
//! rustdoc checks and stable rustdoc does not, or the name of a lint.

macro_rules! mistake {
    (
        $(#[$doc:meta])*
        $name:ident: $error:ident
        given { $($given:tt)* }
        wrong { $($wrong:tt)* }
        right { $($right:tt)* }
    ) => {
        $(#[$doc])*
        #[doc = concat!(
            "\n```compile_fail,", stringify!($error), "\n",
            stringify!($($given)*), "\n", stringify!($($wrong)*), "\n```\n",
            "\n```no_run\n",
            stringify!($($given)*), "\n", stringify!($($right)*), "\n```\n",
        )]
        mod $name {}
    };
}

mistake! {
    /// A policy judges the grant that its layer finds.
    a_policy_is_for_another_grant: E0308
    given {
        use portcullis_axum::{Grant, RequireLayer, policy::scope};
        struct Rights { standard: Grant }
        let policy = scope("orders:read");
    }
    wrong { RequireLayer::<Rights>::new(policy); }
    right { RequireLayer::<Rights>::new(policy.on(|rights: &Rights| &rights.standard)); }
}

mistake! {
    /// An engine whose configuration was not checked guards nothing.
    a_layer_gets_an_engine_that_is_not_built: E0308
    given {
        use portcullis_axum::{Authenticator, JwtAuthLayer};
        let builder = Authenticator::builder();
    }
    wrong { let layer = JwtAuthLayer::new(builder); }
    right { let layer = JwtAuthLayer::new(builder.build().unwrap()); }
}

mistake! {
    /// Handlers take the caller that a layer has left.
    a_handler_takes_a_principal: E0277
    given { use axum::{Router, routing::get}; use portcullis_axum::{Caller, Principal}; }
    wrong { let app: Router = Router::new().route("/", get(|_: Principal| async {})); }
    right { let app: Router = Router::new().route("/", get(|_: Caller| async {})); }
}

mistake! {
    /// A client does not say who it is in a body.
    a_principal_is_taken_from_the_body: E0277
    given {
        use axum::{Json, Router, routing::post};
        use portcullis_axum::Principal;
        use serde_json::Value;
    }
    wrong { let app: Router = Router::new().route("/", post(|_: Json<Principal>| async {})); }
    right { let app: Router = Router::new().route("/", post(|_: Json<Value>| async {})); }
}

mistake! {
    /// Claims of another shape are rejected, and not taken for absent.
    claims_of_another_shape_are_ignored: E0277
    given { use axum::{Router, routing::get}; use portcullis_axum::Claims; use serde_json::Value; }
    wrong { let app: Router = Router::new().route("/", get(|_: Option<Claims<Value>>| async {})); }
    right { let app: Router = Router::new().route("/", get(|_: Claims<Option<Value>>| async {})); }
}

mistake! {
    /// A handler raises no rights, not even its own: all requests of the token share them.
    a_handler_raises_rights: E0594
    given {
        fn some<T>() -> T { unimplemented!() }
        struct Rights { credit: u32 }
        let mut granted: portcullis_axum::Granted<Rights> = some();
    }
    wrong { granted.credit = 1000; }
    right { granted.credit == 1000; }
}

mistake! {
    /// Who calls is read, and not written.
    a_handler_changes_the_caller: E0596
    given { fn some<T>() -> T { unimplemented!() } let mut caller: portcullis_axum::Caller = some(); }
    wrong { caller.subject().make_ascii_lowercase(); }
    right { caller.subject().to_ascii_lowercase(); }
}

mistake! {
    /// A rejection comes from the engine's error, so that no detail gets to the wire.
    a_rejection_is_made_by_hand: E0451
    given {
        fn some<T>() -> T { unimplemented!() }
        use portcullis_axum::{Rejection, adapter::Challenge};
        struct Own { challenge: Challenge }
        let challenge: Challenge = some();
    }
    wrong { let rejection = Rejection { challenge, ..some() }; }
    right { let rejection = Own { challenge, ..some() }; }
}

mistake! {
    /// Only an optional layer says that there is no caller.
    a_request_is_marked_as_anonymous: E0451
    given {
        fn some<T>() -> T { unimplemented!() }
        use std::sync::Arc;
        use portcullis_axum::adapter::{Anonymous, ChallengeSettings};
        struct Own { settings: Arc<ChallengeSettings> }
        let settings = Arc::new(ChallengeSettings::default());
    }
    wrong { let anonymous = Anonymous { settings, ..some() }; }
    right { let anonymous = Own { settings, ..some() }; }
}

mistake! {
    /// A layer that no router has guards nothing. The compiler warns.
    a_layer_is_forgotten: unused_must_use
    given {
        #![deny(unused_must_use)]
        use portcullis_axum::{RequireLayer, policy::scope};
    }
    wrong { RequireLayer::new(scope("orders:read")); }
    right { let _layer = RequireLayer::new(scope("orders:read")); }
}

mistake! {
    /// A rule that is not part of a policy asks for nothing. The compiler warns.
    a_rule_is_forgotten: unused_must_use
    given {
        #![deny(unused_must_use)]
        use portcullis_axum::policy::{role, scope};
        let policy = scope("orders:read");
    }
    wrong { policy.and(role("admin")); }
    right { let policy = policy.and(role("admin")); }
}
