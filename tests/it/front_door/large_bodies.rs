//! Bodies that are larger than the limit cost the API no memory, however many come at once.

use std::fs;

use futures::future::join_all;
use stack::{Part, Settings};
use system_tests::{Merchant, TestApp};

use super::wire::Wire;

const AT_ONCE: usize = 20;
const MIB: usize = 1024 * 1024;
/// What all that is sent may cost the API, in KiB.
const GROWTH: u64 = 50 * 1024;

/// The most memory that the API ever had, in KiB.
fn peak(app: &TestApp) -> u64 {
    let pid = app.stack().pid(Part::Api).unwrap();
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let value = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().trim_end_matches(" kB").parse().ok()
    };
    value("VmHWM:").or_else(|| value("VmRSS:")).unwrap_or_else(|| panic!("no figure of memory in {status}"))
}

fn head(merchant: &Merchant, length: &str) -> String {
    format!(
        "POST /invoices HTTP/1.1\r\nHost: api\r\nAuthorization: Bearer {}\r\nIdempotency-Key: key\r\n\
         Content-Type: application/json\r\n{length}\r\n\r\n",
        merchant.key()
    )
}

async fn with_length(app: &TestApp, merchant: &Merchant, size: usize) -> String {
    let mut wire = Wire::open(app).await;
    wire.send(head(merchant, &format!("Content-Length: {size}")).as_bytes()).await.unwrap();
    let chunk = vec![b' '; size.min(MIB)];
    wire.pouring(&chunk, size.div_ceil(MIB)).await
}

async fn without_length(app: &TestApp, merchant: &Merchant, size: usize) -> String {
    let mut wire = Wire::open(app).await;
    wire.send(head(merchant, "Transfer-Encoding: chunked").as_bytes()).await.unwrap();
    let piece = 16 * 1024;
    let chunk = [format!("{piece:x}\r\n").as_bytes(), &vec![b' '; piece], b"\r\n"].concat();
    wire.pouring(&chunk, size.div_ceil(piece)).await
}

fn assert_too_large(said: &str, what: &str) {
    assert!(said.starts_with("HTTP/1.1 413 "), "{what}: {said:?}");
    assert!(said.contains("application/problem+json") && said.contains("body_too_large"), "{what}: {said:?}");
}

#[tokio::test]
async fn twenty_large_bodies_at_once_cost_no_memory() {
    let app = TestApp::isolated(Settings::isolated()).await;
    let merchant = app.merchant();
    merchant.create(&Merchant::invoice()).await;
    let before = peak(&app);
    for size in [64 * 1024 + 1, 10 * MIB, 100 * MIB] {
        let said = join_all((0..AT_ONCE).map(|_| with_length(&app, &merchant, size))).await;
        for said in &said {
            assert_too_large(said, &format!("{size} bytes"));
        }
        let said = join_all((0..AT_ONCE).map(|_| without_length(&app, &merchant, size))).await;
        for said in &said {
            assert_too_large(said, &format!("{size} bytes in chunks"));
        }
    }
    let growth = peak(&app).saturating_sub(before);
    assert!(growth < GROWTH, "the API grew by {growth} KiB");
    let created = merchant.insist("key").await;
    assert_eq!(created.status, 201, "the key is free: {created:#?}");
}
