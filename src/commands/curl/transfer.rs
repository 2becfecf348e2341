//! From a parsed command line to a curl that is ready to run. The order keeps the tokens apart: nothing is asked for that
//! will be refused, no program that reads a personal access token inherits another token's pipe, and no option can name a
//! pipe that was not there to be compared.

use std::os::unix::ffi::OsStrExt as _;
use std::process::Command;

use zeroize::Zeroizing;

use super::address::Resolver;
use super::arguments::{Request, Segment};
use super::parsed_option::ParsedOption;
use super::pipe::Pipe;
use super::value::ValueKind;
use super::{curlrc, guard, log};
use crate::api::authorities::Authorities;
use crate::api::proxy::Proxy;
use crate::error::{Error, Result};
use crate::settings::Profile;
use crate::system::Console;
use crate::system::environment::{CA_BUNDLES, CA_DIRECTORIES, CA_FILE};
use crate::token::{self, TokenRequest};
use crate::types::{Access, untrusted};

/// What lies between two `--next`, with the profile that its URLs belong to.
pub(super) struct Transfer {
    pub(super) profile: Profile,
    pub(super) urls: Vec<String>,
    pub(super) options: Vec<ParsedOption>,
}

/// Transfers of which no option on the command line endangers a token.
pub(super) struct Transfers {
    list: Vec<Transfer>,
    curlrc: Vec<ParsedOption>,
}

impl Transfers {
    pub(super) fn of(request: Request, resolver: &Resolver) -> Result<Self> {
        let curlrc = if request.without_curlrc { Vec::new() } else { curlrc::read(&resolver.session.environment)? };
        let resolve = |Segment { options, first, others }| {
            resolver.resolve(&first, &others).map(|(profile, urls)| Transfer { profile, urls, options })
        };
        let transfers = Self { list: request.segments.into_iter().map(resolve).collect::<Result<_>>()?, curlrc };
        for transfer in &transfers.list {
            transfer.options.iter().try_for_each(|option| transfer.check(option, transfers.has_siblings()))?;
        }
        Ok(transfers)
    }

    /// Returns whether there are transfers with tokens on pipes of their own.
    fn has_siblings(&self) -> bool {
        self.list.len() > 1
    }

    /// Obtains the tokens, while there is no pipe that a command could inherit.
    pub(super) fn obtain_tokens(&self, wanted: &TokenRequest, console: Console) -> Result<Vec<Access>> {
        let obtain = |transfer: &Transfer| {
            console.note(format_args!("curl: {}", untrusted(&transfer.urls.join(" "))));
            let nearly_whole = transfer.options.iter().chain(&self.curlrc).any(sends_a_file);
            token::obtain(&transfer.profile, &TokenRequest { nearly_whole, ..wanted.clone() }, console)
        };
        self.list.iter().map(obtain).collect()
    }

    /// Hands everything to curl: each token on its own pipe, then `.curlrc` and the options, of which none may name a pipe.
    pub(super) fn hand_over(mut self, tokens: &[Access], curl: &mut Command) -> Result<()> {
        let has_siblings = self.has_siblings();
        if let Some(first) = self.list.first() {
            curlrc::keep(&mut self.curlrc, |option| first.check(option, has_siblings));
        }
        let options = self.list.iter_mut().flat_map(|transfer| &mut transfer.options).chain(&mut self.curlrc);
        log::hide_tokens(options.collect(), tokens, curl)?;
        // The configuration names the CAs of the exchange: no variable adds others.
        for name in [CA_FILE, CA_DIRECTORIES].into_iter().chain(CA_BUNDLES) {
            curl.env_remove(name);
        }
        let configs = self.list.iter().zip(tokens).map(|(transfer, access)| config(&transfer.profile, access));
        let pipes = configs.map(|config| Pipe::with(&config?)).collect::<Result<Vec<_>>>()?;
        let siblings: &[Pipe] = if has_siblings { &pipes } else { &[] };
        for (number, (transfer, pipe)) in self.list.iter().zip(&pipes).enumerate() {
            if number > 0 {
                curl.arg("--next");
            }
            curl.arg("--config").arg(pipe.path());
            // For the first transfer only, as curl has it.
            if number == 0 && !self.curlrc.is_empty() {
                // Behind the token, whose pipe is empty by then: a file that is named there may be that pipe.
                curlrc::keep(&mut self.curlrc, |option| guard::check_pipes(option, siblings));
                curl.arg("--config").arg(Pipe::with(&curlrc::to_config(&self.curlrc))?.leave_open());
            }
            // Each word and each value by itself, so that no curl can read them differently.
            for option in &transfer.options {
                guard::check_pipes(option, siblings)?;
                curl.arg(&option.word).args(&option.value);
            }
            for url in &transfer.urls {
                curl.arg("--url").arg(url);
            }
        }
        for pipe in pipes {
            pipe.leave_open();
        }
        Ok(())
    }
}

