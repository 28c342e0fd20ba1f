//! What the log says of a renewal that fails. It is alone in its program, because `tracing` decides once
//! for all threads whether a place in the code is listened to.

#![cfg(feature = "tracing")]

use std::{
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
};

use portcullis::clock::Clock;
use portcullis_jose::NumericDate;
use portcullis_mint::{IssuedToken, RenewingToken};

const START: i64 = 1_800_000_000;

#[derive(Clone, Debug, Default)]
struct Moved(Arc<AtomicI64>);

impl Clock for Moved {
    fn now(&self) -> NumericDate {
        NumericDate::from_seconds(START + self.0.load(Ordering::SeqCst))
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(text)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_failure_is_logged_without_the_token() {
    let (log, clock, calls) = (Log::default(), Moved::default(), Arc::new(AtomicUsize::new(0)));
    let source = move || {
        let call = calls.fetch_add(1, Ordering::SeqCst);
        async move {
            match call {
                0 => Ok(IssuedToken::new("secret-text")),
                1 => Err("out of order".into()),
                _ => Ok(IssuedToken::new("secret text")),
            }
        }
    };
    let token = RenewingToken::from_source(source).clock(clock.clone()).build().unwrap();
    let writer = log.clone();
    let subscriber =
        tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    tracing::subscriber::with_default(subscriber, || {
        runtime.block_on(async {
            token.token().await.unwrap();
            clock.0.store(540, Ordering::SeqCst);
            token.current().unwrap();
            for _ in 0..50 {
                tokio::task::yield_now().await;
            }
            clock.0.store(600, Ordering::SeqCst);
            token.token().await.unwrap_err();
        });
    });
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<_> = text.lines().collect();
    let [first, second] = &lines[..] else { panic!("{text}") };
    assert!(first.contains("WARN portcullis::tokens: token not renewed"), "{first}");
    assert!(first.contains("the source of tokens has failed"), "{first}");
    assert!(first.contains("out of order") && first.contains("has_token=true"), "{first}");
    assert!(second.contains("no bearer token") && second.contains("has_token=false"), "{second}");
    assert!(!text.contains("secret"), "{text}");
}
