//! What `lscurl --help` says of itself, before curl says the rest.

use super::guard::refused;

const ADDED: &str = "\
Runs curl with a Label Studio access token, which is in no argument, variable or file.

  lscurl /api/projects/           a path is joined to the URL of the profile
  lscurl https://HOST/PATH        a URL below the URL of a profile selects that profile
  LS_TOKEN_PROFILE=NAME lscurl    selects a profile by name

Refused, each with a reason and what to do instead:";

/// How many columns the list of options may take.
const WIDTH: usize = 78;

pub(super) fn text() -> String {
    let mut text = ADDED.to_owned();
    let mut column = WIDTH;
    for option in refused() {
        if column + option.len() >= WIDTH {
            text.push_str("\n ");
            column = 1;
        }
        text.extend([" ", &option]);
        column += option.len() + 1;
    }
    text + "\n\nEverything else is curl's:\n\n"
}
