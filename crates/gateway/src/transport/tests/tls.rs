//! TLS, with a certificate made here.

use std::sync::Arc;

use ring::signature::{Ed25519KeyPair, KeyPair as _};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::super::tls_settings;
use super::server::{OK, Server, Step};
use super::{Client, never_left, no_answer};

#[tokio::test]
async fn a_certificate_that_is_trusted_lets_requests_pass() {
    let (url, certificate) = server(Some(OK)).await;
    let client = Client::with(|settings| settings.tls = tls_settings(&[certificate]).unwrap());
    assert_eq!(client.post(&url).await.unwrap().status, 200);
    assert_eq!(client.post(&url).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_cut_after_the_request_is_no_answer() {
    let (url, certificate) = server(None).await;
    let client = Client::with(|settings| settings.tls = tls_settings(&[certificate]).unwrap());
    assert!(no_answer(&client.post(&url).await));
}

#[tokio::test]
async fn a_certificate_of_nobody_stops_the_request() {
    let (url, certificate) = server(Some(OK)).await;
    assert!(never_left(&Client::new().post(&url).await));
    let client = Client::with(|settings| settings.tls = tls_settings(&[certificate]).unwrap());
    assert!(never_left(&client.post(&url.replace("localhost", "127.0.0.1")).await), "another name");
}

#[tokio::test]
async fn a_server_without_tls_gets_no_request() {
    let server = Server::start(vec![Step::Answer(OK)]).await;
    let result = Client::new().post_within(&server.url.replace("http:", "https:"), 300).await;
    assert!(never_left(&result), "{result:?}");
}

/// Gives `answer` to each request, or hangs up on it.
async fn server(answer: Option<&'static str>) -> (String, CertificateDer<'static>) {
    let (certificate, key) = self_signed();
    let settings = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(settings));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}/", listener.local_addr().unwrap().port());
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let mut buffer = [0; 4096];
                while let Ok(1..) = stream.read(&mut buffer).await {
                    let Some(answer) = answer else { return };
                    stream.write_all(answer.as_bytes()).await.unwrap();
                    stream.flush().await.unwrap();
                }
            });
        }
    });
    (url, certificate)
}

/// The least that RFC 5280 lets a certificate for `localhost` be, from 2020 to 2049.
fn self_signed() -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
    let pkcs8 = Ed25519KeyPair::generate_pkcs8(&ring::rand::SystemRandom::new()).unwrap();
    let key = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap();
    let algorithm = der(0x30, &[&der(0x06, &[&[0x2b, 0x65, 0x70]])]);
    let name = der(0x30, &[]);
    let validity = der(0x30, &[&der(0x17, &[b"200101000000Z"]), &der(0x17, &[b"491231235959Z"])]);
    let public_key = der(0x30, &[&algorithm, &bits(key.public_key().as_ref())]);
    let names = der(0x30, &[&der(0x82, &[b"localhost"])]);
    let alternative_names = der(0x30, &[&der(0x06, &[&[0x55, 0x1d, 0x11]]), &der(0x04, &[&names])]);
    let extensions = der(0xa3, &[&der(0x30, &[&alternative_names])]);
    let version = der(0xa0, &[&der(0x02, &[&[2]])]);
    let serial = der(0x02, &[&[1]]);
    let body = der(0x30, &[&version, &serial, &algorithm, &name, &validity, &name, &public_key, &extensions]);
    let certificate = der(0x30, &[&body, &algorithm, &bits(key.sign(&body).as_ref())]);
    (certificate.into(), PrivatePkcs8KeyDer::from(pkcs8.as_ref().to_vec()).into())
}

fn bits(bytes: &[u8]) -> Vec<u8> {
    der(0x03, &[&[0], bytes])
}

/// One element of the distinguished encoding rules (X.690), of less than 64 KiB.
fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = u16::try_from(content.len()).unwrap();
    let [high, low] = length.to_be_bytes();
    let head = match length {
        ..0x80 => vec![tag, low],
        0x80..0x100 => vec![tag, 0x81, low],
        0x100.. => vec![tag, 0x82, high, low],
    };
    [head, content].concat()
}
