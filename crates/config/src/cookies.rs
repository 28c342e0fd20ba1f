//! `[cookies]`: which sites may send requests with a token in a cookie.

use portcullis::{AuthenticatorBuilder, for_config::is_origin};

use crate::{
    mistakes::Mistakes,
    section::Section,
    table::{
        Apply::{Each, Flag, Text},
        Table, rows,
    },
};

pub(crate) static COOKIES: Table<AuthenticatorBuilder> = Table {
    rows: rows! {
        allowed_origins: Each(|builder, origin| builder.allowed_origins([origin])), "none",
            "Origins of pages that may send requests with a token in a cookie, such as \
             `https://app.example.com`";
        public_origin: Text(AuthenticatorBuilder::public_origin), "that of the request",
            "The origin at which browsers reach this service, if a proxy changes `Host`";
        dangerous_without_origin_check:
            Flag(AuthenticatorBuilder::dangerous_without_origin_check), "false",
            "Accepts a token from a cookie whatever site caused the request";
    },
    check,
};

fn check(section: &Section, mistakes: &mut Mistakes) {
    if section.lacks_values() {
        return;
    }
    let allowed = section.texts("allowed_origins").iter().enumerate();
    let allowed = allowed.map(|(index, text)| (format!("allowed_origins[{index}]"), text.as_str()));
    let public = section.text("public_origin").map(|text| ("public_origin".to_owned(), text));
    for (key, _) in allowed.chain(public).filter(|(_, text)| !is_origin(text)) {
        let help = "write scheme, host and port if it is not the usual one, without a path or a final slash, \
                    such as `https://app.example.com`";
        mistakes.add(section.path_of(&key), "it is not an origin", help);
    }
}
