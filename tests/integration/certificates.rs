//! Certificates of every kind, made by the real openssl and shown by the real nginx: what the exchange makes of each with
//! the same `ca_file` as the real curl, and what it says.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread::sleep;
use std::time::Duration;

use crate::curl::kit::real_curl;
use crate::sandbox::{Done, Running, Sandbox, need, read};
use crate::server::{PROJECTS, Server};

/// What the scripts below call. Everything is written into the current directory: a certificate `NAME.pem` and its key
/// `NAME.key`.
const OPENSSL: &str = r#"
set -eu
key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key" 2>&1; }
# self NAME [OPTIONS OF openssl req]: a certificate that is its own CA
self() { name=$1; shift; [ -e "$name.key" ] || key "$name"
    openssl req -x509 -new -key "$name.key" -subj "/CN=$name" -days 30 "$@" -out "$name.pem" 2>&1; }
# sign CA NAME EXTENSIONS [OPTIONS OF openssl x509]: one that a CA signs
sign() { ca=$1 name=$2 extensions=$3; shift 3; [ -e "$name.key" ] || key "$name"
    printf '%b' "$extensions" >"$name.ext"
    openssl req -new -key "$name.key" -subj "/CN=${cn-$name}" -out "$name.csr"
    openssl x509 -req -in "$name.csr" -CA "$ca.pem" -CAkey "$ca.key" -CAcreateserial -days 30 \
        ${extensions:+-extfile "$name.ext"} "$@" -out "$name.pem" 2>&1; }
# between CA NAME FROM UNTIL: replaces a certificate by one of the same names and key, with other dates
between() { openssl req -new -key "$2.key" -subj "/CN=$2" -out "$2.csr"; printf '[ca]\ndefault_ca=d\n[d]\ndatabase=index\nnew_certs_dir=.\ndefault_md=sha256\npolicy=p\nunique_subject=no\nrand_serial=yes\n[p]\ncommonName=supplied\n' >ca.cnf
    : >index; openssl ca -batch -notext -config ca.cnf -cert "$1.pem" -keyfile "$1.key" -in "$2.csr" -extfile "$2.ext" \
        -startdate "$3" -enddate "$4" -out "$2.new" 2>&1; mv "$2.new" "$2.pem"; }
# cat, but of certificates alone
also() { for name in "$@"; do cat "$name.pem"; done; }
san='subjectAltName=IP:127.0.0.1\n'
"#;

/// nginx before a stand-in server, with one certificate.
struct Nginx {
    url: String,
    _running: Running,
}

impl Nginx {
    /// Starts one that shows `chain.pem` of the directory; `more` is added to its settings.
    fn start(sandbox: &Sandbox, directory: &Path, server: &Server, more: &str) -> Self {
        need("nginx");
        let here = directory.display().to_string();
        let (running, port) = listen(|port| {
            let settings = format!(
                "daemon off; master_process off; pid nginx.pid; error_log error.log;\n\
                events {{}}\n\
                http {{\naccess_log off; client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3;\n\
                uwsgi_temp_path t4; scgi_temp_path t5;\n\
                server {{\nlisten 127.0.0.1:{port} ssl; ssl_certificate chain.pem; ssl_certificate_key chain.key;\n\
                {more}\nlocation / {{ proxy_pass {}; }}\n}}\n}}\n",
                server.url()
            );
            fs::write(directory.join("nginx.conf"), settings).unwrap();
            sandbox.program("/usr/sbin/nginx", &["-p", &here, "-c", "nginx.conf", "-e", "error.log"]).start()
        });
        Self { url: format!("https://127.0.0.1:{port}"), _running: running }
    }
}

/// Starts a program that listens at a port of 127.0.0.1 which is free. The system gives away none of these by itself, and
/// this process none twice (`ip_local_port_range`).
pub(crate) fn listen(start: impl Fn(u16) -> Running) -> (Running, u16) {
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    static FIRST: LazyLock<u16> = LazyLock::new(|| fastrand::u16(..20_000));
    for _ in 0..100 {
        let port = 10_000 + FIRST.wrapping_add(TAKEN.fetch_add(1, Ordering::Relaxed)) % 20_000;
        if TcpListener::bind(("127.0.0.1", port)).is_err() {
            continue;
        }
        let mut running = start(port);
        while !running.has_ended() {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() && !running.has_ended() {
                return (running, port);
            }
            sleep(Duration::from_millis(5));
        }
        let said = running.stderr_so_far();
        assert!(said.contains("in use") || said.is_empty(), "it does not start: {said}");
    }
    panic!("no port is free");
}

