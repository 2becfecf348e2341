//! TLS: only a server with a trusted certificate for its name hears anything of the personal access token.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustix::process::geteuid;
use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::sandbox::Sandbox;
use crate::server::{Server, Setup};

/// An authority that signs certificates.
pub(crate) struct Authority {
    /// Its certificate, in PEM.
    pub(crate) pem: String,
    /// What it signs with.
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// Makes one that nobody knows yet.
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        // Without a name of its own, a certificate of another authority would look forged instead of unknown.
        params.distinguished_name.push(DnType::CommonName, format!("authority {:x}", fastrand::u64(..)));
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    /// Makes a server's configuration with a certificate for these names that is good until the end of that year.
    pub(crate) fn configuration(&self, names: &[&str], last_year: i32) -> Arc<ServerConfig> {
        let key = KeyPair::generate().unwrap();
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.not_before = date_time_ymd(2000, 1, 1);
        params.not_after = date_time_ymd(last_year, 12, 31);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap();
        Arc::new(config.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key).unwrap())
    }

    /// Starts a server with a certificate for these names.
    pub(crate) fn server(&self, names: &[&str]) -> Server {
        Setup { tls: Some(self.configuration(names, 2090)), ..Setup::default() }.start()
    }

    /// Writes the certificate of the authority into a file of the sandbox.
    pub(crate) fn file(&self, sandbox: &Sandbox) -> PathBuf {
        sandbox.file("authority.pem", &self.pem, 0o644)
    }
}

/// Uses the server with this authority trusted, in a profile.
fn trust(sandbox: &Sandbox, server: &Server, authority: &Authority) {
    sandbox.use_file(server, &format!("ca_file = \"{}\"", authority.file(sandbox).display()));
}

#[test]
fn f41_ca_file_names_the_authority_to_trust() {
    let (sandbox, authority) = (Sandbox::new(), Authority::new());
    let server = authority.server(&["127.0.0.1"]);
    trust(&sandbox, &server, &authority);
    assert_eq!(sandbox.ls_token(&[]).run().quiet().token(), server.issued()[0]);
    assert_eq!(sandbox.ls_token(&[]).run().quiet().token(), server.issued()[0]);
    assert_eq!(server.exchanges(), 1);
}

#[test]
fn f41_ssl_cert_file_names_the_authorities_to_trust() {
    let (sandbox, authority) = (Sandbox::new(), Authority::new());
    let server = authority.server(&["127.0.0.1"]);
    sandbox.use_env(&server);
    sandbox.set("SSL_CERT_FILE", authority.file(&sandbox));
    assert_eq!(sandbox.ls_token(&[]).run().quiet().token(), server.issued()[0]);
}

#[test]
fn f41_an_unknown_authority_is_refused_and_ca_file_named() {
    let (sandbox, authority, other) = (Sandbox::new(), Authority::new(), Authority::new());
    let server = authority.server(&["127.0.0.1"]);
    sandbox.use_env(&server);
    sandbox.set("SSL_CERT_FILE", other.file(&sandbox));
    let done = sandbox.ls_token(&[]).run();
    done.fails(69).says("no trusted connection to 127.0.0.1: its certificate is signed by no CA in SSL_CERT_FILE");
    done.says("hint: ").says("add the CA").says("authority.pem").says(&server.url());

    assert_eq!((server.connections() > 0, server.requests().len()), (true, 0), "nothing was sent");
}

#[test]
fn f41_ca_file_replaces_the_authorities_of_the_platform() {
    let (sandbox, authority, other) = (Sandbox::new(), Authority::new(), Authority::new());
    let server = authority.server(&["127.0.0.1"]);
    let platform = sandbox.file("platform.pem", &authority.pem, 0o644);
    trust(&sandbox, &server, &other);
    let done = sandbox.ls_token(&[]).env("SSL_CERT_FILE", platform).run();
    done.fails(69).says("signed by no CA in ca_file that is valid today");
    assert_eq!(server.requests().len(), 0, "something was sent");
}

#[test]
fn f41_a_certificate_for_another_host_is_refused() {
    let (sandbox, authority) = (Sandbox::new(), Authority::new());
    let server = authority.server(&["label.example.com", "127.0.0.2"]);
    trust(&sandbox, &server, &authority);
    sandbox
        .ls_token(&[])
        .run()
        .fails(69)
        .says("its certificate is not for 127.0.0.1, but for label.example.com, 127.0.0.2")
        .says("hint: use the host name that the certificate is for");
    assert_eq!(server.requests().len(), 0, "something was sent");
}

#[test]
fn f41_an_expired_certificate_is_refused() {
    let (sandbox, authority) = (Sandbox::new(), Authority::new());
    let server = Setup { tls: Some(authority.configuration(&["127.0.0.1"], 2020)), ..Setup::default() }.start();
    trust(&sandbox, &server, &authority);
    sandbox
        .ls_token(&[])
        .run()
        .fails(69)
        .says("its certificate has expired")
        .says("hint: renew it, or fix this machine's clock")
        .does_not_say("ca_file");
    assert_eq!(server.requests().len(), 0, "something was sent");
}

#[test]
fn f41_plain_http_on_an_https_port_is_named() {
    let (sandbox, server, authority) = (Sandbox::new(), Server::start(), Authority::new());
    sandbox.set("LABEL_STUDIO_URL", server.url().replace("http:", "https:"));
    sandbox.set("LABEL_STUDIO_API_KEY", server.pat());
    sandbox.set("SSL_CERT_FILE", authority.file(&sandbox));
    sandbox.ls_token(&[]).run().fails(69).says("it does not speak TLS on this port").says("if this is an http port");
    assert_eq!(server.requests().len(), 0, "something was sent");
}

