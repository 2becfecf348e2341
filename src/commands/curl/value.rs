//! What an option's value may be, by its row of options.txt: no second request, no other login, no echo of the token.

use super::options::{CurlOption, Reason, Takes, reason};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ValueKind {
    Nothing,
    Text,
    File,
    /// A file that curl logs to.
    Log,
    /// Text, or a file behind the @ that it begins with.
    TextOrFile,
    Header,
    Method,
    TlsVersion,
    Data,
    /// Data, or a file behind the @ that it begins with.
    DataOrFile,
    DataWithFile,
    /// Data with files behind any @ or <.
    Form,
    /// A file whose name may have any byte, or a list of them.
    Upload,
}

impl ValueKind {
    /// Returns what an option's row says of its value; None where it says nothing, or not what the option takes.
    pub(super) fn of(option: &CurlOption) -> Option<Self> {
        let kind = match option.value {
            "-" => Self::Nothing,
            "text" => Self::Text,
            "file" => Self::File,
            "log" => Self::Log,
            "@file" => Self::TextOrFile,
            "header" => Self::Header,
            "method" => Self::Method,
            "tls" => Self::TlsVersion,
            "data" => Self::Data,
            "@data" => Self::DataOrFile,
            "data@" => Self::DataWithFile,
            "data@<" => Self::Form,
            "upload" => Self::Upload,
            _ => return None,
        };
        ((kind == Self::Nothing) != (option.takes == Takes::Value)).then_some(kind)
    }

    /// Returns whether a value may name a file to be read, and is not data itself.
    pub(super) fn may_name_files(self, value: &[u8]) -> bool {
        match self {
            Self::Nothing | Self::Text | Self::Header | Self::Method | Self::TlsVersion | Self::Data => false,
            Self::TextOrFile | Self::DataOrFile => value.starts_with(b"@"),
            Self::DataWithFile => value.contains(&b'@'),
            Self::Form => value.contains(&b'@') || value.contains(&b'<'),
            Self::File | Self::Log | Self::Upload => true,
        }
    }

    /// Returns why a value is refused, whatever the option.
    pub(super) fn fault(self, value: &[u8]) -> Option<Reason> {
        // What is sent as it is, or is a file's name, may have any byte.
        let any_byte = matches!(self, Self::Data | Self::DataOrFile | Self::DataWithFile | Self::Form | Self::Upload);
        if !any_byte && value.iter().any(u8::is_ascii_control) {
            let why = "its value has a control character, which could begin a second request";
            return Some(Reason { why, hint: "remove the line break from the value" });
        }
        match self {
            Self::Header => header_fault(value),
            Self::Method => method_fault(value),
            // Less than TLS 1.2 would be a weaker connection than the one that the token came by.
            Self::TlsVersion => (!matches!(value, b"1.2" | b"1.3" | b"default")).then(|| reason("no:weak")),
            _ => None,
        }
    }
}

fn method_fault(value: &[u8]) -> Option<Reason> {
    if !value.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-') {
        return Some(Reason { why: "its value is not a method", hint: "give -X a method, such as PATCH" });
    }
    // TRACK is what old IIS calls it.
    [b"TRACE", b"TRACK"].iter().any(|echo| value.eq_ignore_ascii_case(*echo)).then_some(Reason {
        why: "the server would answer with the request, and the token in it",
        hint: "for the answer's headers use -i or -D -",
    })
}

fn header_fault(value: &[u8]) -> Option<Reason> {
    let refused = |why, hint| Some(Reason { why, hint });
    if value.starts_with(b"@") {
        return refused("it reads headers that ls-token cannot check", "give them one by one: -H 'Name: value'");
    }
    if value.starts_with(b" ") || value.starts_with(b"\t") {
        return refused("a header that begins with a blank continues the one before it", "remove the blank");
    }
    let name = value.split(|byte| matches!(byte, b':' | b';')).next().unwrap_or_default();
    match name.trim_ascii().to_ascii_lowercase().as_slice() {
        b"authorization" => {
            refused("ls-token sends that header itself", "leave it out; for another token use curl itself")
        }
        b"x-api-key" => refused("Label Studio ignores the token beside that header", "leave it out"),
        b"host" => refused("it chooses another server behind the same address", "put that server into a profile"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f05_a_line_break_is_for_data_alone() {
        for kind in [ValueKind::Text, ValueKind::File, ValueKind::TextOrFile, ValueKind::Method] {
            assert!(kind.fault(b"a\r\nb").is_some(), "{kind:?}");
        }
        for kind in [ValueKind::Data, ValueKind::DataOrFile, ValueKind::DataWithFile, ValueKind::Form] {
            assert_eq!(kind.fault(b"a\r\nb"), None, "{kind:?}");
        }
    }
}
