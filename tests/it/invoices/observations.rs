//! Reports of deposits as watchers send them: often, late, out of order, of several outputs, and of the wrong thing.

use futures::{
    StreamExt,
    future::join_all,
    stream::{FuturesUnordered, iter},
};
use reqwest::StatusCode;
use serde_json::{Value, json};
use stack::{Part, Settings};
use system_tests::{Answer, Merchant, Output, TestApp, Watcher, eventually};

use super::rows;

const NOTIFICATIONS: usize = 100;
/// Outputs on their way when the API dies.
const FLYING: usize = 40;
/// As many nines as an amount can have.
const LARGEST: usize = 78;

fn invoice(coin_id: &str, network_id: &str, amount: &str) -> Value {
    json!({ "coin_id": coin_id, "network_id": network_id, "amount": amount })
}

#[tokio::test]
async fn case_15_one_notification_a_hundred_times_at_once_is_one_row_one_transition_and_one_event() {
    let app = TestApp::shared();
    let (merchant, watcher, database) = (app.merchant(), app.watcher(), app.database().await);
    let created = merchant.create(&Merchant::invoice()).await;
    let output = Output::paying(&created, "12.5");
    for (notification, status) in [(output.seen(1), "payment_confirmation"), (output.settled(2), "finished")] {
        let told = join_all((0..NOTIFICATIONS).map(|_| watcher.tell(&notification))).await;
        let (news, repeats): (Vec<_>, Vec<_>) = told.iter().partition(|word| *word == "accepted");
        assert_eq!(news.len(), 1, "{told:?}");
        assert!(repeats.iter().all(|word| *word == "duplicate"), "{told:?}");
        merchant.until(created.invoice_id(), status).await;
    }
    rows::output(&database, created.invoice_id()).await;
    let statuses = rows::statuses(&database, created.invoice_id()).await;
    assert_eq!(statuses, ["waiting_for_deposit", "payment_confirmation", "payment_accepted", "finished"]);
    assert_eq!(rows::credits(&database, created.invoice_id()).await, ["12500000"]);
    assert_eq!(rows::revision(&database, created.invoice_id()).await, 2, "each was news once");
}

#[tokio::test]
async fn case_16_what_is_confirmed_before_it_is_seen_stays_confirmed() {
    let app = TestApp::shared();
    let (merchant, watcher, database) = (app.merchant(), app.watcher(), app.database().await);
    let created = merchant.create(&Merchant::invoice()).await;
    let output = Output::paying(&created, "12.5");
    assert_eq!(watcher.tell(&output.settled(2)).await, "accepted");
    let finished = merchant.until(created.invoice_id(), "finished").await;
    let kept = rows::output(&database, created.invoice_id()).await;
    assert_eq!((kept.state.as_str(), kept.observed_version), ("final", 2));

    assert_eq!(watcher.tell(&output.seen(1)).await, "stale");
    assert_eq!(rows::output(&database, created.invoice_id()).await, kept);
    assert_eq!(rows::revision(&database, created.invoice_id()).await, 1);
    assert_eq!(merchant.read(created.invoice_id()).await.body, finished.body);
}

/// Three confirmations are enough on bitcoin. The reports are of one watcher whose nodes know different numbers of
/// blocks, and then of one whose first reports come last.
#[tokio::test]
async fn case_16_counts_of_three_one_and_two_are_three() {
    let app = TestApp::shared();
    let (merchant, watcher, database) = (app.merchant(), app.watcher(), app.database().await);
    for (versions, result) in [([1, 2, 3], "accepted"), ([3, 1, 2], "stale")] {
        let created = merchant.create(&invoice("btc", "bitcoin", "0.001")).await;
        let output = Output::paying(&created, "0.0004");
        assert_eq!(watcher.tell(&output.included(versions[0], 3)).await, "accepted");
        let partial = merchant.until(created.invoice_id(), "partially_paid").await;
        assert_eq!(partial.body["amounts"]["confirmed"], "0.0004");

        assert_eq!(watcher.tell(&output.included(versions[1], 1)).await, result);
        assert_eq!(watcher.tell(&output.included(versions[2], 2)).await, result);
        let kept = rows::output(&database, created.invoice_id()).await;
        assert_eq!((kept.tip_height - kept.block_height.unwrap() + 1, kept.observed_version), (3, 3));
        assert_eq!(rows::revision(&database, created.invoice_id()).await, 1);
        assert_eq!(merchant.read(created.invoice_id()).await.body, partial.body);
    }
}

