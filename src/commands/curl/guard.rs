//! Which of curl's options may be used beside a token, by the verdicts of options.txt. What nobody judged is refused.

use std::iter::once;

use super::options::{CurlOption, Reason, UNJUDGED, all, reason};
use super::parsed_option::ParsedOption;
use super::pipe::{self, Pipe};
use super::value::ValueKind;
use crate::error::{Error, Result};
use crate::types::untrusted;

const DESCRIPTOR: Reason = Reason {
    why: "its value names an open descriptor, which may be another request's token",
    hint: "use a file, or make one request at a time",
};

const TOO_MANY: Reason =
    Reason { why: "its value names too many files to be checked", hint: "make one request at a time" };

/// Refuses an option that endangers the token. `secure` tells whether the request goes by https; `has_siblings` whether
/// there are other transfers, with tokens on pipes of their own.
pub(super) fn check(option: &ParsedOption, secure: bool, has_siblings: bool) -> Result<()> {
    let reason = match (ValueKind::of(&option.row), objection(&option.row, secure)) {
        (None, _) => Some(UNJUDGED),
        // `--no-insecure` is as good as nothing.
        (_, Some(reason)) if !option.negated || reason == UNJUDGED => Some(reason),
        (Some(kind), _) => option.bytes().and_then(|value| value_objection(kind, value, has_siblings)),
    };
    reason.map_or(Ok(()), |reason| Err(refusal(option, reason)))
}

fn value_objection(kind: ValueKind, value: &[u8], has_siblings: bool) -> Option<Reason> {
    let may_be_a_pipe = || kind.may_name_files(value) && value.windows(3).any(|piece| piece == b"fd/");
    // What curl logs is on its stderr before the filter has it. That may be written to, and not be read.
    let reads_stderr = || {
        kind != ValueKind::File && kind.may_name_files(value) && value.windows(11).any(|piece| piece == b"/dev/stderr")
    };
    let names_a_pipe = || (has_siblings && may_be_a_pipe()) || reads_stderr();
    kind.fault(value).or_else(|| names_a_pipe().then_some(DESCRIPTOR))
}

/// Refuses an option that names one of the pipes, which hold the tokens of other transfers: by a link, or in a list.
pub(super) fn check_pipes(option: &ParsedOption, pipes: &[Pipe]) -> Result<()> {
    let named = ValueKind::of(&option.row).zip(option.bytes()).filter(|(kind, value)| kind.may_name_files(value));
    let Some((kind, value)) = named.filter(|_| !pipes.is_empty()) else { return Ok(()) };
    let lists = kind == ValueKind::Upload && value.iter().any(|byte| b"{[".contains(byte));
    let Some(mut paths) = pipe::paths(value).filter(|_| !lists) else { return Err(refusal(option, TOO_MANY)) };
    if paths.any(|path| pipes.iter().any(|pipe| pipe.is_at(path))) {
        return Err(refusal(option, DESCRIPTOR));
    }
    Ok(())
}

fn refusal(option: &ParsedOption, reason: Reason) -> Error {
    Error::usage(format!("curl's {} is refused: {}", untrusted(&option.shown()), reason.why), reason.hint)
}

/// Returns why an option may not be used beside a token, for a server that is `secure` where its scheme is https.
fn objection(option: &CurlOption, secure: bool) -> Option<Reason> {
    if matches!(option.verdict, "allowed" | "logs" | "unused") {
        return None;
    }
    let is_for_https = secure && option.verdict.starts_with("https:");
    Some(reason(option.verdict)).filter(|reason| !is_for_https || *reason == UNJUDGED)
}

/// Lists the options that are refused whatever the server, as they are written: `--user`, `-u`.
pub(crate) fn refused() -> impl Iterator<Item = String> {
    let refused = all().filter(|option| objection(option, true).is_some());
    refused
        .flat_map(|option| once(format!("--{}", option.name)).chain(option.letter().map(|letter| format!("-{letter}"))))
}

#[cfg(test)]
mod tests {
    use super::super::options::{long, rows};
    use super::*;

    fn check_one(name: &str, value: &str, has_siblings: bool) -> Result<()> {
        let (row, value) = (long(name).unwrap(), Some(value.into()));
        check(&ParsedOption { row, word: format!("--{name}"), negated: false, value, origin: None }, true, has_siblings)
    }

    #[test]
    fn f46_an_option_that_is_not_judged_is_refused_in_every_form() {
        let table = "= - new ? ?|= - half allowed ?|= - other-half ? text|~ - bare|= - cut allowed|\
            = - no-value allowed -|~ - a-value allowed text|= - odd perhaps text|~ - group no:nothing -|\
            = - prefix no: text|= - scheme https:ca text|= - shout ALLOWED text|= - kind allowed anything";
        for row in table.split('|').flat_map(rows) {
            for negated in [false, true] {
                let option = ParsedOption { row, word: "--new".into(), negated, value: Some("x".into()), origin: None };
                let error = check(&option, true, false).unwrap_err();
                assert_eq!(error.what, "curl's --new is refused: ls-token does not know this option yet", "{row:?}");
            }
        }
    }

    #[test]
    fn f05_one_transfer_may_not_read_anothers_pipe() {
        let pipes = "write-out @/dev/fd/11|data @/proc/self/fd/11|form a=@fd/11|form a=<fd/11|url-query a@/dev/fd/11|\
            cookie /dev/fd/11|upload-file /dev/fd/11|etag-compare /dev/fd/11|proxy-header @/dev/fd/11|\
            cert /dev/fd/11:password";
        for (name, value) in pipes.split('|').map(|pair| pair.split_once(' ').unwrap()) {
            assert!(check_one(name, value, true).is_err(), "{name}");
            assert!(check_one(name, value, false).is_ok(), "{name}");
        }
        for (name, value) in [("data-raw", "@/dev/fd/11"), ("referer", "http://a/fd/1"), ("data", "a=/dev/fd/11")] {
            assert!(check_one(name, value, true).is_ok(), "{name}");
        }
    }

    #[test]
    fn f46_every_option_of_curls_is_judged() {
        let is_judged =
            |option: &CurlOption| objection(option, true) != Some(UNJUDGED) && ValueKind::of(option).is_some();
        assert!(all().count() > 200);
        assert_eq!(all().find(|option| !is_judged(option)), None, "options.txt has no verdict of it that is known");
    }

    #[test]
    fn f46_each_group_has_a_reason_and_a_hint_of_its_own() {
        let mut reasons: Vec<_> = all().filter_map(|option| objection(&option, false)).collect();
        reasons.sort_unstable_by_key(|reason| reason.why);
        reasons.dedup();
        assert!(reasons.len() >= 14, "{reasons:?}");
        assert!(reasons.iter().all(|reason| !reason.why.is_empty() && !reason.hint.contains('?')), "{reasons:?}");
        assert!(reasons.windows(2).all(|pair| pair[0].why != pair[1].why), "{reasons:?}");
    }
}
