//! `and`, `or` and `not`: the same answers in the same order, whether rules answer now or later,
//! held against a plain three-valued logic.

use std::{
    error::Error,
    future::poll_fn,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
};

use proptest::{prelude::*, sample::select};

use super::{Route, caller, decide};
use crate::{
    AuthError, AuthErrorKind, Grant, MaybePending,
    policy::{self, Policy},
};

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Say {
    Yes,
    No,
    CannotTell,
}

/// When a rule answers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Pace {
    Sync,
    /// Asynchronous, and ready at the first poll.
    Async,
    /// Asynchronous, and ready at the second.
    Later,
}

#[derive(Clone, Debug)]
enum Tree {
    Leaf(Say, Pace),
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    Not(Box<Self>),
}

/// What came out: yes, or the kind of the rejection and the number of the leaf that it is from.
type Verdict = Result<(), (AuthErrorKind, Option<usize>)>;

/// What each leaf was asked, in order.
type Asked = Arc<Mutex<Vec<usize>>>;

impl Tree {
    /// Says what should come out, and who is asked.
    fn oracle(&self, next: &mut usize, asked: &mut Option<&mut Vec<usize>>) -> Verdict {
        match self {
            Self::Leaf(say, _) => {
                let id = *next;
                *next += 1;
                if let Some(asked) = asked {
                    asked.push(id);
                }
                match say {
                    Say::Yes => Ok(()),
                    Say::No => Err((AuthErrorKind::NotPermitted, Some(id))),
                    Say::CannotTell => Err((AuthErrorKind::ResolverUnavailable, Some(id))),
                }
            }
            Self::And(first, second) => match first.oracle(next, asked) {
                Ok(()) => second.oracle(next, asked),
                rejected => {
                    second.skip(next);
                    rejected
                }
            },
            Self::Or(first, second) => match first.oracle(next, asked) {
                Err((AuthErrorKind::NotPermitted, by)) => match second.oracle(next, asked) {
                    Err((AuthErrorKind::NotPermitted, _)) => Err((AuthErrorKind::NotPermitted, by)),
                    decided => decided,
                },
                decided => {
                    second.skip(next);
                    decided
                }
            },
            Self::Not(inner) => match inner.oracle(next, asked) {
                Ok(()) => Err((AuthErrorKind::NotPermitted, None)),
                Err((AuthErrorKind::NotPermitted, _)) => Ok(()),
                cannot_tell => cannot_tell,
            },
        }
    }

    /// Counts the leaves that are not asked.
    fn skip(&self, next: &mut usize) {
        let _ = self.oracle(next, &mut None);
    }

    /// Builds the policy. `paced`: with the paces of the tree, else all at once.
    fn policy(&self, next: &mut usize, paced: bool, asked: &Asked) -> Policy {
        match self {
            Self::Leaf(say, pace) => {
                let id = *next;
                *next += 1;
                leaf(id, *say, if paced { *pace } else { Pace::Sync }, Arc::clone(asked))
            }
            Self::And(first, second) => {
                let first = first.policy(next, paced, asked);
                first.and(second.policy(next, paced, asked))
            }
            Self::Or(first, second) => {
                let first = first.policy(next, paced, asked);
                first.or(second.policy(next, paced, asked))
            }
            Self::Not(inner) => inner.policy(next, paced, asked).not(),
        }
    }

    fn paces(&self) -> Vec<Pace> {
        match self {
            Self::Leaf(_, pace) => vec![*pace],
            Self::Not(inner) => inner.paces(),
            Self::And(first, second) | Self::Or(first, second) => {
                [first.paces(), second.paces()].concat()
            }
        }
    }
}

fn leaf(id: usize, say: Say, pace: Pace, asked: Asked) -> Policy {
    let answer = move |asked: &Asked| {
        asked.lock().unwrap().push(id);
        let error = |kind| AuthError::with_source(kind, id.to_string());
        match say {
            Say::Yes => Ok(()),
            Say::No => Err(error(AuthErrorKind::NotPermitted)),
            Say::CannotTell => Err(error(AuthErrorKind::ResolverUnavailable)),
        }
    };
    if pace == Pace::Sync {
        return policy::check(move |_, _| answer(&asked));
    }
    policy::check_async(move |_, _: Arc<Grant>| {
        let (asked, waited) = (Arc::clone(&asked), AtomicBool::new(pace == Pace::Async));
        poll_fn(move |_| {
            if waited.swap(true, Ordering::Relaxed) {
                Poll::Ready(answer(&asked))
            } else {
                Poll::Pending
            }
        })
    })
}

fn verdict(result: Result<(), AuthError>) -> Verdict {
    result.map_err(|error| {
        let by = error.source().and_then(|source| source.to_string().parse().ok());
        (error.kind(), by)
    })
}

