//! What is made of the command line's own description: completions and manual pages.

use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::{
    args::Arguments,
    failure::{Failure, Finding},
    output,
};

pub(crate) fn completions(shell: Shell) -> Result<Finding, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "portcullis", &mut script);
    output::raw(&script)?;
    Ok(Finding::AllFine)
}

/// Prints the page of the command, or writes one for each subcommand into a folder.
pub(crate) fn man(folder: Option<&Path>) -> Result<Finding, Failure> {
    let command = Arguments::command();
    match folder {
        Some(folder) => clap_mangen::generate_to(command, folder)
            .map_err(|error| Failure::about(folder, error))?,
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(command).render(&mut page)?;
            output::raw(&page)?;
        }
    }
    Ok(Finding::AllFine)
}
