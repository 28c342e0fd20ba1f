//! The scripts that read and write the keys. Each is atomic, and tests the state of the data first.

use std::sync::LazyLock;

use redis::Script;

macro_rules! scripts {
    ($($name:ident = $($file:literal),+;)*) => {
        $(pub(crate) static $name: LazyLock<Script> = LazyLock::new(|| {
            Script::new(concat!(include_str!("common.lua"), $(include_str!($file)),+))
        });)*
    };
}

scripts! {
    PREPARE = "prepare.lua";
    ADD = "add.lua";
    READ_START = "read_start.lua", "read_times.lua";
    READ_PAGE = "read_page.lua", "read_times.lua";
    READ_LOG = "read_log.lua";
    FIND = "find.lua";
    DELETE_EXPIRED = "delete_expired.lua";
    CONSUME = "consume.lua";
    DELETE_USED = "delete_used.lua";
}
