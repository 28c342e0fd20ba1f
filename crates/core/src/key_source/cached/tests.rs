use super::*;
use crate::{BoxFuture, keys::RefreshPolicy};

#[derive(Debug)]
struct Named;

impl KeySource for Named {
    fn label(&self) -> &str {
        "named"
    }

    fn load<'a>(
        &'a self,
        _: Option<&'a Validators>,
    ) -> BoxFuture<'a, Result<Loaded, KeySourceError>> {
        Box::pin(std::future::ready(Err(KeySourceError::new("it is never asked"))))
    }

    fn refresh_policy(&self) -> RefreshPolicy {
        RefreshPolicy::default()
    }
}

#[tokio::test]
async fn a_key_that_has_come_since_its_token_was_looked_up_costs_no_fetch() {
    let json = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"new","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
    let now = NumericDate::from_seconds(1_000_000);
    let source = CachedSource::new(Arc::new(Named), now);
    assert!(source.begin(now).is_some());
    source.end(Ok(Loaded::Document(KeyDocument::from_json(json).unwrap())), now);
    // Until the keys are where requests look, they wait for that.
    let Requested::Pending(mut over) = source.miss(Some("new"), None, now) else {
        panic!("not now")
    };
    source.announce();
    assert_eq!(over.wait().await, FetchEnd::AskAgain);
    for _ in 0..10 {
        let Requested::Pending(mut over) = source.miss(Some("new"), None, now) else {
            panic!("not now")
        };
        let limit = std::time::Duration::from_secs(10);
        let end = tokio::time::timeout(limit, over.wait()).await;
        assert_eq!(end.expect("a fetch that is over"), FetchEnd::Answered);
    }
    assert!(source.begin(now).is_none());
    // What is not there is asked for as ever.
    assert!(matches!(source.miss(Some("other"), None, now), Requested::Pending(_)));
    assert!(source.begin(now).is_some());
}