#[tokio::test]
async fn case_16_what_was_final_is_final_until_its_block_is_gone() {
    let app = TestApp::shared();
    let (merchant, watcher, database) = (app.merchant(), app.watcher(), app.database().await);
    let created = merchant.create(&Merchant::invoice()).await;
    let output = Output::paying(&created, "5");
    assert_eq!(watcher.tell(&output.settled(1)).await, "accepted");
    merchant.until(created.invoice_id(), "partially_paid").await;

    assert_eq!(watcher.tell(&output.included(2, 1)).await, "accepted");
    let kept = rows::output(&database, created.invoice_id()).await;
    assert_eq!((kept.state.as_str(), kept.reported.as_str()), ("final", "included"));
    assert_eq!(rows::revision(&database, created.invoice_id()).await, 1);

    assert_eq!(watcher.tell(&output.orphaned(3)).await, "accepted");
    let gone = merchant.until(created.invoice_id(), "waiting_for_deposit").await;
    assert_eq!((gone.text("exception"), &gone.body["amounts"]["seen"]), ("none", &json!("0")));
    // Now it is in another block, and that one is young.
    assert_eq!(watcher.tell(&output.observed("included", 4, Some(1101), 1101)).await, "accepted");
    let back = merchant.until_exception(created.invoice_id(), "paid_partial").await;
    assert_eq!((back.text("status"), &back.body["amounts"]["confirmed"]), ("waiting_for_deposit", &json!("0")));
    assert_eq!(rows::output(&database, created.invoice_id()).await.state, "included");
}

/// One transaction with these outputs, and so many blocks that it is final.
async fn pay_together(app: &TestApp, network: &str, coin_id: &str, outputs: &[(&str, &str)]) -> Value {
    let outputs: Vec<_> =
        outputs.iter().map(|(address, amount)| json!({ "address": address, "amount": amount })).collect();
    let body = json!({ "coin_id": coin_id, "outputs": outputs });
    let paid = app.control(&format!("/chains/{network}/deposits"), body).await;
    app.mine(network, 20).await;
    paid
}

#[tokio::test]
async fn case_18_outputs_of_one_transaction_pay_the_invoices_that_they_are_for() {
    let app = TestApp::shared();
    let (merchant, database) = (app.merchant(), app.database().await);
    // Outputs of bitcoin, logs of two tokens, and transfers inside a call.
    for (network, coin_id, amount) in
        [("bitcoin", "btc", "0.001"), ("tron", "usdt", "12.5"), ("ethereum", "usdc", "7"), ("ethereum", "eth", "0.5")]
    {
        let body = invoice(coin_id, network, amount);
        let invoices = [merchant.create(&body).await, merchant.create(&body).await];
        let outputs = invoices.each_ref().map(|created| (created.text("deposit_address"), amount));
        let paid = pay_together(&app, network, coin_id, &outputs).await;
        for (created, output_ref) in invoices.iter().zip(paid["output_refs"].as_array().unwrap()) {
            let finished = merchant.until(created.invoice_id(), "finished").await;
            assert_eq!((finished.text("exception"), &finished.body["amounts"]["confirmed"]), ("none", &json!(amount)));
            let kept = rows::output(&database, created.invoice_id()).await;
            assert_eq!((json!(kept.tx_id), &json!(kept.output_ref)), (paid["tx_id"].clone(), output_ref), "{coin_id}");
            assert_eq!(rows::credits(&database, created.invoice_id()).await, [kept.amount], "{coin_id}");
        }
    }
}

#[tokio::test]
async fn case_18_two_outputs_of_one_transaction_to_one_invoice_both_count() {
    let app = TestApp::shared();
    let (merchant, database) = (app.merchant(), app.database().await);
    for (network, coin_id, [due, part, rest], units) in [
        ("bitcoin", "btc", ["0.001", "0.0004", "0.0006"], ["40000", "60000"]),
        ("tron", "usdt", ["12.5", "5", "7.5"], ["5000000", "7500000"]),
        ("ethereum", "usdt", ["12.5", "5", "7.5"], ["5000000", "7500000"]),
    ] {
        let created = merchant.create(&invoice(coin_id, network, due)).await;
        let address = created.text("deposit_address");
        let paid = pay_together(&app, network, coin_id, &[(address, part), (address, rest)]).await;
        let finished = merchant.until(created.invoice_id(), "finished").await;
        assert_eq!((finished.text("exception"), &finished.body["amounts"]["confirmed"]), ("none", &json!(due)));
        let kept = rows::outputs(&database, created.invoice_id()).await;
        assert_eq!(kept.len(), 2, "{coin_id} on {network}: {kept:#?}");
        assert!(kept.iter().all(|kept| paid["tx_id"] == kept.tx_id.as_str()), "{kept:#?}");
        assert_eq!(rows::credits(&database, created.invoice_id()).await, units, "{coin_id} on {network}");
    }
}

