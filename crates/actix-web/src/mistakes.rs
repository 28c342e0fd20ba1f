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
    /// A policy judges the grant that its middleware finds.
    a_policy_is_for_another_grant: E0308
    given {
        use portcullis_actix_web::{Grant, Require, policy::scope};
        struct Rights { standard: Grant }
        let policy = scope("orders:read");
    }
    wrong { let _require = Require::<Rights>::new(policy); }
    right { let _require = Require::<Rights>::new(policy.on(|rights: &Rights| &rights.standard)); }
}

mistake! {
    /// An engine whose configuration was not checked guards nothing.
    a_middleware_gets_an_engine_that_is_not_built: E0308
    given {
        use portcullis_actix_web::{Authenticator, JwtAuth};
        let builder = Authenticator::builder();
    }
    wrong { let _auth = JwtAuth::new(builder); }
    right { let _auth = JwtAuth::new(builder.build().unwrap()); }
}

mistake! {
    /// The engine judges no request by itself.
    an_engine_stands_in_place_of_a_middleware: E0277
    given {
        use actix_web::App;
        use portcullis_actix_web::{Authenticator, JwtAuth};
        let auth = Authenticator::builder().build().unwrap();
    }
    wrong { let app = App::new().wrap(auth); }
    right { let app = App::new().wrap(JwtAuth::new(auth)); }
}

mistake! {
    /// A policy is asked by its middleware.
    a_policy_stands_in_place_of_a_middleware: E0277
    given {
        use actix_web::web;
        use portcullis_actix_web::{Require, policy::scope};
        let policy = scope("orders:read");
    }
    wrong { let orders = web::scope("/orders").wrap(policy); }
    right { let orders = web::scope("/orders").wrap(Require::new(policy)); }
}

mistake! {
    /// Handlers take the caller that a middleware has left.
    a_handler_takes_a_principal: E0277
    given { use actix_web::web; use portcullis_actix_web::{Caller, Principal}; }
    wrong { let route = web::get().to(|_: Principal| async { "" }); }
    right { let route = web::get().to(|_: Caller| async { "" }); }
}

mistake! {
    /// A client does not say who it is in a body.
    a_principal_is_taken_from_the_body: E0277
    given { use actix_web::web; use portcullis_actix_web::Principal; use serde_json::Value; }
    wrong { let route = web::post().to(|_: web::Json<Principal>| async { "" }); }
    right { let route = web::post().to(|_: web::Json<Value>| async { "" }); }
}

mistake! {
    /// A handler raises no rights, not even its own: all requests of the token share them.
    a_handler_raises_rights: E0594
    given {
        fn some<T>() -> T { unimplemented!() }
        struct Rights { credit: u32 }
        let mut granted: portcullis_actix_web::Granted<Rights> = some();
    }
    wrong { granted.credit = 1000; }
    right { granted.credit == 1000; }
}

mistake! {
    /// Who calls is read, and not written.
    a_handler_changes_the_caller: E0596
    given {
        fn some<T>() -> T { unimplemented!() }
        let mut caller: portcullis_actix_web::Caller = some();
    }
    wrong { caller.subject().make_ascii_lowercase(); }
    right { caller.subject().to_ascii_lowercase(); }
}

mistake! {
    /// A rejection comes from the engine's error, so that no detail gets to the wire.
    a_rejection_is_made_by_hand: E0451
    given {
        fn some<T>() -> T { unimplemented!() }
        use portcullis_actix_web::{Rejection, adapter::Challenge};
        struct Own { challenge: Challenge }
        let challenge: Challenge = some();
    }
    wrong { let rejection = Rejection { challenge, ..some() }; }
    right { let rejection = Own { challenge, ..some() }; }
}

mistake! {
    /// A middleware that no scope has guards nothing. The compiler warns.
    a_middleware_is_forgotten: unused_must_use
    given {
        #![deny(unused_must_use)]
        use portcullis_actix_web::{Require, policy::scope};
    }
    wrong { Require::new(scope("orders:read")); }
    right { let _require = Require::new(scope("orders:read")); }
}

mistake! {
    /// Settings give the middleware back. The compiler warns where it is dropped.
    a_setting_of_a_middleware_is_dropped: E0382
    given {
        use portcullis_actix_web::{Authenticator, JwtAuth};
        let auth = JwtAuth::new(Authenticator::builder().build().unwrap());
    }
    wrong { auth.optional(); let app = actix_web::App::new().wrap(auth); }
    right { let auth = auth.optional(); let app = actix_web::App::new().wrap(auth); }
}