#[cfg(feature = "tracing")]
#[test]
fn rule_14_the_log_names_the_source_of_a_set_with_more_than_100_usable_keys() {
    let jwk = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    let now = NumericDate::from_seconds(1_000_000);
    for (count, warnings) in [(100, 0), (103, 1)] {
        let json = format!(r#"{{"keys":[{}]}}"#, vec![jwk; count].join(","));
        let source = CachedSource::new(Arc::new(Named), now);
        let told = crate::test_log::told("portcullis::keys", tracing::Level::WARN, || {
            source.end(Ok(Loaded::Document(KeyDocument::from_json(&json).unwrap())), now);
        });
        assert_eq!(told.len(), warnings, "{told:?}");
        let is_named = |text: &String| text.contains("3 keys") && text.contains("named");
        assert!(told.iter().all(is_named), "{told:?}");
    }
}

#[test]
fn a_source_takes_over_what_is_newer_unless_the_other_one_has_seen_a_change_that_it_did_not_adopt()
{
    let now = NumericDate::from_seconds(1_000_000);
    let later = now.saturating_add(std::time::Duration::from_secs(1));
    let document = |key_id: &str| {
        let jwk =
            r#""kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo""#;
        let json = format!(r#"{{"keys":[{{{jwk},"kid":"{key_id}"}}]}}"#);
        let validators = Validators { etag: Some(key_id.to_owned()), last_modified: None };
        let document = KeyDocument::from_json(&json).unwrap().validators(Some(validators));
        Ok(Loaded::Document(KeyDocument { settles: true, ..document }))
    };
    let old = || {
        let old = CachedSource::new(Arc::new(Named), now);
        old.end(document("old"), now);
        old
    };
    let key_ids = |source: &CachedSource| -> Vec<_> {
        let usable = source.usable_keys(later).unwrap();
        usable.keys.iter().map(|key| key.id().unwrap().to_owned()).collect()
    };

    // A reload reads the new file, and the old engine finds the change while the new one is waited for.
    let (before, new) = (old(), CachedSource::new(Arc::new(Named), now));
    new.end(document("new"), now);
    before.end(document("new"), later);
    assert_eq!(key_ids(&before), ["old"]);
    new.take_over(&before, later);
    assert_eq!(key_ids(&new), ["new"]);

    // Without such a change, what is newer counts.
    let (before, new) = (old(), CachedSource::new(Arc::new(Named), now));
    new.end(document("new"), now);
    before.end(Ok(Loaded::NotModified(None)), later);
    new.take_over(&before, later);
    assert_eq!(key_ids(&new), ["old"]);
}

#[test]
fn of_two_snapshots_the_one_whose_fetch_began_later_is_newer() {
    let now = NumericDate::from_seconds(1_000_000);
    let later = now.saturating_add(std::time::Duration::from_secs(1));
    let document = |key_id: &str| {
        let jwk =
            r#""kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo""#;
        let json = format!(r#"{{"keys":[{{{jwk},"kid":"{key_id}"}}]}}"#);
        Ok(Loaded::Document(KeyDocument::from_json(&json).unwrap()))
    };
    let key_id = |source: &CachedSource| {
        let usable = source.usable_keys(later).unwrap();
        usable.keys.first().and_then(|key| key.id().map(str::to_owned)).unwrap()
    };
    let pair = || {
        let engine = || CachedSource::new(Arc::new(Named), now);
        let (first, second) = (engine(), engine());
        assert!(first.begin(now).is_some() && second.begin(now).is_some());
        (first, second)
    };

    // The key `withdrawn` was withdrawn between the two fetches, and the first one ends last.
    let (slow, quick) = pair();
    quick.end(document("current"), now);
    slow.end(document("withdrawn"), later);
    quick.take_over(&slow, later);
    assert_eq!(key_id(&quick), "current");
    slow.take_over(&quick, later);
    assert_eq!(key_id(&slow), "current");

    // Both end at the same time.
    let (first, second) = pair();
    first.end(document("withdrawn"), now);
    second.end(document("current"), now);
    first.take_over(&second, later);
    assert_eq!(key_id(&first), "current");
}

#[test]
fn requests_that_wait_are_bounded_and_forged_ones_wait_only_while_few_do() {
    let json = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
    let now = NumericDate::from_seconds(1_000_000);
    let source = CachedSource::new(Arc::new(Named), now);
    assert!(source.begin(now).is_some());
    source.end(Ok(Loaded::Document(KeyDocument::from_json(json).unwrap())), now);
    source.announce();
    let later = source.next_due();
    assert!(source.begin(later).is_some());

    let mut waiting: Vec<_> = (1..MAX_WAITING_FORGED).map(|_| source.subscribe()).collect();
    waiting.extend(source.mismatch(Some("a"), later));
    assert_eq!(waiting.len(), MAX_WAITING_FORGED);
    assert!(source.mismatch(Some("a"), later).is_none());
    while waiting.len() < MAX_WAITING {
        let Requested::Pending(over) = source.miss(Some("new"), None, later) else {
            panic!("no wait")
        };
        waiting.push(over);
    }
    // The source is healthy, so that this one is answered with 401 and not with 503.
    assert!(matches!(source.miss(Some("new"), None, later), Requested::Unknown));
}

#[test]
fn a_bad_signature_spends_no_budget_for_missing_key_ids_while_there_are_no_keys() {
    let now = NumericDate::from_seconds(1_000_000);
    let source = CachedSource::new(Arc::new(Named), now);
    let fetches = |source: &CachedSource| {
        let begun = source.begin(now).is_some();
        source.end(Err(KeySourceError::new("down")), now);
        source.announce();
        begun
    };
    assert!(fetches(&source));
    for _ in 0..10 {
        if source.mismatch(Some("forged"), now).is_some() {
            assert!(fetches(&source));
        }
    }
    for key_id in ["a", "b", "c"] {
        assert!(matches!(source.miss(Some(key_id), None, now), Requested::Pending(_)), "{key_id}");
        assert!(fetches(&source));
    }
}
