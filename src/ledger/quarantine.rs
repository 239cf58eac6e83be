//! x
use crate::cli::Failure;
use crate::settings::Settings;
pub fn command(_: &Settings, _: &str, _: &clap::ArgMatches) -> Result<(), Failure> {
    Ok(())
}
