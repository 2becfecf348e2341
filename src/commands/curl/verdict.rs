//! The verdicts of options.txt: what may be used beside a token, and for each group of what may not, why, and what to do
//! instead. What has no verdict is not used.

use super::options::CurlOption;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reason {
    pub(super) why: &'static str,
    pub(super) hint: &'static str,
}

/// An option that nobody has judged: newer than the table, or a word in it that is no verdict.
pub(super) const UNJUDGED: Reason = Reason {
    why: "ls-token does not know this option yet",
    hint: "leave it out, or use curl itself without the token",
};

/// What would let others read what curl and the server say to each other.
pub(super) const WEAK: Reason = Reason {
    why: "it could weaken the encryption that hides the token",
    hint: "leave it out: curl and the server choose the strongest that both have",
};

/// Returns why an option may not be used beside a token, for a server that is `secure` where its scheme is https.
pub(super) fn objection(option: &CurlOption, secure: bool) -> Option<Reason> {
    match (option.verdict, reason(option.verdict)) {
        ("allowed" | "unused", _) => None,
        (_, None) => Some(UNJUDGED),
        (verdict, _) if secure && verdict.starts_with("https:") => None,
        (_, reason) => reason,
    }
}

/// Returns the reason of a group of options: of those that are refused, or for https alone.
fn reason(verdict: &str) -> Option<Reason> {
    let (why, hint) = match verdict {
        // Where nothing but the way that a request takes protects the token.
        "https:dns" => ("nothing proves that a plain http server is the right one", "leave it out, or use https"),
        "https:proxy" => (
            "a proxy would see the token of a plain http request",
            "leave it out: an http:// server is reached directly",
        ),
        "no:address" => ("it changes the address of the request", "give the whole address"),
        "no:ca" => ("it chooses which CAs to trust with the token", "put the CA into the profile as `ca_file`"),
        "no:code" => ("it loads code that could read the token", "leave it out"),
        "no:config" => {
            ("it reads options that ls-token cannot check", "give the options themselves, or put them into ~/.curlrc")
        }
        "no:elsewhere" => ("it could send the request elsewhere", "for another server, use curl itself"),
        "no:login" => ("ls-token logs in; a second way would go elsewhere", "to log in otherwise, use curl itself"),
        "no:redirect" => {
            ("it gives the token to every server that a redirect names", "use -L: the token stays with its own server")
        }
        "no:server" => (
            "it sends the request to another server under the same name",
            "put the server's own address into a profile",
        ),
        "no:session" => (
            "a saved TLS session stands in for the certificate, and early data can be replayed",
            "leave it out: each run makes its own session",
        ),
        "no:shows" => (
            "it writes the token out",
            "for the answer's headers use -i or -D -, for figures -w '%{http_code} %{time_total}\\n'",
        ),
        "no:unverified" => (
            "anyone between curl and the server could take the token",
            "put the server's CA into the profile as `ca_file`",
        ),
        "no:variables" => ("curl's own variables could build any address", "let the shell expand them: \"$NAME\""),
        "no:weak" => return Some(WEAK),
        _ => return None,
    };
    Some(Reason { why, hint })
}

#[cfg(test)]
mod tests {
    use super::super::options::all;
    use super::super::value::ValueKind;
    use super::*;

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