/// One server with its certificate, and what a user has as `ca_file` for it.
struct Case {
    sandbox: Sandbox,
    server: Server,
    nginx: Nginx,
}

impl Case {
    /// Makes the certificates by a script, which leaves `chain.pem`, `chain.key` and `ca.pem`.
    fn new(script: &str, more: &str) -> Self {
        need("openssl");
        let (sandbox, server) = (Sandbox::new(), Server::start().expect_anything());
        let directory = sandbox.directory("tls");
        let made = sandbox.shell(&format!("cd ../tls\n{OPENSSL}\n{script}")).run();
        assert_eq!(made.code, Some(0), "{script}: {made:?}");
        let nginx = Nginx::start(&sandbox, &directory, &server, more);
        sandbox.command("curl", &format!("exec {} \"$@\"", real_curl().display()));
        let case = Self { sandbox, server, nginx };
        case.trust("ca.pem");
        case
    }

    /// Writes a profile with that file as its `ca_file`.
    fn trust(&self, name: &str) {
        let (file, pat) = (self.file(name), self.sandbox.pat_file(self.server.pat()));
        self.sandbox.settings(&format!(
            "[profiles.test]\nurl = \"{}\"\npat = \"file:{}\"\nca_file = \"{file}\"\n",
            self.nginx.url,
            pat.display()
        ));
    }

    fn file(&self, name: &str) -> String {
        self.sandbox.root().join("tls").join(name).display().to_string()
    }

    fn exchange(&self) -> Done {
        self.sandbox.ls_token(&["--refresh"]).run()
    }

    /// Returns what curl by itself makes of the server, with that file.
    fn curl(&self, name: &str) -> Done {
        let (file, url) = (self.file(name), format!("{}/health", self.nginx.url));
        let words = ["-q", "-sS", "--capath", "/dev/null", "--cacert", &file, &url];
        self.sandbox.program(real_curl(), &words).run()
    }

    /// Asserts that the exchange, curl and `lscurl` accept the server.
    #[track_caller]
    fn is_accepted(&self, what: &str) {
        let done = self.exchange();
        assert_eq!(done.code, Some(0), "{what}: {done:?}");
        assert!(self.server.has_issued(&done.token()));
        let curl = self.curl("ca.pem");
        assert_eq!(curl.code, Some(0), "{what}: curl refuses it: {curl:?}");
        let done = self.sandbox.ls_token(&["curl", "-sSf", PROJECTS]).run();
        assert_eq!(done.code, Some(0), "{what}: {done:?}");
    }

    /// Asserts that the exchange refuses the server in these words, and sends it nothing.
    #[track_caller]
    fn is_refused(&self, words: &[&str]) -> Done {
        let done = self.exchange();
        done.fails(69).says("ls-token: no trusted connection to 127.0.0.1: ").says("\n  hint: ");
        for word in words {
            done.says(word);
        }
        // No name of a library's, and no key of a profile that has it already.
        for name in ["Error", "Other(", "Context", "Some(", "UsedAs", "{ ", "set `ca_file`"] {
            done.does_not_say(name);
        }
        assert_eq!(self.server.exchanges(), 0, "something was sent");
        done
    }
}

/// Returns the command that a hint has behind these words.
#[track_caller]
fn command(done: &Done, start: &str) -> String {
    let place = done.stderr.find(start).unwrap_or_else(|| panic!("{start:?} is in no hint: {done:?}"));
    done.stderr[place..].lines().next().unwrap().to_owned()
}