/// Whatever was sent to the invoice is told, kept and worth nothing; what is asked for pays it, and alone is credited.
async fn assert_worthless(app: &TestApp, merchant: &Merchant, created: &Answer, wrong: &Output, what: &str) {
    let (watcher, database) = (app.watcher(), app.database().await);
    assert_eq!(watcher.tell(&wrong.settled(1)).await, "accepted", "{what}");
    let told = merchant.until_exception(created.invoice_id(), "wrong_asset").await;
    assert_eq!((told.text("status"), &told.body["amounts"]["seen"]), ("waiting_for_deposit", &json!("0")), "{what}");
    assert!(!rows::output(&database, created.invoice_id()).await.right_asset, "{what}");

    assert_eq!(watcher.tell(&Output::paying(created, "12.5").settled(1)).await, "accepted", "{what}");
    merchant.until(created.invoice_id(), "finished").await;
    assert_eq!(rows::credits(&database, created.invoice_id()).await, ["12500000"], "{what}");
}

#[tokio::test]
async fn case_25_whatever_is_not_the_asset_that_was_asked_for_is_never_credited() {
    let app = TestApp::shared();
    let merchant = app.merchant();
    for network in ["tron", "ethereum"] {
        let usdt = invoice("usdt", network, "12.5");
        let native = if network == "tron" { "trx" } else { "eth" };
        for (what, changes) in [
            ("a fake with the right name", json!({ "contract": "0xFa4eFa4eFa4eFa4eFa4eFa4eFa4eFa4eFa4eFa4e" })),
            ("the name without a contract", json!({ "contract": null })),
            ("another token", json!({ "coin_id": "usdc", "contract": "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48" })),
            ("the network's own coin", json!({ "coin_id": native, "contract": null })),
            ("a coin that nobody knows", json!({ "coin_id": "doge", "contract": null, "amount": "12.123456789" })),
        ] {
            let created = merchant.create(&usdt).await;
            let fields = changes.as_object().unwrap();
            let right = Output::paying(&created, "12.5");
            let wrong = fields.iter().fold(right, |output, (field, value)| output.with(field, value.clone()));
            assert_worthless(&app, &merchant, &created, &wrong, &format!("{what}, on {network}")).await;
        }
    }
}

#[tokio::test]
async fn case_25_the_right_token_on_another_network_and_a_transfer_of_nothing_leave_an_invoice_alone() {
    let app = TestApp::shared();
    let (merchant, watcher, database) = (app.merchant(), app.watcher(), app.database().await);
    let created = merchant.create(&invoice("usdt", "ethereum", "12.5")).await;
    let elsewhere = Output::to("tron", "usdt", created.text("deposit_address"), "12.5");
    let nothing = Output::paying(&created, "0");
    let no_network = Output::paying(&created, "12.5").with("network_id", "solana");
    let reports = [elsewhere.settled(1), nothing.settled(1), no_network.settled(1)];
    assert_eq!(watcher.report(&reports).await, ["unmatched", "rejected", "rejected"]);
    for (output, rows) in [(&elsewhere, 1), (&nothing, 0), (&no_network, 0)] {
        assert_eq!(rows::count(&database, output.tx_id()).await, rows);
    }
    assert!(rows::outputs(&database, created.invoice_id()).await.is_empty());
    assert_eq!(rows::revision(&database, created.invoice_id()).await, 0);
    assert_eq!(merchant.read(created.invoice_id()).await.body, created.body);
}

#[tokio::test]
async fn what_is_known_of_an_output_cannot_change() {
    let app = TestApp::shared();
    let (merchant, watcher, database) = (app.merchant(), app.watcher(), app.database().await);
    let created = merchant.create(&Merchant::invoice()).await;
    let output = Output::paying(&created, "12.5");
    assert_eq!(watcher.tell(&output.seen(1)).await, "accepted");
    let kept = rows::output(&database, created.invoice_id()).await;
    let contract = "TFakeFakeFakeFakeFakeFakeFakeFakeF";
    for (field, value) in [("amount", "13"), ("amount", "1.25"), ("address", "TAnother"), ("contract", contract)] {
        // Newer, of the same version, and older: none of them is of this output.
        for version in 0..=2 {
            let changed = output.clone().with(field, value).settled(version);
            let results = watcher.results(&[changed]).await;
            assert_eq!(results[0]["result"], "rejected", "{field} {version}: {results:?}");
            assert!(results[0]["reason"].is_string(), "{results:?}");
        }
    }
    assert_eq!(rows::output(&database, created.invoice_id()).await, kept);
    assert_eq!(watcher.tell(&output.with("amount", "12.500000").settled(2)).await, "accepted", "the same amount");
    merchant.until(created.invoice_id(), "finished").await;
    assert_eq!(rows::credits(&database, created.invoice_id()).await, ["12500000"]);
}

