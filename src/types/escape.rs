//! Makes text from a server or a command safe to show: no terminal escapes, no reordering, no secrets, a few lines.

/// The longest untrusted text that is shown, in characters.
const MAX_SHOWN_CHARS: usize = 300;

/// A word of so many token characters may be a secret that is repeated: a legacy token has 40, a JWT over 200.
const MIN_SECRET_CHARS: usize = 40;

/// Returns the text with tokens replaced and what a terminal would act on escaped, cut at 300 characters.
pub(crate) fn untrusted(text: &str) -> String {
    let mut shown = String::new();
    for (count, c) in redacted(text.trim()).chars().enumerate() {
        if count == MAX_SHOWN_CHARS {
            shown.push('…');
            break;
        }
        push_visible(&mut shown, c);
    }
    shown
}

/// Returns the text with words that look like a token replaced.
fn redacted(text: &str) -> String {
    let mut shown = String::new();
    for piece in text.split_inclusive(|c| !is_token_character(c)) {
        let word = piece.trim_end_matches(|c| !is_token_character(c));
        if word.len() >= MIN_SECRET_CHARS && !is_host_name(word) {
            shown.push_str(&piece.replacen(word, "[redacted]", 1));
        } else {
            shown.push_str(piece);
        }
    }
    shown
}

/// Returns what a program writes while it runs, for a terminal: unchanged but for what a terminal would act on.
pub(crate) fn stream(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in redacted(text).chars() {
        if matches!(c, '\n' | '\t') {
            shown.push(c);
        } else {
            push_visible(&mut shown, c);
        }
    }
    shown
}

/// Returns a line that shows all of a text, whatever it is made of: file names and variables may have any character.
pub(crate) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    text.chars().for_each(|c| push_visible(&mut shown, c));
    shown
}

/// Appends the character, or its escape where a terminal or a reader could be misled by it.
fn push_visible(shown: &mut String, c: char) {
    if c.is_control() || is_invisible(c) {
        shown.extend(c.escape_default());
    } else {
        shown.push(c);
    }
}

/// Returns whether a word may be shown that goes on, perhaps, and is a token then: nobody can guess the rest from so little.
pub(crate) fn is_harmless_start(word: &str) -> bool {
    word.len() < MIN_SECRET_CHARS / 2 || is_host_name(word)
}

/// Returns whether a word can only be a host name: several parts, and none of the upper case that tokens have.
fn is_host_name(word: &str) -> bool {
    let parts = || word.split('.');
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    parts().count() > 1 && parts().all(|part| part.len() < MIN_SECRET_CHARS && part.chars().all(plain))
}

/// Returns whether the character may stand in a token.
pub(crate) fn is_token_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '=' | '+')
}

/// Returns whether the character reorders or hides text: bidirectional (UAX #9), zero-width, separating, or a tag.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}