/// Asks the tree in both ways, and holds the answers against the oracle's.
fn assert_agrees(tree: &Tree) {
    let mut expected_asked = Vec::new();
    let expected = tree.oracle(&mut 0, &mut Some(&mut expected_asked));
    let caller = caller(r#"{"sub":"alice"}"#);
    let paces = tree.paces();
    for paced in [false, true] {
        let asked = Asked::default();
        let policy = tree.policy(&mut 0, paced, &asked);
        let (result, waits) = decide(&policy, &caller, &Grant::default(), &());
        assert_eq!(verdict(result), expected, "{tree:?} paced: {paced}");
        assert_eq!(*asked.lock().unwrap(), expected_asked, "{tree:?} paced: {paced}");
        // Each slow rule that was reached made it wait once.
        let slow = expected_asked.iter().filter(|id| paced && paces[**id] == Pace::Later).count();
        assert_eq!(waits, slow, "{tree:?} paced: {paced}");
    }
    let policy = tree.policy(&mut 0, false, &Asked::default());
    let result = policy.check(&caller, &Grant::default());
    assert_eq!(verdict(result), expected, "{tree:?} by `check`");
    // Where a slow rule would be reached, nobody waits: that must be no yes.
    let policy = tree.policy(&mut 0, true, &Asked::default());
    let result = verdict(policy.check(&caller, &Grant::default()));
    if expected_asked.iter().any(|id| paces[*id] != Pace::Sync) {
        assert_eq!(result, Err((AuthErrorKind::InternalError, None)));
    } else {
        assert_eq!(result, expected);
    }
}

const SAYS: [Say; 3] = [Say::Yes, Say::No, Say::CannotTell];

#[test]
fn every_small_tree_agrees_with_the_logic() {
    let leaves: Vec<_> = SAYS
        .into_iter()
        .flat_map(|say| [Pace::Sync, Pace::Later].map(|pace| Tree::Leaf(say, pace)))
        .collect();
    let level = |below: &[Tree]| -> Vec<Tree> {
        let pairs = below.iter().flat_map(|first| below.iter().map(move |second| (first, second)));
        let both = |(first, second): (&Tree, &Tree)| (first.clone().into(), second.clone().into());
        let ands = pairs.clone().map(both).map(|(first, second)| Tree::And(first, second));
        let ors = pairs.map(both).map(|(first, second)| Tree::Or(first, second));
        let nots = below.iter().map(|inner| Tree::Not(inner.clone().into()));
        below.iter().cloned().chain(ands).chain(ors).chain(nots).collect()
    };
    let trees = level(&level(&leaves));
    assert!(trees.len() > 10_000, "{}", trees.len());
    trees.iter().for_each(assert_agrees);
}

proptest! {
    #[test]
    fn deep_trees_agree_with_the_logic(tree in trees()) {
        assert_agrees(&tree);
    }
}

fn trees() -> impl Strategy<Value = Tree> {
    let leaf = (select(&SAYS), select(&[Pace::Sync, Pace::Async, Pace::Later]))
        .prop_map(|(say, pace)| Tree::Leaf(say, pace));
    leaf.prop_recursive(6, 48, 2, |inner| {
        let boxed = inner.prop_map(Box::new);
        prop_oneof![
            (boxed.clone(), boxed.clone()).prop_map(|(first, second)| Tree::And(first, second)),
            (boxed.clone(), boxed.clone()).prop_map(|(first, second)| Tree::Or(first, second)),
            boxed.prop_map(Tree::Not),
        ]
    })
}

#[test]
fn an_asynchronous_rule_that_is_not_reached_costs_no_wait() {
    let policy = policy::check(|_, _: &Grant| Ok(())).or(leaf(
        0,
        Say::CannotTell,
        Pace::Later,
        Asked::default(),
    ));
    let caller = caller(r#"{"sub":"alice"}"#);
    let decision = policy.authorize(&caller, &Arc::default(), &());
    assert!(matches!(decision, MaybePending::Ready(Ok(()))), "{decision:?}");
}

#[test]
fn a_rule_that_panics_allows_nobody_however_often_it_is_asked() {
    let policy = policy::check_async(async |_, _: Arc<Grant>| panic!("in a rule")).not();
    let caller = caller(r#"{"sub":"alice"}"#);
    let MaybePending::Pending(mut deciding) = policy.authorize(&caller, &Arc::default(), &())
    else {
        panic!("decided without the rule");
    };
    for _ in 0..2 {
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        let polled = std::pin::Pin::new(&mut deciding).poll(&mut cx);
        let Poll::Ready(Err(rejected)) = polled else { panic!("{polled:?}") };
        assert_eq!(rejected.kind(), AuthErrorKind::InternalError);
    }
}

#[test]
fn a_decision_can_move_between_threads() {
    fn can<T: Send + Unpin + 'static>() {}
    can::<MaybePending<Result<(), AuthError>>>();
}

#[test]
fn rules_of_the_standard_grant_apply_inside_of_another_and_wait_there_too() {
    struct Rights {
        standard: Grant,
    }
    let caller = caller(r#"{"sub":"alice"}"#);
    let rights = Arc::new(Rights { standard: Grant::builder().scope("a").build() });
    let has_scope = async |_, grant: Arc<Grant>| {
        if grant.has_scope("a") { Ok(()) } else { Err(AuthErrorKind::NotPermitted.into()) }
    };
    for (policy, expected) in [
        (policy::check_async(has_scope), Ok(())),
        (policy::check_async(has_scope).not(), Err(AuthErrorKind::NotPermitted)),
        (policy::deny_all().except_route("/x", policy::scope("a")), Ok(())),
        (policy::acr_values(["gold"]), Err(AuthErrorKind::ReauthenticationRequired)),
    ] {
        let policy = policy.on(|rights: &Rights| &rights.standard);
        let result = match policy.authorize(&caller, &rights, &Route::named("GET", "/x")) {
            MaybePending::Ready(result) => result,
            MaybePending::Pending(deciding) => {
                let mut deciding = std::pin::pin!(deciding);
                let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
                match deciding.as_mut().poll(&mut cx) {
                    Poll::Ready(result) => result,
                    Poll::Pending => panic!("{policy:?} waits"),
                }
            }
        };
        assert_eq!(result.map_err(|error| error.kind()), expected, "{policy:?}");
    }
}