#[test]
fn f41_https_on_an_http_port_sends_the_token_to_nobody() {
    let (sandbox, authority) = (Sandbox::new(), Authority::new());
    let server = authority.server(&["127.0.0.1"]);
    sandbox.set("LABEL_STUDIO_URL", server.url().replace("https:", "http:"));
    sandbox.set("LABEL_STUDIO_API_KEY", server.pat());
    sandbox.ls_token(&[]).run().fails(69).says("server: http://127.0.0.1");
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn f41_a_server_with_tls_1_0_only_is_refused() {
    // RFC 5246, section 7.2: an alert of TLS 1.0 that is fatal (2) and says `protocol_version` (70).
    const ALERT: [u8; 7] = [0x15, 3, 1, 0, 2, 2, 70];
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut hello = [0; 4096];
        assert!(stream.read(&mut hello).unwrap() > 0);
        stream.write_all(&ALERT).unwrap();
    });
    let (sandbox, authority, minter) = (Sandbox::new(), Authority::new(), Server::start().expect_no_calls());
    sandbox.set("LABEL_STUDIO_URL", format!("https://{address}"));
    sandbox.set("LABEL_STUDIO_API_KEY", minter.pat());
    sandbox.set("SSL_CERT_FILE", authority.file(&sandbox));
    sandbox.ls_token(&[]).run().fails(69).says("no trusted connection to 127.0.0.1: ").says("TLS 1.2 or 1.3");
    server.join().unwrap();
}

#[test]
fn f51_a_ca_file_that_someone_else_may_have_written_is_refused() {
    let (sandbox, authority) = (Sandbox::new(), Authority::new());
    let server = authority.server(&["127.0.0.1"]).expect_no_calls();
    trust(&sandbox, &server, &authority);
    let file = sandbox.root().join("authority.pem");
    for mode in [0o664, 0o646, 0o666, 0o622] {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        let done = sandbox.ls_token(&[]).run();
        done.fails(78).says("ca_file: other users can write to the file; run chmod go-w ").says("authority.pem");
    }
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let given = chown(&file, Some(65_534), None);
    assert_eq!(given.is_ok(), geteuid().is_root(), "only root can give a file away");
    if given.is_ok() {
        sandbox.ls_token(&[]).run().fails(78).says("ca_file: the file belongs to another user");
    }
}

#[test]
fn f41_a_ca_file_that_is_none_is_named() {
    let (sandbox, authority) = (Sandbox::new(), Authority::new());
    let server = authority.server(&["127.0.0.1"]).expect_no_calls();
    let missing = sandbox.root().join("missing.pem");
    let empty = sandbox.file("empty.pem", "", 0o644);
    let noise = sandbox.file("noise.pem", vec![0xff; 5000], 0o644);
    let broken =
        sandbox.file("broken.pem", "-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n", 0o644);
    for file in [missing, empty, noise, broken, sandbox.home()] {
        sandbox.use_file(&server, &format!("ca_file = \"{}\"", file.display()));
        let done = sandbox.ls_token(&[]).run();
        done.fails(78).says("ca_file").says(&format!("file: {}", file.display())).says("hint: ");
    }
}

#[test]
fn f41_no_variable_turns_the_check_off() {
    let (sandbox, authority, other) = (Sandbox::new(), Authority::new(), Authority::new());
    let server = authority.server(&["127.0.0.1"]);
    sandbox.use_env(&server);
    sandbox.set("SSL_CERT_FILE", other.file(&sandbox));
    for (name, value) in [
        ("NODE_TLS_REJECT_UNAUTHORIZED", "0"),
        ("PYTHONHTTPSVERIFY", "0"),
        ("GIT_SSL_NO_VERIFY", "1"),
        ("CURL_INSECURE", "1"),
        ("SSL_NO_VERIFY", "1"),
        ("REQUESTS_CA_BUNDLE", ""),
        ("LS_TOKEN_INSECURE", "1"),
    ] {
        sandbox.set(name, value);
    }
    sandbox.ls_token(&[]).run().fails(69).says("no CA in SSL_CERT_FILE");
    assert_eq!(server.requests().len(), 0, "something was sent");
}

#[test]
fn f15_no_key_log_is_written() {
    let (sandbox, authority) = (Sandbox::new(), Authority::new());
    let server = authority.server(&["127.0.0.1"]);
    trust(&sandbox, &server, &authority);
    let log = sandbox.root().join("keys");
    sandbox.ls_token(&["-v"]).env("SSLKEYLOGFILE", &log).run().token();
    assert!(!log.exists());
}

#[test]
fn f38_a_server_that_is_silent_in_the_handshake_costs_the_time_limit() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (sandbox, minter) = (Sandbox::new(), Server::start().expect_no_calls());
    let (url, pat) = (format!("https://{}", listener.local_addr().unwrap()), sandbox.pat_file(minter.pat()));
    sandbox.settings(&format!("[profiles.test]\nurl = \"{url}\"\npat = \"file:{}\"\ntimeout = 1\n", pat.display()));
    let done = sandbox.ls_token(&[]).env("SSL_CERT_FILE", Authority::new().file(&sandbox)).run();
    done.fails(69).says("hint: ").within(Duration::from_millis(1600));
}
