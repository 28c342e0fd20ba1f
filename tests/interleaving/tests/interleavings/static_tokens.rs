//! Files of static tokens that are read by several at once.

use std::{env, fs, process};

use interleaving::explore;
use portcullis::{Authenticator, StaticTokens, interleave::point};

use super::Moment;

#[test]
fn a_token_that_was_removed_from_its_file_is_not_accepted_after_the_reload() {
    let folder = env::temp_dir().join(format!("portcullis-interleaving-{}", process::id()));
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join("tokens");
    let (both, one) = (
        "first-token-of-many-letters\nsecond-token-of-many-letters\n",
        "first-token-of-many-letters\n",
    );
    explore(|run| {
        fs::write(&path, both).unwrap();
        let tokens = StaticTokens::builder("keys").file(&path).read_once().clock(run.clock());
        let tokens = tokens.build().unwrap();
        let auth = Authenticator::builder().strategy(tokens.clone()).clock(run.clock());
        let auth = auth.build().unwrap();
        let removed = Moment::new(run.steps(), run.clock());
        let (of_other, of_admin) = (tokens.clone(), tokens);
        run.task("another reload", async move {
            for _ in 0..2 {
                of_other.reload().unwrap();
                point("another reload: over");
            }
        });
        let (path, moment) = (path.clone(), removed.clone());
        run.task("administrator", async move {
            point("administrator: starts");
            fs::write(path, one).unwrap();
            point("administrator: written");
            of_admin.reload().unwrap();
            moment.is_now();
        });
        run.task("requests", async move {
            for _ in 0..8 {
                point("request");
                let _ = removed.judge_after(&auth, "second-token-of-many-letters").await;
            }
        });
        run.run();
    });
    fs::remove_dir_all(folder).unwrap();
}