#[test]
fn f64_a_certificate_that_is_its_own_ca_file_is_accepted_as_curl_does() {
    for (what, script) in [
        (
            "openssl's default, CA:TRUE",
            "openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=x -addext subjectAltName=IP:127.0.0.1 -keyout chain.key -out chain.pem 2>&1; also chain >ca.pem",
        ),
        (
            "CA:FALSE",
            "key chain; openssl req -new -key chain.key -subj /CN=x -out x; printf 'subjectAltName=IP:127.0.0.1\\nbasicConstraints=CA:FALSE' >e; openssl x509 -req -in x -signkey chain.key -extfile e -out chain.pem 2>&1; also chain >ca.pem",
        ),
        (
            "CA:TRUE among others",
            "self chain -addext subjectAltName=IP:127.0.0.1; self other; self more; also other chain more >ca.pem",
        ),
        (
            "with its key, text and CRLF",
            "self chain -addext subjectAltName=IP:127.0.0.1; { cat chain.key; openssl x509 -in chain.pem -text; } | sed 's/$/\\r/' >ca.pem",
        ),
        ("signed by a CA that is not in the file", "self root; sign root chain \"$san\"; also chain >ca.pem"),
        (
            "signed by SHA-1, which nobody looks at",
            "self chain -sha1 -addext subjectAltName=IP:127.0.0.1; also chain >ca.pem",
        ),
    ] {
        Case::new(script, "").is_accepted(what);
    }
    // Named by the variable, it is the same.
    let case = Case::new("self chain -addext subjectAltName=IP:127.0.0.1; also chain >ca.pem", "");
    let settings = read(&case.sandbox.home().join(".config/ls-token/config.toml"));
    let lines: Vec<&str> = settings.lines().filter(|line| !line.starts_with("ca_file")).collect();
    case.sandbox.settings(&lines.join("\n"));
    case.sandbox
        .ls_token(&["--no-cache"])
        .run()
        .fails(69)
        .says("its certificate is a CA's own (CA:TRUE)\n")
        .says("log in with --ca-file: openssl s_client ");
    case.sandbox.set("SSL_CERT_FILE", case.file("ca.pem"));
    case.is_accepted("SSL_CERT_FILE");
}

#[test]
fn f64_a_certificate_that_is_its_own_ca_file_still_has_to_fit_the_host_and_the_day() {
    let own = "self chain -addext subjectAltName=DNS:label.example.com,IP:127.0.0.2; also chain >ca.pem";
    let case = Case::new(own, "");
    let done = case.is_refused(&["its certificate is not for 127.0.0.1, but for label.example.com, 127.0.0.2"]);
    assert_eq!(case.curl("ca.pem").code, Some(60));
    command(&done, "openssl req ");
    let dated = "self chain; cp chain.pem own.pem; cp chain.key own.key; printf \"$san\" >chain.ext; between own chain";
    for (from, until, why) in [
        ("20200101000000Z", "20210101000000Z", "its certificate has expired: it was valid until 2021-01-01T00:00:00Z"),
        ("20900101000000Z", "20910101000000Z", "its certificate is not valid before 2090-01-01T00:00:00Z"),
    ] {
        // With a good one beside it: a file without any is told before anybody is asked.
        let case = Case::new(&format!("{dated} {from} {until}; self good; also chain good >ca.pem"), "");
        case.is_refused(&[why, "renew it, or fix this machine's clock"]);
        assert_eq!(case.curl("ca.pem").code, Some(60));
        case.trust("chain.pem");
        case.exchange().fails(78).says("ca_file: it holds no certificate that is valid today").says("clock");
    }
}

#[test]
fn f64_another_certificate_than_the_one_in_ca_file_is_refused() {
    // The same names, dates and length, but another key.
    let twin = "self chain -addext subjectAltName=IP:127.0.0.1; mv chain.pem ca.pem; rm chain.key\n\
        self chain -addext subjectAltName=IP:127.0.0.1";
    let case = Case::new(twin, "");
    case.is_refused(&[
        "its certificate is a CA's own (CA:TRUE), and is not in ca_file",
        "put it there: openssl s_client ",
    ]);
    assert_eq!(case.curl("ca.pem").code, Some(60));
    // A CA's certificate that a CA in the file signed is not in it.
    let below = "self ca; sign ca chain \"${san}basicConstraints=CA:TRUE\\n\"";
    Case::new(below, "").is_refused(&["its certificate is a CA's own (CA:TRUE)"]);
}

