//! Requirements of any shape and tokens of any kind, against a second evaluator that knows neither
//! tokens nor engines.

use conformance::Request;
use portcullis::{
    Authenticator, Requirement, TokenLocation,
    strategy::{Attempt, Credential, Identity, Strategy as Kind},
};
use proptest::{
    collection::vec,
    option,
    prelude::*,
    sample::{select, subsequence},
    test_runner::{Config, TestRunner},
};

const ISSUERS: [&str; 3] = ["a", "b", "c"];
const AUDIENCES: [&str; 2] = ["x", "y"];
const PLACES: [&str; 4] = ["p0", "p1", "p2", "p3"];
const CASES: u32 = 20_000;

/// A requirement, for the evaluator.
#[derive(Clone, Debug)]
enum Tree {
    Token { issuer: Option<&'static str>, audiences: Vec<&'static str> },
    Any(Vec<Self>),
    All(Vec<Self>),
    Optional(Box<Self>),
}

#[derive(Clone, Debug)]
struct Token {
    issuer: &'static str,
    audiences: Vec<&'static str>,
}

impl Tree {
    fn requirement(&self) -> Requirement {
        let each = |parts: &[Self]| parts.iter().map(Self::requirement).collect::<Vec<_>>();
        match self {
            Self::Token { issuer, audiences } => {
                let token = issuer.map_or_else(Requirement::any_issuer, Requirement::issuer);
                audiences.iter().fold(token, |token, audience| token.audience(*audience))
            }
            Self::Any(parts) => Requirement::any(each(parts)),
            Self::All(parts) => Requirement::all(each(parts)),
            Self::Optional(inner) => inner.requirement().optional(),
        }
    }

    fn leaves(&self) -> Vec<&Self> {
        match self {
            Self::Token { .. } => vec![self],
            Self::Any(parts) | Self::All(parts) => parts.iter().flat_map(Self::leaves).collect(),
            Self::Optional(inner) => inner.leaves(),
        }
    }

    /// Tells whether a leaf asks for this token.
    fn asks_for(&self, token: &Token) -> bool {
        self.leaves().into_iter().any(|leaf| {
            let Self::Token { issuer, audiences } = leaf else { return false };
            issuer.is_none_or(|issuer| issuer == token.issuer)
                && (audiences.is_empty()
                    || audiences.iter().any(|audience| token.audiences.contains(audience)))
        })
    }

    /// Tells whether these tokens are enough, none of them included.
    fn holds(&self, tokens: &[Token]) -> bool {
        match self {
            Self::Token { .. } => tokens.iter().any(|token| self.asks_for(token)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(tokens)),
            Self::All(parts) => parts.iter().all(|part| part.holds(tokens)),
            Self::Optional(inner) => {
                inner.holds(tokens) || !tokens.iter().any(|token| inner.asks_for(token))
            }
        }
    }

    /// Returns the position of the token that stands for the caller, if one does: that of the first
    /// part which a token has met.
    fn caller(&self, tokens: &[Token]) -> Option<usize> {
        if !self.holds(tokens) {
            return None;
        }
        match self {
            Self::Token { .. } => tokens.iter().position(|token| self.asks_for(token)),
            Self::Any(parts) | Self::All(parts) => {
                parts.iter().find_map(|part| part.caller(tokens))
            }
            Self::Optional(inner) => inner.caller(tokens),
        }
    }

    fn is_of_several(&self) -> bool {
        match self {
            Self::Token { .. } => false,
            Self::Any(parts) => parts.iter().any(Self::is_of_several),
            Self::All(parts) => parts.len() > 1 || parts.iter().any(Self::is_of_several),
            Self::Optional(inner) => inner.is_of_several(),
        }
    }

    /// What must come of these tokens.
    fn expected(&self, tokens: &[Token]) -> Expected {
        if tokens.is_empty() {
            return if self.holds(tokens) { Expected::Anonymous } else { Expected::Rejected };
        }
        let one_too_many = tokens.len() > 1 && !self.is_of_several();
        let useless = tokens.iter().any(|token| !self.asks_for(token));
        match self.caller(tokens) {
            Some(position) if !one_too_many && !useless => Expected::Caller(position),
            _ => Expected::Rejected,
        }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Expected {
    Caller(usize),
    Anonymous,
    Rejected,
}

/// Accepts the tokens that name it: `a:0:x,y` is the first token, of issuer `a`, for `x` and `y`.
#[derive(Debug)]
struct Named(&'static str);

impl Kind for Named {
    fn name(&self) -> &str {
        self.0
    }

    fn attempt(&self, credential: &Credential<'_>) -> Attempt {
        let mut parts = credential.token().split(':');
        if parts.next() != Some(self.0) {
            return Attempt::Abstain;
        }
        let (position, audiences) = (parts.next().unwrap_or_default(), parts.next());
        let audiences: Vec<_> = audiences.unwrap_or_default().split(',').collect();
        Attempt::Accept(Identity::new(position).claim("aud", audiences))
    }
}

fn audiences() -> impl Strategy<Value = Vec<&'static str>> {
    subsequence(AUDIENCES.to_vec(), 0..=AUDIENCES.len())
}

fn trees() -> impl Strategy<Value = Tree> {
    let leaf = (option::weighted(0.8, select(ISSUERS.to_vec())), audiences())
        .prop_map(|(issuer, audiences)| Tree::Token { issuer, audiences });
    leaf.prop_recursive(4, 16, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 1..4).prop_map(Tree::Any),
            vec(inner.clone(), 1..4).prop_map(Tree::All),
            inner.prop_map(|inner| Tree::Optional(Box::new(inner))),
        ]
    })
}

fn tokens() -> impl Strategy<Value = Vec<Token>> {
    let token = (select(ISSUERS.to_vec()), audiences())
        .prop_map(|(issuer, audiences)| Token { issuer, audiences });
    vec(token, 0..=PLACES.len())
}

#[test]
fn requirements_of_any_shape_come_out_as_a_second_evaluator_says() {
    let auth = ISSUERS
        .iter()
        .fold(Authenticator::builder(), |builder, name| builder.strategy(Named(name)))
        .locations(PLACES.map(TokenLocation::header))
        .build()
        .unwrap();
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let ran = TestRunner::new(config).run(&(trees(), tokens()), |(tree, tokens)| {
        let auth = auth.clone().with_requirement(tree.requirement()).unwrap();
        let places = PLACES.iter().zip(&tokens).enumerate();
        let request = places.fold(Request::new(), |request, (position, (place, token))| {
            let audiences = token.audiences.join(",");
            request.field(place, format!("{}:{position}:{audiences}", token.issuer))
        });
        let verdict = auth.authenticate_now(&request);
        let found = match &verdict.result {
            Ok(caller) => {
                prop_assert_eq!(caller.others().len() + 1, tokens.len());
                Expected::Caller(caller.principal().subject().parse().unwrap())
            }
            Err(_) if verdict.admits_anonymous => Expected::Anonymous,
            Err(_) => Expected::Rejected,
        };
        prop_assert_eq!(found, tree.expected(&tokens));
        Ok(())
    });
    if let Err(error) = ran {
        panic!("{error}");
    }
}
