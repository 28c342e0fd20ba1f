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
    /// Only a token says who calls, and not what was kept of an earlier request.
    a_principal_is_read_from_json: E0277
    given { use portcullis::Principal; let kept = "{}"; }
    wrong { let caller: Principal = serde_json::from_str(kept).unwrap(); }
    right { let caller: serde_json::Value = serde_json::from_str(kept).unwrap(); }
}

mistake! {
    /// A caller is what the engine has judged: grants can be made by hand, callers cannot.
    an_authenticated_caller_is_made_by_hand: E0451
    given {
        fn some<T>() -> T { unimplemented!() }
        use std::sync::Arc;
        use portcullis::{Grant, Principal, adapter::Authenticated};
        struct Own { principal: Principal, grant: Arc<Grant> }
        let principal: Principal = some();
        let grant = Arc::new(Grant::builder().roles(["admin"]).build());
    }
    wrong { let caller = Authenticated { principal, grant, ..some() }; }
    right { let caller = Own { principal, grant, ..some() }; }
}

mistake! {
    /// The proofs that stages hand on are out of reach.
    a_proof_comes_from_outside: E0603
    given {}
    wrong { use portcullis::pipeline::check::CheckedClaims; }
    right { use portcullis::adapter::Authenticated; }
}

mistake! {
    /// `Debug` hides the token.
    a_token_is_written_to_the_log: E0277
    given { let token = portcullis::adapter::BearerToken::new("secret"); }
    wrong { println!("{}", token); }
    right { println!("{:?}", token); }
}

mistake! {
    /// Records hold the fingerprint.
    a_token_is_written_to_a_record: E0277
    given { let token = portcullis::adapter::BearerToken::new("secret"); }
    wrong { let record = serde_json::to_string(&token); }
    right { let record = serde_json::to_string(&token.fingerprint()); }
}

mistake! {
    /// `Debug` hides the key.
    a_key_is_written_to_the_log: E0277
    given { fn some<T>() -> T { unimplemented!() } let key: portcullis::VerificationKey = some(); }
    wrong { println!("{}", key); }
    right { println!("{:?}", key); }
}

mistake! {
    /// Setters give the builder back.
    a_setting_is_dropped: E0382
    given { let builder = portcullis::Authenticator::builder(); }
    wrong { builder.audience("orders"); builder.build(); }
    right { let builder = builder.audience("orders"); builder.build(); }
}

mistake! {
    /// A request that waits for a key is not rejected.
    a_waiting_request_is_forgotten: E0005
    given {
        fn some<T>() -> T { unimplemented!() }
        use portcullis::{Authenticator, adapter::RequestView, future::MaybePending};
        let (auth, request): (Authenticator, Box<dyn RequestView>) = some();
    }
    wrong { let MaybePending::Ready(verdict) = auth.authenticate(&*request); }
    right { let MaybePending::Ready(verdict) = auth.authenticate(&*request) else { return }; }
}

mistake! {
    /// The operator would be easy to overlook.
    a_rule_is_turned_by_an_operator: E0600
    given { use portcullis::policy::role; }
    wrong { let policy = !role("guest"); }
    right { let policy = role("guest").not(); }
}

mistake! {
    /// Rules of two grants make no policy, until the one says where it finds its grant in the other.
    rules_of_two_grants_are_put_together: E0308
    given {
        use portcullis::{Grant, policy::{self, scope}};
        struct Rights { standard: Grant, credit: u32 }
        let has_credit = policy::grant(|rights: &Rights| rights.credit > 0);
        let may_buy = scope("orders:write");
    }
    wrong { let policy = may_buy.and(has_credit); }
    right { let policy = may_buy.on(|rights: &Rights| &rights.standard).and(has_credit); }
}

mistake! {
    /// The type of the grant is part of the engine's.
    an_engine_makes_another_grant: E0308
    given {
        use portcullis::Authenticator;
        #[derive(serde::Deserialize)]
        struct Rights { credit: u32 }
        fn serve(auth: Authenticator<Rights>) {}
        let builder = Authenticator::builder();
    }
    wrong { serve(builder.build().unwrap()); }
    right { serve(builder.with_grant::<Rights>().build().unwrap()); }
}

mistake! {
    /// A grant that no claims can be read as is made by a function.
    a_grant_is_read_that_cannot_be_read: E0277
    given { use portcullis::Authenticator; struct Rights { credit: u32 } }
    wrong { let builder = Authenticator::builder().with_grant::<Rights>(); }
    right { let builder = Authenticator::builder().with_grant_from(|_| Ok(Rights { credit: 0 })); }
}

mistake! {
    /// Threads share a grant.
    a_grant_cannot_be_shared: E0277
    given { use std::{rc::Rc, sync::Arc}; use portcullis::Authenticator; }
    wrong { let builder = Authenticator::builder().with_grant_from(|_| Ok(Rc::new(0))); }
    right { let builder = Authenticator::builder().with_grant_from(|_| Ok(Arc::new(0))); }
}