#[test]
fn f64_a_chain_is_accepted_as_curl_does() {
    for (what, script) in [
        ("a CA", "self ca; sign ca chain \"$san\""),
        ("one between", "self ca; sign ca a basicConstraints=CA:TRUE; sign a chain \"$san\"; also a >>chain.pem"),
        ("one between alone", "self x; sign x ca basicConstraints=CA:TRUE; sign ca chain \"$san\""),
        ("Ed25519", "openssl genpkey -algorithm ed25519 -out chain.key; self ca; sign ca chain \"$san\""),
        (
            "RSA-PSS",
            "openssl genrsa -out ca.key 2048 2>&1; self ca -sigopt rsa_padding_mode:pss; sign ca chain \"$san\"",
        ),
        (
            "an expired CA beside a good one",
            "self ca; printf 'basicConstraints=CA:TRUE' >old.ext; key old; between ca old 20200101000000Z 20210101000000Z\n\
            sign ca chain \"$san\"; also old >>ca.pem",
        ),
    ] {
        for protocol in ["TLSv1.2", "TLSv1.3"] {
            Case::new(script, &format!("ssl_protocols {protocol};")).is_accepted(&format!("{what} by {protocol}"));
        }
    }
}

#[test]
fn f64_each_reason_to_refuse_a_certificate_is_said_in_words() {
    let weak = "ssl_ciphers DEFAULT@SECLEVEL=0;";
    let below = |extensions: &str| {
        format!(
            "self ca; sign ca a \"basicConstraints=CA:TRUE\\n{extensions}\"; sign a b basicConstraints=CA:TRUE\n\
            sign b chain \"$san\"; also b a >>chain.pem"
        )
    };
    let leaf = |extensions: &str| format!("self ca; sign ca chain \"{extensions}\"");
    for (script, more, why, hint) in [
        ("self ca; self x; sign x chain \"$san\"".into(), "", "is signed by no CA in ca_file", "openssl s_client "),
        (
            "self ca; sign ca a basicConstraints=CA:TRUE; sign a chain \"$san\"".into(),
            "",
            "is signed by no CA in ca_file that is valid today",
            "let the server send what is missing",
        ),
        (
            "self own; cp own.key ca.key; printf basicConstraints=CA:TRUE >ca.ext; between own ca 20200101000000Z 20210101000000Z\n\
            sign ca chain \"$san\"; self good; also good >>ca.pem"
                .into(),
            "",
            "is signed by no CA in ca_file that is valid today",
            "openssl s_client ",
        ),
        (format!("cn=127.0.0.1; {}", leaf("basicConstraints=CA:FALSE")), "", "has no subjectAltName", "openssl req "),
        (leaf(""), "", "is of X.509 version 1", "openssl req "),
        (leaf("${san}1.2.3.4=critical,DER:0500"), "", "has a critical extension", "openssl req "),
        (leaf("${san}extendedKeyUsage=clientAuth"), "", "is not for servers", "openssl req "),
        (leaf("${san}basicConstraints=CA:TRUE"), "", "is a CA's own (CA:TRUE)", "openssl s_client "),
        (
            "self ca; sign ca a basicConstraints=CA:FALSE; sign a chain \"$san\"; also a >>chain.pem".into(),
            "",
            "is signed by one that is no CA's (CA:FALSE)",
            "openssl s_client ",
        ),
        (below("basicConstraints=CA:TRUE,pathlen:0\\n"), "", "has more CAs above it than one allows", "openssl s_client "),
        (below("nameConstraints=excluded;IP:127.0.0.0/255.0.0.0"), "", "is for a name that its CA may not sign", "-showcerts"),
        (
            "self ca; sign ca chain \"$san\"; rm ca.key; self ca".into(),
            "",
            "has a wrong signature",
            "openssl s_client ",
        ),
        ("self ca; sign ca chain \"$san\" -sha1".into(), weak, "such as SHA-1", "openssl req "),
        (
            "openssl genrsa -out ca.key 1024 2>&1; self ca; sign ca chain \"$san\"".into(),
            weak,
            "RSA key of less than 2048 bits",
            "openssl s_client ",
        ),
        (
            "openssl genrsa -out chain.key 1024 2>&1; self ca; sign ca chain \"$san\"".into(),
            weak,
            "RSA key of less than 2048 bits",
            "openssl s_client ",
        ),
        (
            "openssl ecparam -name secp521r1 -genkey -noout -out ca.key; self ca; sign ca chain \"$san\"".into(),
            "",
            "too weak or too rare",
            "openssl req ",
        ),
        ("self ca; sign ca chain \"$san\" -days -1".into(), "", "is malformed", "openssl req "),
    ] {
        let case = Case::new(&script, more);
        let done = case.is_refused(&["its certificate ", why, hint]);
        // curl refuses it, too, but for what OpenSSL alone takes.
        let is_taken = ["has no subjectAltName", "is a CA's own (CA:TRUE)", "too weak or too rare"].contains(&why);
        assert_eq!(case.curl("ca.pem").code, Some(if is_taken { 0 } else { 60 }), "{why}");
        // Every command of a hint is one that openssl knows.
        let line = command(&done, "openssl ");
        let tried = case.sandbox.shell(&format!("cd ../tls; {line}")).run();
        assert!(!tried.stderr.contains("Use -help"), "{line}: {tried:?}");
    }
}

