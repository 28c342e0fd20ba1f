//! Configuration files with `[revocation]` that change while the service runs.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops there")]

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use portcullis::{
    AuthErrorKind, Authenticator, ConfigError, NumericDate,
    revocation::{Revocation, Revoked},
};
use portcullis_config::ConfigFile;
use portcullis_testkit::{ManualClock, TestIssuer};
use tokio::time::sleep;

const IDP: &str = "https://idp.test";
const MEMORY: &str = "[revocation]\nstore = 'memory:'\n";
const REVOKED: Result<(), AuthErrorKind> = Err(AuthErrorKind::TokenRevoked);

/// A configuration file, and the engine that follows it.
struct Followed {
    folder: PathBuf,
    issuer: TestIssuer,
    clock: ManualClock,
    config: ConfigFile,
    auth: Authenticator,
}

impl Followed {
    async fn new(name: &str, revocation: &str) -> Self {
        let folder = format!("portcullis-revocation-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        fs::create_dir_all(&folder).unwrap();
        let clock = ManualClock::at(NumericDate::from_seconds(1_800_000_000));
        let issuer = TestIssuer::new(IDP).clock(clock.clone());
        fs::write(folder.join("keys.json"), issuer.jwk_set_json()).unwrap();
        write(&folder, "orders", revocation);
        let of_engine = clock.clone();
        let config = ConfigFile::open_with(folder.join("portcullis.toml"), move |config| {
            config.builder()?.clock(of_engine.clone()).build()
        });
        let config = config.unwrap();
        let auth = config.authenticator();
        auth.ready().await.unwrap();
        Self { folder, issuer, clock, config, auth }
    }

    /// Writes the file, and reloads it while time goes by.
    async fn reload(&self, audience: &str, revocation: &str) -> Result<(), Arc<ConfigError>> {
        write(&self.folder, audience, revocation);
        // Ten times as fast as the clock of the machine, because a store takes its time too.
        let time_goes_by = async {
            loop {
                sleep(Duration::from_millis(1)).await;
                self.clock.advance(Duration::from_millis(10));
            }
        };
        tokio::select! {
            result = self.config.reload() => result,
            () = time_goes_by => unreachable!(),
        }
    }

    /// Revokes a session by the engine of now.
    async fn revoke(&self, session: &str) {
        let entry = Revocation::new(IDP, Revoked::Session(session.into()));
        self.auth.revoke(&[entry]).await.unwrap();
    }

    fn verdict(&self, audience: &str, session: &str) -> Result<(), AuthErrorKind> {
        let token = self.issuer.token().audience(audience).claim("jti", "1");
        let token = token.claim("sid", session).build();
        let verdict = self.auth.authenticate_token_now(&token);
        verdict.map(|_| ()).map_err(|error| error.kind())
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Puts a file in the place of the one before, as deployments do.
fn write(folder: &Path, audience: &str, revocation: &str) {
    let text = format!(
        "[[issuer]]\nissuer = '{IDP}'\njwks_file = 'keys.json'\naudience = ['{audience}']\n{revocation}"
    );
    let (new, file) = (folder.join("portcullis.new"), folder.join("portcullis.toml"));
    fs::write(&new, text).unwrap();
    fs::rename(new, file).unwrap();
}

#[tokio::test]
async fn a_reload_keeps_the_store_in_memory_and_what_was_revoked() {
    let followed = Followed::new("memory", MEMORY).await;
    followed.revoke("s").await;
    assert_eq!(followed.verdict("orders", "s"), REVOKED);
    for audience in ["invoices", "orders"] {
        followed.reload(audience, MEMORY).await.unwrap();
        assert_eq!(followed.verdict(audience, "s"), REVOKED);
        assert_eq!(followed.verdict(audience, "t"), Ok(()));
    }
    // The new engine writes to the same store.
    followed.revoke("t").await;
    followed.reload("invoices", MEMORY).await.unwrap();
    assert_eq!(followed.verdict("invoices", "t"), REVOKED);
}

#[tokio::test]
async fn a_reload_keeps_the_store_in_memory_and_what_was_used() {
    let once = format!("one_time = true\n{MEMORY}");
    let followed = Followed::new("once", &once).await;
    let used = async || {
        let token = followed.issuer.token().audience("orders").claim("jti", "1").build();
        let verdict = followed.auth.authenticate_token(&token).await;
        verdict.map(|_| ()).map_err(|error| error.kind())
    };
    assert_eq!(used().await, Ok(()));
    for settings in ["", "poll = '2s'\n"] {
        followed.reload("orders", &format!("{once}{settings}")).await.unwrap();
        assert_eq!(used().await, Err(AuthErrorKind::TokenReplayed), "{settings}");
    }
}

#[tokio::test]
async fn a_reload_with_other_settings_keeps_what_was_revoked() {
    let followed = Followed::new("settings", MEMORY).await;
    followed.revoke("s").await;
    for settings in ["poll = '2s'\n", "mode = 'local'\nallow_missing_jti = true\n", ""] {
        followed.reload("orders", &format!("{MEMORY}{settings}")).await.unwrap();
        assert_eq!(followed.verdict("orders", "s"), REVOKED, "{settings}");
        assert_eq!(followed.verdict("orders", "t"), Ok(()), "{settings}");
    }
}

#[tokio::test]
async fn a_store_that_cannot_be_reached_leaves_the_old_engine_in_place() {
    let followed = Followed::new("unreachable", MEMORY).await;
    followed.revoke("s").await;
    for revocation in [
        "[revocation]\nstore = 'redis://127.0.0.1:1'\n",
        "[revocation]\nstore = 'mysql://nowhere'\n",
        "[revocation]\n",
    ] {
        let error = followed.reload("invoices", revocation).await.unwrap_err();
        let last = followed.config.last_error().unwrap();
        assert_eq!(last.to_string(), error.to_string());
        assert_eq!(followed.verdict("orders", "s"), REVOKED, "{revocation}");
        assert_eq!(followed.verdict("orders", "t"), Ok(()), "{revocation}");
    }
    // The store of the engine that stayed is still the one of the next file.
    followed.reload("invoices", MEMORY).await.unwrap();
    assert_eq!(followed.verdict("invoices", "s"), REVOKED);
    assert_eq!(followed.verdict("invoices", "t"), Ok(()));
}

#[tokio::test]
async fn another_store_is_adopted_with_its_entries_and_nothing_is_forgotten() {
    let sqlite = "[revocation]\nstore = 'sqlite:revoked.db'\n";
    let followed = Followed::new("other", sqlite).await;
    followed.revoke("s").await;
    followed.reload("orders", MEMORY).await.unwrap();
    followed.revoke("t").await;
    followed.reload("orders", sqlite).await.unwrap();
    for session in ["s", "t"] {
        assert_eq!(followed.verdict("orders", session), REVOKED, "{session}");
    }
    assert_eq!(followed.verdict("orders", "u"), Ok(()));
}

#[tokio::test]
async fn a_store_of_sqlite_keeps_its_entries_over_a_restart() {
    let sqlite = "[revocation]\nstore = 'sqlite:revoked.db'\nmode = 'strict'\n";
    let followed = Followed::new("restart", sqlite).await;
    followed.revoke("s").await;
    followed.auth.shutdown().await;
    let restarted = ConfigFile::open(followed.folder.join("portcullis.toml")).unwrap();
    let auth = restarted.authenticator();
    auth.ready().await.unwrap();
    assert_eq!(auth.revocation_status().unwrap().entries, 1);
}
