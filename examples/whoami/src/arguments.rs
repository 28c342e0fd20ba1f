//! The command line.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

pub(crate) const USAGE: &str = "usage: whoami --config FILE [--listen ADDR] \
                                [--framework axum|actix-web|tower] [--client-id ID]…";

/// The client id that logout tokens are for, unless one is named.
const CLIENT_ID: &str = "whoami";

pub(crate) struct Arguments {
    pub(crate) config: PathBuf,
    pub(crate) listen: SocketAddr,
    pub(crate) framework: Framework,
    /// Those of the service at its issuers, for back-channel logout.
    pub(crate) client_ids: Vec<String>,
}

#[derive(Clone, Copy)]
pub(crate) enum Framework {
    Axum,
    ActixWeb,
    Tower,
}

impl Arguments {
    /// Parses the arguments that follow the program's name.
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut config = None;
        let mut listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let mut framework = Framework::Axum;
        let mut client_ids = Vec::new();
        while let Some(option) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{option} needs a value"));
            match &*option {
                "--config" => config = Some(PathBuf::from(value()?)),
                "--listen" => {
                    let value = value()?;
                    listen = value.parse().map_err(|_| {
                        format!("--listen needs an address such as 127.0.0.1:8080, not `{value}`")
                    })?;
                }
                "--framework" => framework = Framework::parse(&value()?)?,
                "--client-id" => client_ids.push(value()?),
                _ => return Err(format!("unknown option `{option}`")),
            }
        }
        let config = config.ok_or("--config is missing")?;
        if client_ids.is_empty() {
            client_ids.push(CLIENT_ID.to_owned());
        }
        Ok(Self { config, listen, framework, client_ids })
    }
}

impl Framework {
    fn parse(name: &str) -> Result<Self, String> {
        match name {
            "axum" => Ok(Self::Axum),
            "actix-web" => Ok(Self::ActixWeb),
            "tower" => Ok(Self::Tower),
            _ => Err(format!("--framework is axum, actix-web or tower, not `{name}`")),
        }
    }
}
