//! Which certificates a server may have where CAs are named for it, and plain words for those that are refused.

use std::io::Read as _;
use std::net::IpAddr;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    AlertDescription as Alert, CertificateError as Bad, ClientConfig, DigitallySignedStruct, Error as Refusal,
    OtherError, RootCertStore, SignatureScheme,
};
use webpki::{EndEntityCert, KeyUsage};

use super::authorities::Authorities;
use crate::error::{Error, Kind, Result};
use crate::settings::Profile;
use crate::system::files::quoted;
use crate::types::{Origin, rfc3339, untrusted};

/// Returns the configuration that trusts the CAs which are named, and no other; `None` where the system's count.
pub(super) fn configuration(profile: &Profile) -> Result<Option<ClientConfig>> {
    let Some(authorities) = Authorities::of(profile) else { return Ok(None) };
    let mut listed = read(&authorities)?;
    for path in authorities.files_in_directories() {
        listed.extend(rustls_native_certs::load_certs_from_paths(Some(&path), None).certs);
    }
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(listed.iter().filter(|certificate| is_current(certificate)).cloned());
    if roots.is_empty() {
        let hint = "put a new certificate into it, or fix this machine's clock";
        return Err(authorities.fault(&"it holds no certificate that is valid today").only_hint(hint));
    }
    let webpki = WebPkiServerVerifier::builder(roots.into()).build().map_err(|error| authorities.fault(&error))?;
    let verifier = Arc::new(Verifier { webpki, listed });
    let config = ClientConfig::builder().dangerous().with_custom_certificate_verifier(verifier);
    let mut config = config.with_no_client_auth();
    config.alpn_protocols = vec!["http/1.1".into()];
    Ok(Some(config))
}

/// Reads the certificates of the file, where there is one. Of the forms that are not PEM, DER alone has no text around it: it
/// is one sequence.
fn read(authorities: &Authorities) -> Result<Vec<CertificateDer<'static>>> {
    let Some(mut file) = authorities.open()? else { return Ok(Vec::new()) };
    let mut pem = Vec::new();
    file.read_to_end(&mut pem).map_err(|error| authorities.fault(&error))?;
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .map_err(|_| authorities.fault(&"a certificate in it is damaged or cut off"))?;
    if !certificates.is_empty() {
        return Ok(certificates);
    }
    if pem.starts_with(&[0x30]) {
        let convert = format!("convert it: openssl x509 -inform der -in {} -out ca.pem", quoted(authorities.path()));
        return Err(authorities.fault(&"it is DER, not PEM").only_hint(convert));
    }
    Err(authorities.fault(&"it holds none"))
}

/// Returns whether the dates of a certificate allow it today: curl wants that of a CA, too, and webpki only of what a server
/// sends. Of that, it looks at the dates first.
fn is_current(certificate: &CertificateDer<'_>) -> bool {
    use webpki::Error::{CertExpired, CertNotValidYet, InvalidCertValidity};
    let Ok(sent) = EndEntityCert::try_from(certificate) else { return true };
    let verified = sent.verify_for_usage(&[], &[], &[], UnixTime::now(), KeyUsage::server_auth(), None, None);
    !matches!(verified, Err(CertExpired { .. } | CertNotValidYet { .. } | InvalidCertValidity))
}