#[test]
fn f64_the_command_of_the_hint_makes_a_certificate_that_all_accept() {
    let case = Case::new("self ca; sign ca chain basicConstraints=CA:FALSE", "");
    let line = command(&case.is_refused(&["has no subjectAltName"]), "openssl req ");
    let made = format!("{line} 2>&1; cp cert.pem chain.pem; cp cert.pem ca.pem; cp key.pem chain.key");
    Case::new(&made, "").is_accepted("the certificate of the hint");
    for kind in ["rsa:2048 ", "-sha256", "DNS:localhost"] {
        assert!(line.replace("IP:127.0.0.1", "DNS:localhost").contains(kind) || kind == "-sha256", "{line}");
    }
}

#[test]
fn f64_each_reason_to_refuse_a_server_is_said_in_words() {
    let made = "self ca; sign ca chain \"$san\"";
    for (more, why) in [
        ("ssl_protocols TLSv1 TLSv1.1; ssl_ciphers ALL:@SECLEVEL=0;", "it has no version or cipher of TLS in common"),
        ("ssl_protocols TLSv1.2; ssl_ciphers AES128-SHA;", "it has no version or cipher of TLS in common"),
        ("ssl_reject_handshake on;", "it has no certificate for 127.0.0.1"),
    ] {
        Case::new(made, more).is_refused(&[why]);
    }
    let case = Case::new(made, "ssl_client_certificate ca.pem; ssl_verify_client on;");
    case.exchange().fails(77).says("wants a client certificate").says("ls-token has none to send");
    for version in ["-tls1_2", "-tls1_3"] {
        let directory = case.sandbox.root().join("tls").display().to_string();
        let (_running, port) = listen(|port| {
            let script = format!(
                "cd {}; exec openssl s_server -accept 127.0.0.1:{port} -cert chain.pem -key chain.key -Verify 1 -www {version}",
                shell_words::quote(&directory)
            );
            case.sandbox.shell(&script).start()
        });
        let settings = read(&case.sandbox.home().join(".config/ls-token/config.toml"));
        case.sandbox.settings(&settings.replace(&case.nginx.url, &format!("https://127.0.0.1:{port}")));
        case.is_refused(&["client certificate"]);
        case.trust("ca.pem");
    }
}

#[test]
fn f64_a_ca_file_that_is_no_pem_is_said_with_the_command_that_converts_it() {
    let case = Case::new("self ca; sign ca chain \"$san\"; openssl x509 -in ca.pem -outform der -out 'my ca.der'", "");
    case.trust("my ca.der");
    let done = case.exchange();
    done.fails(78).says("cannot use the certificates of ca_file: it is DER, not PEM").says("file: ");
    fs::remove_file(case.file("ca.pem")).unwrap();
    let converted = case.sandbox.shell(&format!("cd ../tls; {}", command(&done, "openssl x509 "))).run();
    assert_eq!(converted.code, Some(0), "{converted:?}");
    case.trust("ca.pem");
    case.is_accepted("what the hint made of it");
    for (name, script, why) in [
        ("empty", ": >empty", "it holds none"),
        ("key", "cp ca.key key", "it holds none"),
        ("request", "cp chain.csr request", "it holds none"),
        ("bundle", "openssl crl2pkcs7 -nocrl -certfile ca.pem -out bundle", "it holds none"),
        ("cut", "sed '$d' ca.pem | sed '$d' >cut", "a certificate in it is damaged or cut off"),
        (
            "damaged",
            "also ca >damaged; sed 's/^MII/???/' ca.pem >>damaged",
            "a certificate in it is damaged or cut off",
        ),
    ] {
        let made = case.sandbox.shell(&format!("cd ../tls\n{OPENSSL}\n{script}")).run();
        assert_eq!(made.code, Some(0), "{name}: {made:?}");
        case.trust(name);
        case.exchange().fails(78).says(&format!("ca_file: {why}"));
        assert_eq!(case.curl(name).code, Some(77), "{name}");
    }
}
