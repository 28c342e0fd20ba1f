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
    /// A policy judges the grant that the engine of its table makes.
    a_policy_is_for_another_grant: E0308
    given {
        use portcullis_tonic::{Grant, MethodPolicies, policy::scope};
        struct Rights { standard: Grant }
        let methods = MethodPolicies::<Rights>::new();
        let policy = scope("orders:read");
    }
    wrong { let methods = methods.method("/orders.v1.Orders/List", policy); }
    right {
        let methods = methods
            .method("/orders.v1.Orders/List", policy.on(|rights: &Rights| &rights.standard));
    }
}

mistake! {
    /// A table for the grants of another engine is for another layer.
    a_table_is_for_another_engine: E0308
    given {
        use portcullis_tonic::{Authenticator, JwtAuthLayer, MethodPolicies};
        #[derive(serde::Deserialize)]
        struct Rights { credit: u32 }
        let builder = Authenticator::builder();
        let methods = MethodPolicies::<Rights>::new().any_caller("/orders.v1.Orders/List");
    }
    wrong { let layer = JwtAuthLayer::new(builder.build().unwrap()).methods(methods); }
    right {
        let auth = builder.with_grant::<Rights>().build().unwrap();
        let layer = JwtAuthLayer::new(auth).methods(methods);
    }
}

mistake! {
    /// An engine whose configuration was not checked guards nothing.
    a_layer_gets_an_engine_that_is_not_built: E0308
    given {
        use portcullis_tonic::{Authenticator, JwtAuthLayer};
        let builder = Authenticator::builder();
    }
    wrong { let layer = JwtAuthLayer::new(builder); }
    right { let layer = JwtAuthLayer::new(builder.build().unwrap()); }
}

mistake! {
    /// A table with a name that is malformed or there twice makes no layer.
    the_mistakes_of_a_table_are_overlooked: E0308
    given {
        use portcullis_tonic::{Authenticator, JwtAuthLayer, MethodPolicies};
        fn serve(layer: JwtAuthLayer) {}
        let layer = JwtAuthLayer::new(Authenticator::builder().build().unwrap());
        let methods = MethodPolicies::new().any_caller("/orders.v1.Orders/List");
    }
    wrong { serve(layer.methods(methods)); }
    right { serve(layer.methods(methods).unwrap()); }
}

mistake! {
    /// There may be no caller: behind an optional layer, say.
    a_missing_caller_is_overlooked: E0599
    given {
        fn some<T>() -> T { unimplemented!() }
        use portcullis_tonic::RequestExt;
        let request: tonic::Request<()> = some();
    }
    wrong { let subject = request.caller().subject(); }
    right { let subject = request.caller().unwrap().subject(); }
}

mistake! {
    /// Who calls is asked of what the layer has left, and not of a message.
    a_message_says_who_calls: E0277
    given {
        use portcullis_tonic::{Principal, RequestExt};
        fn read<T: serde::de::DeserializeOwned>(request: tonic::Request<()>) -> T {
            request.claims().unwrap()
        }
        let request = tonic::Request::new(());
    }
    wrong { let caller = read::<Principal>(request); }
    right { let claims = read::<serde_json::Value>(request); }
}

mistake! {
    /// A handler raises no rights, not even its own: all calls of the token share them.
    a_handler_raises_rights: E0594
    given {
        use portcullis_tonic::{Granted, RequestExt};
        struct Rights { credit: u32 }
        let request = tonic::Request::new(());
        let mut granted: Granted<Rights> = request.granted().unwrap();
    }
    wrong { granted.credit = 1000; }
    right { granted.credit == 1000; }
}

mistake! {
    /// Nothing else is a request that the layer has judged.
    a_request_of_ones_own_has_a_caller: E0277
    given {
        use portcullis_tonic::{Caller, Granted, RequestExt};
        use serde::de::DeserializeOwned;
        use tonic::Status;
        trait OwnExt {
            fn caller(&self) -> Result<Caller, Status>;
            fn optional_caller(&self) -> Result<Option<Caller>, Status>;
            fn granted<G: Send + Sync + 'static>(&self) -> Result<Granted<G>, Status>;
            fn claims<T: DeserializeOwned>(&self) -> Result<T, Status>;
        }
        struct Own;
        macro_rules! own {
            ($name:ident) => {
                impl $name for Own {
                    fn caller(&self) -> Result<Caller, Status> { todo!() }
                    fn optional_caller(&self) -> Result<Option<Caller>, Status> { todo!() }
                    fn granted<G: Send + Sync + 'static>(&self) -> Result<Granted<G>, Status> {
                        todo!()
                    }
                    fn claims<T: DeserializeOwned>(&self) -> Result<T, Status> { todo!() }
                }
            };
        }
    }
    wrong { own!(RequestExt); }
    right { own!(OwnExt); }
}

mistake! {
    /// A layer that no server has guards nothing. The compiler warns.
    a_layer_is_forgotten: unused_must_use
    given {
        #![deny(unused_must_use)]
        use portcullis_tonic::{Authenticator, JwtAuthLayer};
        let auth = Authenticator::builder().build().unwrap();
    }
    wrong { JwtAuthLayer::new(auth); }
    right { let _layer = JwtAuthLayer::new(auth); }
}

mistake! {
    /// A row gives the table back.
    a_row_of_a_table_is_dropped: E0382
    given {
        use portcullis_tonic::{Authenticator, JwtAuthLayer, MethodPolicies, policy::role};
        let layer = JwtAuthLayer::new(Authenticator::builder().build().unwrap());
        let methods = MethodPolicies::new().any_caller("/orders.v1.Orders/List");
    }
    wrong { methods.method("/orders.v1.Orders/Delete", role("admin")); layer.methods(methods); }
    right {
        let methods = methods.method("/orders.v1.Orders/Delete", role("admin"));
        layer.methods(methods);
    }
}
