//! `ls-token completions --list`: what the completions of the shells offer, one a line. Only words that are plain to a
//! shell: bash runs commands in what it offers.

use super::curl;
use crate::error::Result;
use crate::settings::Profiles;
use crate::system::{Environment, stdout};

/// The paths of Label Studio's API that are offered as addresses.
const PATHS: &str = "/api/annotations/ /api/current-user/whoami /api/dm/actions/ /api/dm/views/ /api/ml/ \
    /api/organizations/ /api/predictions/ /api/projects/ /api/storages/ /api/tasks/ /api/token/ /api/users/ \
    /api/version /api/webhooks/";

/// Prints a list by its name. That of the addresses is empty behind a word that wants something else.
pub(crate) fn print(list: &[String]) -> Result<()> {
    let environment = Environment::read();
    let profiles = Profiles::load(&environment).and_then(Profiles::into_list).unwrap_or_default();
    let words: Vec<String> = match list.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["profiles"] => profiles.into_iter().map(|profile| profile.name).collect(),
        ["servers"] => profiles.iter().map(|profile| profile.server.to_string()).collect(),
        ["refused"] => curl::refused().collect(),
        ["addresses", before] if curl::may_precede_address(before) => {
            let below = profiles.iter().flat_map(|profile| PATHS.split(' ').map(|path| profile.server.join(path)));
            PATHS.split(' ').map(str::to_owned).chain(below).collect()
        }
        _ => Vec::new(),
    };
    let is_plain = |word: &&String| word.chars().all(|c| c.is_alphanumeric() || "-_.:/".contains(c));
    let lines = words.iter().filter(is_plain).flat_map(|word| [word, "\n"]);
    stdout::print(&lines.collect::<String>())
}
