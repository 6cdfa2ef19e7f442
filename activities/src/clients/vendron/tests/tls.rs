//! With certificates for 127.0.0.1 that signed themselves, one valid until 2120 and one until 2021, and their key: all are
//! for this test alone.

use std::net::{SocketAddr, TcpListener};

use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio_tungstenite::tungstenite::{Message as Sent, accept};

use super::*;

const HELLO: &str = r#"{"command":"hello"}"#;

fn certificate() -> CertificateDer<'static> {
    CertificateDer::from(include_bytes!("localhost.cert.der").to_vec())
}

fn expired() -> CertificateDer<'static> {
    CertificateDer::from(include_bytes!("expired.cert.der").to_vec())
}

/// Says hello to one client; tells whether that had a handshake.
fn server() -> (SocketAddr, JoinHandle<bool>) {
    server_at("127.0.0.1", certificate())
}

fn server_at(host: &str, certificate: CertificateDer<'static>) -> (SocketAddr, JoinHandle<bool>) {
    let key = PrivatePkcs8KeyDer::from(include_bytes!("localhost.key.der").to_vec());
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], PrivateKeyDer::from(key))
        .unwrap();
    let listener = TcpListener::bind((host, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let served = spawn_blocking(move || {
        let (stream, _) = listener.accept().unwrap();
        let tls = StreamOwned::new(ServerConnection::new(Arc::new(config)).unwrap(), stream);
        accept(tls).is_ok_and(|mut stream| stream.send(Sent::text(HELLO)).is_ok())
    });
    (address, served)
}

#[tokio::test]
async fn a_trusted_certificate_is_accepted() {
    let (address, served) = server();
    let url = Url::parse(&format!("wss://{address}/publicV2")).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(certificate()).unwrap();
    let vendron = Vendron::trusting(roots, url, TOKEN.into(), limits()).unwrap();
    let mut socket = vendron.connect().await.unwrap();
    assert_eq!(socket.next().await.unwrap().raw, HELLO);
    assert!(served.await.unwrap());
}

#[tokio::test]
async fn another_certificate_is_refused() {
    let (address, served) = server();
    let url = Url::parse(&format!("wss://{address}/publicV2")).unwrap();
    let vendron = Vendron::new(url, TOKEN.into(), limits()).unwrap();
    assert!(matches!(vendron.connect().await, Err(VendronError::Broken(_))));
    assert!(!served.await.unwrap(), "it was spoken to");
}

#[tokio::test]
async fn a_trusted_certificate_that_expired_or_is_for_another_host_is_refused() {
    for (host, certificate, why) in
        [("127.0.0.1", expired(), "Expired"), ("127.0.0.2", certificate(), "NotValidForName")]
    {
        let (address, served) = server_at(host, certificate.clone());
        let url = Url::parse(&format!("wss://{address}/publicV2")).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(certificate).unwrap();
        let vendron = Vendron::trusting(roots, url, TOKEN.into(), limits()).unwrap();
        let error = vendron.connect().await.unwrap_err();
        assert!(matches!(error, VendronError::Broken(_)) && format!("{error:?}").contains(why), "{error:?}");
        assert!(!served.await.unwrap(), "it was spoken to");
    }
}