/// Trusts what is listed, as curl does: CAs, and a server's certificate that is there byte for byte. webpki alone takes no
/// CA's certificate for a server's, but that is what `openssl req -x509` makes.
#[derive(Debug)]
struct Verifier {
    webpki: Arc<WebPkiServerVerifier>,
    listed: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Refusal> {
        let verified = self.webpki.verify_server_cert(end_entity, intermediates, name, ocsp_response, now);
        match verified {
            Err(Refusal::InvalidCertificate(bad))
                if is_of_issuer(&bad) && self.listed.contains(end_entity) && may_be_a_servers(end_entity) =>
            {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Refusal> {
        self.webpki.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Refusal> {
        self.webpki.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.webpki.supported_verify_schemes()
    }
}

/// Returns whether a certificate is refused for who signed it, or for being a CA's. webpki has looked at its dates by then.
fn is_of_issuer(bad: &Bad) -> bool {
    matches!(bad, Bad::UnknownIssuer | Bad::BadSignature | Bad::UnsupportedSignatureAlgorithmContext { .. })
        || webpki_error(bad) == Some(&webpki::Error::CaUsedAsEndEntity)
}

/// Returns whether a certificate says nothing of its purpose, or that servers are among them (RFC 5280, section 4.2.1.12):
/// webpki does not get as far with a CA's. By the bytes of the identifiers, which nothing else in a certificate has.
fn may_be_a_servers(certificate: &CertificateDer<'_>) -> bool {
    const PURPOSES: &[u8] = b"\x06\x03\x55\x1d\x25";
    const ANY: &[u8] = b"\x06\x04\x55\x1d\x25\x00";
    const SERVER: &[u8] = b"\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01";
    let has = |identifier: &[u8]| certificate.windows(identifier.len()).any(|part| part == identifier);
    !has(PURPOSES) || has(ANY) || has(SERVER)
}

fn webpki_error(bad: &Bad) -> Option<&webpki::Error> {
    let Bad::Other(OtherError(error)) = bad else { return None };
    error.downcast_ref()
}

/// Says what is refused of the TLS of a server, or of a proxy before it, and what mends it.
pub(super) fn explain(refusal: &Refusal, profile: &Profile, party: &Origin) -> Error {
    let host = &party.host;
    let connect = format!("openssl s_client -connect {host}:{}", party.port);
    let (why, hint) = match refusal {
        Refusal::InvalidCertificate(bad) => explain_certificate(bad, profile, host, &connect),
        Refusal::InvalidMessage(_) => {
            ("it does not speak TLS on this port".into(), "if this is an http port, begin the url with http://".into())
        }
        Refusal::AlertReceived(Alert::CertificateRequired | Alert::BadCertificate) => (
            "it wants a client certificate".into(),
            "ls-token has none to send; /api/ must be reachable without one".into(),
        ),
        Refusal::AlertReceived(Alert::UnrecognisedName) => {
            (format!("it has no certificate for {host}"), "use the host name that its certificate is for".into())
        }
        Refusal::PeerIncompatible(_) | Refusal::AlertReceived(Alert::ProtocolVersion | Alert::HandshakeFailure) => (
            "it has no version or cipher of TLS in common with ls-token, or wants a client certificate".into(),
            format!("the server must offer TLS 1.2 or 1.3; to see what it offers: {connect}"),
        ),
        _ => ("the TLS handshake broke off".into(), format!("see the server's log, and: {connect}")),
    };
    let what = format!("no trusted connection to {host}: {}", untrusted(&why));
    Error::new(Kind::Unreachable, what).hint(hint)
}

/// What mends a certificate.
enum Remedy {
    /// Another day.
    Dates,
    /// The CAs above it.
    Chain,
    /// Another host name.
    Name,
    /// Another one.
    Replacement,
}

/// Says why a certificate is refused, and what mends it.
fn explain_certificate(bad: &Bad, profile: &Profile, host: &str, connect: &str) -> (String, String) {
    use Remedy::{Chain, Dates, Name, Replacement};
    use webpki::Error as Webpki;
    let (why, remedy) = match (bad, webpki_error(bad)) {
        (Bad::UnknownIssuer, _) => return unknown_issuer(profile, connect),
        (Bad::ExpiredContext { not_after, .. }, _) => {
            (&*format!("has expired: it was valid until {}", date(*not_after)), Dates)
        }
        (Bad::NotValidYetContext { not_before, .. }, _) => {
            (&*format!("is not valid before {}", date(*not_before)), Dates)
        }
        (Bad::NotValidForNameContext { presented, .. }, _) if !presented.is_empty() => {
            (&*format!("is not for {host}, but for {}", names(presented)), Name)
        }
        (Bad::NotValidForNameContext { .. }, _) => {
            ("has no subjectAltName, and a common name (CN) does not count", Replacement)
        }
        (Bad::BadSignature, _) => ("has a wrong signature, or one of an RSA key of less than 2048 bits", Chain),
        (
            Bad::UnsupportedSignatureAlgorithmContext { .. }
            | Bad::UnsupportedSignatureAlgorithmForPublicKeyContext { .. },
            _,
        ) => ("is signed by an algorithm that is too weak or too rare, such as SHA-1", Replacement),
        (_, Some(Webpki::CaUsedAsEndEntity)) => {
            let why = "its certificate is a CA's own (CA:TRUE)";
            let fetch = format!("{connect} </dev/null | openssl x509 -out cert.pem");
            return match Authorities::of(profile) {
                Some(Authorities { name, .. }) => {
                    (format!("{why}, and is not in {name}"), format!("if it is yours, put it there: {fetch}"))
                }
                None => (
                    why.into(),
                    format!(
                        "if it is yours, set `ca_file` in a profile of this server to it, or log in with --ca-file: {fetch}"
                    ),
                ),
            };
        }
        (_, Some(Webpki::EndEntityUsedAsCa)) => ("is signed by one that is no CA's (CA:FALSE)", Chain),
        (_, Some(Webpki::PathLenConstraintViolated)) => ("has more CAs above it than one allows (pathlen)", Chain),
        (_, Some(Webpki::NameConstraintViolation)) => ("is for a name that its CA may not sign", Chain),
        (_, Some(Webpki::UnsupportedCertVersion)) => ("is of X.509 version 1, and version 3 is needed", Replacement),
        (_, Some(Webpki::UnsupportedCriticalExtension)) => {
            ("has a critical extension that ls-token does not know", Replacement)
        }
        (Bad::InvalidPurposeContext { .. }, _) => ("is not for servers (extendedKeyUsage)", Replacement),
        // The platform's verifier has errors of its own.
        (Bad::Other(OtherError(error)), None) => (&*format!("is not accepted by this system: {error}"), Replacement),
        _ => ("is malformed", Replacement),
    };
    let hint = match remedy {
        Dates => format!("renew it, or fix this machine's clock; {connect} </dev/null | openssl x509 -noout -dates"),
        Chain => format!("have its CA issue it properly; to see the whole chain: {connect} -showcerts </dev/null"),
        Name => format!("use the host name that the certificate is for; one for this is made by: {}", issue(host)),
        Replacement => format!("one that is accepted, and can be its own ca_file, is made by: {}", issue(host)),
    };
    (format!("its certificate {why}"), hint)
}

fn unknown_issuer(profile: &Profile, connect: &str) -> (String, String) {
    let Some(authorities) = Authorities::of(profile) else {
        return (
            "its certificate is signed by an unknown CA".into(),
            format!(
                "if that is your own, set `ca_file` in a profile of this server to its certificate; its name: {connect} </dev/null"
            ),
        );
    };
    let option = if authorities.file.is_some() { "-CAfile" } else { "-CApath" };
    let (name, path) = (authorities.name, quoted(authorities.path()));
    (
        format!("its certificate is signed by no CA in {name} that is valid today"),
        format!("add the CA, or let the server send what is missing: {connect} {option} {path} </dev/null"),
    )
}

/// Returns the command that makes a certificate for the host which every program accepts that has it as its `ca_file`.
fn issue(host: &str) -> String {
    let host = host.trim_matches(['[', ']']);
    let kind = if host.parse::<IpAddr>().is_ok() { "IP" } else { "DNS" };
    format!(
        "openssl req -x509 -newkey rsa:2048 -nodes -days 365 -subj /CN={host} -addext subjectAltName={kind}:{host} -addext extendedKeyUsage=serverAuth -keyout key.pem -out cert.pem"
    )
}

fn date(time: UnixTime) -> String {
    rfc3339(time.as_secs()).unwrap_or_default()
}

/// Lists the names of a certificate, which come as `DnsName("label.example.com")` and `IpAddress(127.0.0.1)`.
fn names(presented: &[String]) -> String {
    let bare = |text: &String| text.split(['(', ')', '"']).filter(|part| !part.is_empty()).nth(1).map(str::to_owned);
    presented.iter().filter_map(bare).collect::<Vec<_>>().join(", ")
}