/// A token is what its contract says. Names with other numbers of decimals must not change what it is worth.
#[tokio::test]
async fn the_right_contract_counts_in_full_whatever_the_watcher_calls_the_coin() {
    let app = TestApp::shared();
    let (merchant, watcher, database) = (app.merchant(), app.watcher(), app.database().await);
    for network in ["ethereum", "tron"] {
        for name in ["eth", "usdc", "USDT", "tether", "an unknown name"] {
            let created = merchant.create(&invoice("usdt", network, "12.5")).await;
            let output = Output::paying(&created, "12.5").with("coin_id", name);
            assert_eq!(watcher.tell(&output.settled(1)).await, "accepted", "{name}");
            let finished = merchant.until(created.invoice_id(), "finished").await;
            assert_eq!(finished.text("exception"), "none", "{name}");
            assert_eq!(rows::credits(&database, created.invoice_id()).await, ["12500000"], "{name} on {network}");
        }
    }
}

#[tokio::test]
async fn amounts_of_78_digits_are_counted_to_the_last_one() {
    let app = TestApp::shared();
    let (merchant, watcher, database) = (app.merchant(), app.watcher(), app.database().await);
    let (whole, fraction) = ("9".repeat(LARGEST - 18), "9".repeat(18));
    let due = format!("{whole}.{fraction}");
    let created = merchant.create(&invoice("eth", "ethereum", &due)).await;
    assert_eq!((created.text("amount"), &created.body["amounts"]["remaining"]), (due.as_str(), &json!(due)));

    let almost = Output::paying(&created, &format!("{whole}.{}8", "9".repeat(17)));
    assert_eq!(watcher.tell(&almost.settled(1)).await, "accepted");
    let partial = merchant.until(created.invoice_id(), "partially_paid").await;
    assert_eq!(partial.body["amounts"]["remaining"], "0.000000000000000001");
    assert_eq!(watcher.tell(&Output::paying(&created, "0.000000000000000001").settled(1)).await, "accepted");
    let finished = merchant.until(created.invoice_id(), "finished").await;
    assert_eq!((finished.text("exception"), &finished.body["amounts"]["confirmed"]), ("none", &json!(due)));
    let units = ["1".to_owned(), format!("{}8", "9".repeat(LARGEST - 1))];
    assert_eq!(rows::credits(&database, created.invoice_id()).await, units);

    let too_much = format!("1{}", "0".repeat(LARGEST - 18));
    assert_eq!(watcher.tell(&Output::paying(&created, &too_much).seen(1)).await, "rejected", "79 digits");
    let refused = merchant.post("/invoices", "79 digits", &invoice("eth", "ethereum", &too_much)).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{refused:#?}");
}

/// The output, if the API said that it has it.
async fn acknowledged<'a>(watcher: &Watcher, output: &'a Output) -> Option<&'a Output> {
    let answer = Answer::attempt(watcher.reporting(&[output.settled(1)])).await.ok()?;
    (answer.status == StatusCode::OK).then_some(output)
}

#[tokio::test]
async fn what_was_acknowledged_is_kept_by_an_api_that_is_killed_at_once() {
    let app = TestApp::isolated(Settings::isolated()).await;
    let (merchant, watcher, database) = (app.merchant(), &app.watcher(), app.database().await);
    for round in 0..4 {
        let created = merchant.insist(&format!("round {round}")).await;
        let outputs: Vec<_> = (0..FLYING).map(|_| Output::paying(&created, "0.25")).collect();
        let mut flying: FuturesUnordered<_> = outputs.iter().map(|output| acknowledged(watcher, output)).collect();
        // It dies after one answer, or after some.
        let mut told: Vec<_> = flying.by_ref().take(1 + 5 * round).collect().await;
        app.stack().kill(Part::Api).unwrap();
        told.extend(flying.collect::<Vec<_>>().await);
        for output in told.into_iter().flatten() {
            assert_eq!(rows::count(&database, output.tx_id()).await, 1, "acknowledged and lost: {output:?}");
        }
        app.stack().launch(Part::Api).await.unwrap();
        // As every watcher does with what it has no answer for.
        let again = iter(&outputs).map(|output| async move { watcher.tell(&output.settled(1)).await });
        let again: Vec<_> = again.buffer_unordered(8).collect().await;
        assert!(again.iter().all(|word| word == "accepted" || word == "duplicate"), "{again:?}");
        let read = || merchant.read(created.invoice_id());
        let counted = eventually("all of it", read, |answer| answer.body["amounts"]["confirmed"] == "10").await;
        assert_eq!((counted.text("status"), counted.text("exception")), ("partially_paid", "paid_partial"));
    }
}
