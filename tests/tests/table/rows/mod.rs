//! The rows, by what they are about.

mod applications;
mod challenges;
mod cross_site;
mod duplicates;
mod faults;
mod fields;
mod hidden;
mod keys;
mod locations;
mod mapped;
mod methods;
mod nested;
mod not_included;
mod optional;
mod orders;
mod policies;
mod public;
mod queries;
mod readiness;
mod requirements;
mod revocations;
mod routes;
mod rules;
mod seams;
mod strategies;
mod tokens;

use conformance::{Setting, trusting};
use portcullis::{AuthenticatorBuilder, Policy};
use portcullis_testkit::TokenBuilder;

use super::{
    case::Case,
    echo::Caller,
    setup::{Configuration, Setup},
};

pub(crate) fn all() -> Vec<Case> {
    let world = World { setting: Setting::new() };
    [
        orders::rows(&world),
        fields::rows(&world),
        duplicates::rows(&world),
        locations::rows(&world),
        queries::rows(&world),
        hidden::rows(&world),
        cross_site::rows(&world),
        requirements::rows(&world),
        strategies::rows(&world),
        revocations::rows(&world),
        tokens::rows(&world),
        applications::rows(&world),
        policies::rows(&world),
        routes::rows(&world),
        rules::rows(&world),
        seams::rows(&world),
        optional::rows(&world),
        mapped::rows(&world),
        methods::rows(&world),
        not_included::rows(&world),
        nested::rows(&world),
        public::rows(&world),
        readiness::rows(&world),
        challenges::rows(&world),
        keys::rows(&world),
        faults::rows(&world),
    ]
    .concat()
}

/// Those who make tokens, and the service that trusts one of them.
struct World {
    setting: Setting,
}

impl World {
    /// Starts a token that every configuration accepts: alice's, with the scope `orders:read`.
    fn token(&self) -> TokenBuilder {
        self.setting.valid()
    }

    fn token_of(&self, subject: &str) -> String {
        self.token().subject(subject).build()
    }

    /// A configuration that trusts the issuer; what is not changed is the default.
    fn configuration(
        &self,
        name: &str,
        setup: impl Fn(AuthenticatorBuilder) -> Setup + Send + Sync + 'static,
    ) -> Configuration {
        let issuer = self.setting.issuer.clone();
        Configuration::new(name, move || setup(trusting(issuer.trusted())))
    }

    /// The default configuration, with policies, outermost first.
    fn requiring<const N: usize>(&self, name: &str, policies: [Policy; N]) -> Configuration {
        self.configuration(name, move |builder| {
            policies.iter().cloned().fold(built(builder), Setup::require)
        })
    }
}

fn built(builder: AuthenticatorBuilder) -> Setup {
    Setup::new(builder.build().unwrap())
}

/// The caller of a token with the scope `orders:read`, and nothing else.
fn caller(subject: &str) -> Caller {
    Caller { scope: vec!["orders:read".to_owned()], ..unentitled(subject) }
}

/// A caller who may do nothing.
fn unentitled(subject: &str) -> Caller {
    Caller {
        subject: subject.to_owned(),
        issuer: "https://idp.test".to_owned(),
        ..Caller::default()
    }
}
