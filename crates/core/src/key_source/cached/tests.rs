use super::*;
use crate::{BoxFuture, RefreshPolicy};

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
    let Asked::Coming(mut over) = source.miss(Some("new"), None, now) else { panic!("not now") };
    source.announce();
    assert_eq!(over.wait().await, FetchEnd::AskAgain);
    for _ in 0..10 {
        let Asked::Coming(mut over) = source.miss(Some("new"), None, now) else {
            panic!("not now")
        };
        let limit = std::time::Duration::from_secs(10);
        let end = tokio::time::timeout(limit, over.wait()).await;
        assert_eq!(end.expect("a fetch that is over"), FetchEnd::Answered);
    }
    assert!(source.begin(now).is_none());
    // What is not there is asked for as ever.
    assert!(matches!(source.miss(Some("other"), None, now), Asked::Coming(_)));
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
