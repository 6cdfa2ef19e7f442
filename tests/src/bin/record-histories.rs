//! Records the histories that are missing in `tests/histories`.

use std::{
    error::Error,
    fs,
    io::{Write, stdout},
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use stack::{Part, Settings};
use system_tests::{Answer, History, Merchant, PROVIDER, Sale, TestApp, eventually, product};
use uuid::Uuid;
use workflows::{
    fridge_sales::{check_workflow_id, notification_id, notification_workflow_id},
    gifts::{redemption_workflow_id, void_workflow_id},
    purchase_codes,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("histories");
    let keys = folder.join("codec.keys");
    let keys = keys.to_str().ok_or("the checkout's path is no text")?;
    let settings = Settings::isolated()
        .env(Part::Api, "PERDURA_CODEC_KEYS_FILE", keys)
        .env(Part::Worker, "PERDURA_CODEC_KEYS_FILE", keys)
        .env(Part::Api, "PERDURA_INVOICE_MONITORING", "2s")
        .env(Part::Api, "PERDURA_INVOICE_PARTIAL_GRACE", "1s")
        .env(Part::Api, "PERDURA_PURCHASE_EXPIRES_IN", "3s")
        .env(Part::Api, "PERDURA_PURCHASE_BLOCKED_RETRY", "1s")
        .env(Part::Api, "PERDURA_PURCHASE_FIRST_UPDATE", "5s")
        .env(Part::Api, "PERDURA_PURCHASE_IMAGE_GRACE", "1s")
        .env(Part::Api, "PERDURA_SALE_DOOR_ALARM", "1s")
        .env(Part::Api, "PERDURA_SALE_DOOR_ESCALATION", "2s")
        .env(Part::Api, "PERDURA_SALE_CLOSED_TO_COMPLETED", "1s")
        .env(Part::Api, "PERDURA_SALE_POLL", "1s")
        .env(Part::Api, "PERDURA_SALE_SETTLE", "1s")
        .env(Part::Api, "PERDURA_SALE_LATE", "10s");
    let recorder = Recorder { app: TestApp::isolated(settings).await, folder };
    recorder.paid().await?;
    recorder.paid_by_two_deposits().await?;
    recorder.expired().await?;
    recorder.expired_with_too_little().await?;
    recorder.accepted_late().await?;
    recorder.cancelled().await?;
    recorder.waiting_on_a_new_address().await?;
    recorder.code_used().await?;
    recorder.code_expired().await?;
    recorder.code_expired_and_its_loan_repaid().await?;
    recorder.code_refused().await?;
    recorder.loan_disbursed_elsewhere().await?;
    recorder.lost_before_and_after_the_disbursement().await?;
    recorder.fridge_completed().await?;
    recorder.fridge_left_open().await?;
    recorder.fridge_empty().await?;
    recorder.fridge_refused().await?;
    recorder.fridge_taken().await?;
    recorder.fridge_unresolved().await?;
    recorder.fridge_unresolved_then_late().await?;
    recorder.fridge_notified().await?;
    recorder.machine_checked().await?;
    recorder.gifts().await?;
    Ok(())
}

struct Recorder {
    app: TestApp,
    folder: PathBuf,
}

impl Recorder {
    async fn paid(&self) -> Result<(), Box<dyn Error>> {
        let (merchant, created) = self.create(900).await;
        self.app.pay("tron", "usdt", created.text("deposit_address"), "12.5").await;
        merchant.until(created.invoice_id(), "payment_confirmation").await;
        self.app.mine("tron", 20).await;
        merchant.until(created.invoice_id(), "finished").await;
        self.record("invoice-paid", &self.closed(&created).await)
    }

    async fn paid_by_two_deposits(&self) -> Result<(), Box<dyn Error>> {
        let (merchant, created) = self.create(900).await;
        self.app.pay("tron", "usdt", created.text("deposit_address"), "5").await;
        merchant.until_exception(created.invoice_id(), "paid_partial").await;
        self.app.pay("tron", "usdt", created.text("deposit_address"), "7.5").await;
        merchant.until(created.invoice_id(), "payment_confirmation").await;
        self.app.mine("tron", 20).await;
        merchant.until(created.invoice_id(), "finished").await;
        self.record("invoice-paid-by-two-deposits", &self.closed(&created).await)
    }

    async fn expired(&self) -> Result<(), Box<dyn Error>> {
        let (_, created) = self.create(1).await;
        self.record("invoice-expired", &self.closed(&created).await)
    }

    async fn expired_with_too_little(&self) -> Result<(), Box<dyn Error>> {
        let (merchant, created) = self.create(2).await;
        self.app.pay("tron", "usdt", created.text("deposit_address"), "5").await;
        merchant.until_exception(created.invoice_id(), "paid_partial").await;
        self.app.mine("tron", 20).await;
        merchant.until(created.invoice_id(), "partially_paid").await;
        self.record("invoice-expired-partially-paid", &self.closed(&created).await)
    }

    /// Accepted while it is late, confirmed after that.
    async fn accepted_late(&self) -> Result<(), Box<dyn Error>> {
        let (merchant, created) = self.create(1).await;
        merchant.until(created.invoice_id(), "expired").await;
        self.app.pay("tron", "usdt", created.text("deposit_address"), "12.5").await;
        merchant.until_exception(created.invoice_id(), "paid_late").await;
        let path = format!("/invoices/{}/accept-late", created.invoice_id());
        merchant.post(&path, "accept", &json!({ "note": "the buyer called" })).await;
        merchant.until(created.invoice_id(), "payment_confirmation").await;
        self.app.mine("tron", 20).await;
        merchant.until(created.invoice_id(), "finished").await;
        self.record("invoice-accepted-late", &self.closed(&created).await)
    }

    async fn cancelled(&self) -> Result<(), Box<dyn Error>> {
        let (merchant, created) = self.create(900).await;
        let path = format!("/invoices/{}/cancel", created.invoice_id());
        merchant.post(&path, "cancel", &json!({ "reason": "requested_by_merchant" })).await;
        self.record("invoice-cancelled", &self.closed(&created).await)
    }

    async fn waiting_on_a_new_address(&self) -> Result<(), Box<dyn Error>> {
        let created = self.app.merchant().create(&Merchant::invoice()).await;
        self.record("invoice-waiting-on-a-new-address", &self.app.history(created.invoice_id()).await)
    }

    async fn create(&self, expires_in_seconds: u32) -> (Merchant, Answer) {
        let merchant = self.app.merchant();
        self.app.fill_pool(&merchant, 1).await;
        let mut body: Value = Merchant::invoice();
        body["expires_in_seconds"] = json!(expires_in_seconds);
        let created = merchant.create(&body).await;
        (merchant, created)
    }

    async fn closed(&self, created: &Answer) -> History {
        let history = || self.app.history(created.invoice_id());
        eventually("the run to close", history, History::is_closed).await
    }

    async fn code_used(&self) -> Result<(), Box<dyn Error>> {
        let purchase = self.app.frontend().issue(&self.app.open_loan().await).await;
        self.app.till(PROVIDER).try_to_use(&purchase).await;
        self.record("purchase-used", &self.purchase_closed(purchase.id).await)
    }

    async fn code_expired(&self) -> Result<(), Box<dyn Error>> {
        let purchase = self.app.frontend().issue(&self.app.open_loan().await).await;
        self.record("purchase-expired", &self.purchase_closed(purchase.id).await)
    }

    async fn code_expired_and_its_loan_repaid(&self) -> Result<(), Box<dyn Error>> {
        let purchase = self.app.frontend().issue(&self.app.open_loan().await).await;
        let loan = &purchase.loan.id;
        let repaid = self.app.control(&format!("/mambu/loans/{loan}/repay"), json!({})).await;
        self.app.until_runs(&format!("LoanAccountId = '{loan}' AND NeedsAttention = true"), 1).await;
        let repayment = repaid["transaction_id"].as_str().ok_or("no repayment")?;
        let path = format!("/loans/transactions/{repayment}:adjust");
        self.app.by_hand(&path, &json!({ "notes": "paid back" })).await;
        self.record("purchase-reversal-blocked", &self.purchase_closed(purchase.id).await)
    }

    async fn code_refused(&self) -> Result<(), Box<dyn Error>> {
        let (frontend, loan) = (self.app.frontend(), self.app.open_loan().await);
        let mut wrong = loan.request();
        wrong["otp"] = json!("000000");
        frontend.ask("wrong", &wrong).await;
        self.record("purchase-refused", &self.purchase_closed(frontend.purchase_id("wrong")).await)
    }

    async fn loan_disbursed_elsewhere(&self) -> Result<(), Box<dyn Error>> {
        let (frontend, loan) = (self.app.frontend(), self.app.open_loan().await);
        self.app.break_down(("ciam", "validate"), "error", &loan.client_id).await;
        frontend.asking("late", &loan.request()).send().await?;
        self.app.until_struck(&loan.client_id).await;
        self.app.control(&format!("/mambu/loans/{}/disburse", loan.id), json!({})).await;
        self.app.mend(&loan.client_id).await;
        self.record("purchase-disbursed-elsewhere", &self.purchase_closed(frontend.purchase_id("late")).await)
    }

    /// Each is held where its first task is over, and forgets that one.
    async fn lost_before_and_after_the_disbursement(&self) -> Result<(), Box<dyn Error>> {
        for (held_at, name) in [("read_loan", "purchase-lost-and-refused"), ("schedule", "purchase-lost-and-issued")] {
            let (frontend, loan) = (self.app.frontend(), self.app.open_loan().await);
            self.app.break_down(("mambu", held_at), "error", &loan.id).await;
            frontend.asking("lost", &loan.request()).send().await?;
            self.app.until_struck(&loan.id).await;
            let purchase_id = frontend.purchase_id("lost");
            self.app.lose_first_task(purchase_codes::workflow_id(purchase_id)).await;
            self.app.mend(&loan.id).await;
            self.record(name, &self.purchase_closed(purchase_id).await)?;
        }
        Ok(())
    }

    async fn purchase_closed(&self, purchase_id: Uuid) -> History {
        eventually("the run to close", || self.app.purchase_history(purchase_id), History::is_closed).await
    }

    async fn fridge_completed(&self) -> Result<(), Box<dyn Error>> {
        let fridge = self.app.fridge().await;
        let sale = fridge.open().await;
        fridge.take(&[soup(), soup()]).await;
        fridge.close().await;
        self.record("fridge-completed", &sale_closed(&sale).await)
    }

    /// Both alarms, and prices that do not add up.
    async fn fridge_left_open(&self) -> Result<(), Box<dyn Error>> {
        let fridge = self.app.fridge().await;
        let sale = fridge.open().await;
        fridge.take(&[soup()]).await;
        fridge.until_told("is still open").await;
        fridge.act("close", json!({ "total": "9.99" })).await;
        self.record("fridge-left-open", &sale_closed(&sale).await)
    }

    async fn fridge_empty(&self) -> Result<(), Box<dyn Error>> {
        let fridge = self.app.fridge().await;
        let sale = fridge.open().await;
        fridge.close().await;
        self.record("fridge-empty", &sale_closed(&sale).await)
    }

    async fn fridge_refused(&self) -> Result<(), Box<dyn Error>> {
        let fridge = self.app.fridge().await;
        fridge.set(json!({ "online": false })).await;
        let sale = fridge.try_to_open("refused").await;
        self.record("fridge-refused", &sale_closed(&sale).await)
    }

    async fn fridge_taken(&self) -> Result<(), Box<dyn Error>> {
        let fridge = self.app.fridge().await;
        fridge.open().await;
        let sale = fridge.try_to_open("while another has it").await;
        self.record("fridge-taken-by-another", &sale_closed(&sale).await)
    }

    async fn fridge_unresolved(&self) -> Result<(), Box<dyn Error>> {
        let fridge = self.app.fridge().await;
        let sale = fridge.open().await;
        fridge.lose_session().await;
        self.record("fridge-unresolved", &sale_closed(&sale).await)
    }

    async fn fridge_unresolved_then_late(&self) -> Result<(), Box<dyn Error>> {
        let fridge = self.app.fridge().await;
        let sale = fridge.open().await;
        fridge.take(&[soup()]).await;
        let before = fridge.view().await["listener"].take();
        fridge.lose_session().await;
        sale.until("unresolved").await;
        fridge.until_another_listens(&before).await;
        fridge.act("complete", json!({})).await;
        self.record("fridge-unresolved-then-late", &sale_closed(&sale).await)
    }

    /// Something that nobody understands while the sale runs, and a list that does not add up when its run is over.
    async fn fridge_notified(&self) -> Result<(), Box<dyn Error>> {
        let fridge = self.app.fridge().await;
        let sale = fridge.open().await;
        let product = json!({ "vpn": "1", "name": "Soupe", "unit_price": "4.50" });
        let data = json!({ "transaction_total": "9.99", "transaction_product": [product] });
        let list = json!({ "status": 1, "json_data": { "code": 1, "data": data } });
        let list = json!({ "command": "smart_fridge_request_completed", "command_data": list }).to_string();
        let unheard = "this is no frame";
        fridge.notify(&[unheard]).await;
        fridge.lose_session().await;
        sale_closed(&sale).await;
        fridge.notify(&[&list]).await;
        for (name, body) in [("notification-kept", unheard), ("notification-of-a-late-end", &list)] {
            let workflow_id = notification_workflow_id(notification_id(sale.sale_ref, body));
            self.record(name, &self.run_closed(&workflow_id).await)?;
        }
        Ok(())
    }

    async fn machine_checked(&self) -> Result<(), Box<dyn Error>> {
        let fridge = self.app.fridge().await;
        fridge.status().await;
        let temporal = self.app.temporal().await;
        let workflow_id = check_workflow_id(fridge.id());
        let history = || History::fetch(&temporal, &workflow_id);
        self.record("machine-check", &eventually("the run to close", history, History::is_closed).await)
    }

    /// A gift is used, cannot be used again, and is freed.
    async fn gifts(&self) -> Result<(), Box<dyn Error>> {
        let (supplier, gift_id) = (self.app.supplier(&["1111"]), self.app.gift());
        let shop = supplier.device();
        shop.ask_to_use("used", &gift_id, supplier.account(0)).await;
        shop.ask_to_use("refused", &gift_id, supplier.account(0)).await;
        shop.ask_to_void("voided", &gift_id).await;
        for (name, workflow_id) in [
            ("gift-used", redemption_workflow_id(shop.redemption_id("used"))),
            ("gift-refused", redemption_workflow_id(shop.redemption_id("refused"))),
            ("gift-voided", void_workflow_id(shop.void_id("voided"))),
        ] {
            self.record(name, &self.run_closed(&workflow_id).await)?;
        }
        Ok(())
    }

    async fn run_closed(&self, workflow_id: &str) -> History {
        let temporal = self.app.temporal().await;
        eventually("the run to close", || History::fetch(&temporal, workflow_id), History::is_closed).await
    }

    fn record(&self, name: &str, history: &History) -> Result<(), Box<dyn Error>> {
        let file = self.folder.join(format!("{name}.pb"));
        if file.exists() {
            return Ok(());
        }
        fs::write(&file, history.to_bytes())?;
        writeln!(stdout(), "{name}: {} events", history.len())?;
        Ok(())
    }
}

fn soup() -> Value {
    product("1", "Soupe", "4.50")
}

async fn sale_closed(sale: &Sale) -> History {
    eventually("the run to close", || sale.history(), History::is_closed).await
}
