//! The steps from a parsed command line to a curl that is ready to run. Each is made by the one before it alone, for their
//! order is what keeps the tokens apart: nothing is asked for that will be refused, no program that reads a personal access
//! token inherits another token's pipe, and no option names a pipe that is not there to be compared yet.

use std::process::Command;

use super::address::Resolver;
use super::arguments::Request;
use super::parsed_option::ParsedOption;
use super::pipe::Pipe;
use super::transfer::{Target, Transfer};
use super::{curlrc, guard};
use crate::error::Result;
use crate::settings::Profile;
use crate::system::Console;
use crate::token::{self, TokenRequest};
use crate::types::{Access, Secret, untrusted};

/// The profiles are known, the addresses rebuilt, `.curlrc` read.
pub(super) struct Resolved {
    transfers: Vec<Transfer<Target>>,
    curlrc: Vec<ParsedOption>,
}

/// No option on the command line endangers a token.
pub(super) struct Checked(Resolved);

pub(super) struct Authorized {
    request: Resolved,
    tokens: Vec<Access>,
}

impl Request {
    pub(super) fn resolve(self, resolver: &Resolver) -> Result<Resolved> {
        let curlrc = if self.without_curlrc { Vec::new() } else { curlrc::read(&resolver.session.environment)? };
        let resolve = |transfer: Transfer<_>| {
            Ok(Transfer { target: resolver.resolve(&transfer.target)?, options: transfer.options })
        };
        let transfers = self.transfers.into_iter().map(resolve).collect::<Result<_>>()?;
        Ok(Resolved { transfers, curlrc })
    }
}

impl Resolved {
    /// Refuses the call if an option on the command line endangers a token.
    pub(super) fn check(self) -> Result<Checked> {
        self.transfers.iter().try_for_each(|transfer| transfer.check(self.has_siblings()))?;
        Ok(Checked(self))
    }

    /// Tells whether there are transfers with tokens on pipes of their own.
    fn has_siblings(&self) -> bool {
        self.transfers.len() > 1
    }
}

impl Checked {
    /// Obtains the tokens, while there is no pipe that a command could inherit.
    pub(super) fn obtain_tokens(self, wanted: &TokenRequest, console: Console) -> Result<Authorized> {
        let obtain = |transfer: &Transfer<Target>| {
            console.note(format_args!("curl: {}", untrusted(&transfer.target.urls.join(" "))));
            token::obtain(&transfer.target.profile, wanted, console)
        };
        let tokens = self.0.transfers.iter().map(obtain).collect::<Result<_>>()?;
        Ok(Authorized { request: self.0, tokens })
    }
}

impl Authorized {
    /// Hands everything to curl: each token on its transfer's own pipe, then `.curlrc` and the options, of which none may
    /// name a pipe.
    pub(super) fn hand_over(self, curl: &mut Command) -> Result<()> {
        let Self { request, tokens } = self;
        let pairs = request.transfers.iter().zip(&tokens);
        let make = |(transfer, access): (&Transfer<Target>, _)| Pipe::with(&config(&transfer.target.profile, access));
        let pipes = pairs.map(make).collect::<Result<Vec<_>>>()?;
        let siblings: &[Pipe] = if request.has_siblings() { &pipes } else { &[] };
        for (number, (transfer, pipe)) in request.transfers.iter().zip(&pipes).enumerate() {
            if number > 0 {
                curl.arg("--next");
            }
            curl.arg("--config").arg(pipe.path());
            // For the first transfer only, as curl has it.
            if number == 0 && !request.curlrc.is_empty() {
                // Behind the token, whose pipe is empty by then: a file that is named there may be that pipe.
                let text = curlrc::to_config(&request.curlrc, transfer, request.has_siblings(), siblings);
                curl.arg("--config").arg(Pipe::with(&text)?.leave_open());
            }
            transfer.options.iter().try_for_each(|option| guard::check_pipes(option, siblings))?;
            add_words(curl, transfer);
        }
        for pipe in pipes {
            pipe.leave_open();
        }
        Ok(())
    }
}

/// Adds options and addresses, each word and each value by itself, so that no curl can read them differently.
fn add_words(curl: &mut Command, transfer: &Transfer<Target>) {
    for option in &transfer.options {
        curl.arg(&option.word).args(&option.value);
    }
    for url in &transfer.target.urls {
        curl.arg("--url").arg(url);
    }
}

/// Returns what a transfer's pipe says: the token, and whom to trust with it.
fn config(profile: &Profile, access: &Access) -> Secret {
    let mut text = String::with_capacity(1024);
    if let Some(path) = &profile.ca_file {
        text.push_str(&curlrc::quoted("cacert", &path.to_string_lossy()));
        // Instead of the directory of CAs that curl was built with, and would trust as well.
        text.push_str("capath = \"/dev/null\"\n");
    }
    if !profile.server.origin.secure {
        // A proxy would see the token of a plain http request; this machine's own servers need none.
        text.push_str("noproxy = \"*\"\n");
    }
    text.push_str(access.curl_config().expose());
    Secret::new(text)
}
