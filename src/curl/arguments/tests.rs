//! Command lines as curl reads them.

use super::*;

/// Reads words and shows what came of them.
fn read(line: &str) -> String {
    let words = line.split(' ').map(OsString::from).collect();
    match parse(words) {
        Err(error) => format!("error: {}", error.what),
        Ok(Line::Information(words)) => format!("information: {words:?}"),
        Ok(Line::Request(request)) => {
            let segments = request.segments.iter().map(|segment| {
                let options = segment.options.iter().map(|given| match &given.value {
                    Some(value) => format!("{}={}", given.word, value.to_string_lossy()),
                    None => given.word.clone(),
                });
                let addresses = segment.addresses.iter().map(|address| address.to_string_lossy().into_owned());
                options.chain(addresses).collect::<Vec<_>>().join(" ")
            });
            segments.collect::<Vec<_>>().join(" | ")
        }
    }
}

#[test]
fn options_are_taken_apart_as_curl_does() {
    assert_eq!(read("-sSLo file /a"), "-s -S -L -o=file /a");
    assert_eq!(read("-ofile /a -d@- --data-raw x"), "-o=file -d=@- --data-raw=x /a");
    assert_eq!(read("--output=f /a --no-silent"), "--output=f --no-silent /a");
    assert_eq!(read("-o --next /a"), "-o=--next /a");
    assert_eq!(read("/a --next -X PATCH /b -: /c"), "/a | -X=PATCH /b | /c");
    assert_eq!(read("--url /a --url=/b /c"), "/a /b /c");
    assert_eq!(read("/a -- -s --next"), "/a -s --next");
    assert_eq!(read("--help all"), "information: [\"--help\", \"all\"]");
}

#[test]
fn f05_what_curls_versions_read_differently_is_refused() {
    for line in [
        "-2o /a",
        "-:o /a",
        "-s:o /a",
        "-hx /a",
        "--loc /a",
        "--LOCATION /a",
        "--next=x /a",
        "--silent=1 /a",
        "- /a",
        "---url /a",
        "--expand-url {{x}}",
        "--no-output x /a",
        "-* /a",
        "--next /a",
        "/a --next",
        "-s",
        "-o",
        "--no-no-silent /a",
        "--config",
        "–s",
    ] {
        let seen = read(line);
        assert!(seen.starts_with("error") || line == "–s", "{line} was read as {seen}");
    }
}