impl Transfer {
    /// Refuses an option that endangers the token, wherever it stands.
    pub(super) fn check(&self, option: &ParsedOption, has_siblings: bool) -> Result<()> {
        let server = &self.profile.server;
        guard::check(option, server.origin.secure, has_siblings)?;
        if ValueKind::of(&option.row) == Some(ValueKind::Upload) && !server.base.is_empty() {
            self.check_upload(option)?;
        }
        Ok(())
    }

    /// Refuses an upload whose name curl would put behind the address itself: its dots could lead out of the base path.
    fn check_upload(&self, option: &ParsedOption) -> Result<()> {
        let named_by_curl = |url: &String| {
            let path = url.split('?').next().unwrap_or_default();
            path.ends_with('/') || path.contains(['{', '['])
        };
        let file = option.bytes().unwrap_or_default();
        let name = file.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        let climbs = matches!(name, b"." | b"..") || file.iter().any(|byte| b"{[".contains(byte));
        if climbs || self.urls.iter().any(named_by_curl) {
            return Err(Error::usage(
                format!("curl's {} is refused: the address has no file name", option.shown()),
                "give the whole address of the upload",
            ));
        }
        Ok(())
    }
}

/// Returns whether the option makes the request's body of a file or a pipe, or of the parts of a form.
fn sends_a_file(option: &ParsedOption) -> bool {
    match (ValueKind::of(&option.row), option.bytes()) {
        (Some(ValueKind::Upload | ValueKind::Form), _) => true,
        (Some(kind @ (ValueKind::DataOrFile | ValueKind::DataWithFile)), Some(value)) => kind.may_name_files(value),
        _ => false,
    }
}

/// Returns what a transfer's pipe says: the token, and whom to trust with it.
fn config(profile: &Profile, access: &Access) -> Result<Zeroizing<Vec<u8>>> {
    let mut text = Zeroizing::new(Vec::with_capacity(1024));
    // curl's own message of an address that it cannot read has the login in it.
    let proxy = Proxy::of(profile)?;
    if let Some(authorities) = Authorities::of(profile) {
        if profile.server.origin.secure {
            authorities.open()?;
        }
        // Without directories, curl trusts the one that it was built with as well.
        let directories = authorities.directories.clone().unwrap_or_else(|| "/dev/null".into());
        let of_the_proxy = proxy.is_some_and(|proxy| proxy.origin.secure).then_some("proxy-");
        for party in [""].into_iter().chain(of_the_proxy) {
            let file = authorities.file_for_curl();
            curlrc::push_quoted(&mut text, &format!("{party}cacert"), file.as_os_str().as_bytes());
            curlrc::push_quoted(&mut text, &format!("{party}capath"), directories.as_bytes());
        }
    }
    if !profile.server.origin.secure {
        // A proxy would see the token of a plain http request; this machine's own servers need none.
        text.extend_from_slice(b"noproxy = \"*\"\n");
    }
    text.extend_from_slice(access.curl_config().expose().as_bytes());
    Ok(text)
}
