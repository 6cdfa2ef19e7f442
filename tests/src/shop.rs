//! Suppliers, the devices of their shops, and the gifts that they take.

use std::{fs, slice};

use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{Answer, TestApp, frontend::NAMESPACE, loan::tail};

const USE: &str = "POST /api/gifts/use";
const VOID: &str = "POST /api/gifts/{gift_id}/void";
const SUPPLIER_COLUMNS: &str = "supplier_code,supplier_invoice_no,name,supplier_account_invoice_no";
const GIFT_COLUMNS: &str = "gift_id,valid_from,valid_to,supplier_code";
/// Whatever day it is.
const ALWAYS: (&str, &str) = ("2020-01-01T00:00:00Z", "2100-01-01T00:00:00Z");
/// Numbers of suppliers below this are drawn; what follows tells a supplier's accounts apart.
const NUMBERS: u128 = 1_000_000_000_000;

/// A supplier that no other test knows.
#[derive(Clone)]
pub struct Supplier {
    app: TestApp,
    /// What gifts and devices name it by.
    pub code: String,
    /// Its own number, which stands for all of its accounts.
    pub number: String,
    accounts: Vec<Account>,
}

/// A number, and a PIN that comes with it.
#[derive(Debug, Clone)]
pub struct Account {
    /// Of an account, or a supplier's own.
    pub number: String,
    /// In clear, as a person types it.
    pub pin: String,
}

/// How much work it is to look at a PIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PinWork {
    /// As little as there can be: for tests that are not about it.
    Little,
    /// As much as in production.
    Usual,
    /// So much that something else can happen meanwhile.
    Much,
}

/// A device in a supplier's shop, and what it does over HTTP.
#[derive(Clone)]
pub struct Shop {
    app: TestApp,
    api_url: String,
    principal: String,
    key: String,
}

impl PinWork {
    const fn flags(self) -> &'static [&'static str] {
        match self {
            Self::Little => &["--pin-memory-kib", "8", "--pin-passes", "1"],
            Self::Usual => &[],
            Self::Much => &["--pin-memory-kib", "65536", "--pin-passes", "16"],
        }
    }
}

impl Account {
    /// The same number with another PIN.
    #[must_use]
    pub fn with_pin(&self, pin: &str) -> Self {
        Self { pin: pin.to_owned(), ..self.clone() }
    }
}

impl Supplier {
    /// One of its accounts.
    pub fn account(&self, index: usize) -> &Account {
        &self.accounts[index]
    }

    /// All of its accounts.
    pub fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    /// Its own number, with a PIN.
    pub fn own_number(&self, pin: &str) -> Account {
        Account { number: self.number.clone(), pin: pin.to_owned() }
    }

    /// A new device in one of its shops, with a key for everything that devices do.
    ///
    /// # Panics
    /// When no key can be made.
    pub fn device(&self) -> Shop {
        let principal = format!("shop:{}/{}", self.code, Uuid::now_v7());
        let key = self.app.stack().create_key(&principal, &["gifts:use"]).expect("a shop's key");
        Shop { app: self.app.clone(), api_url: self.app.api(""), principal, key }
    }
}

impl Shop {
    /// As its gifts and its guesses name it.
    pub fn principal(&self) -> &str {
        &self.principal
    }

    /// The same device, speaking to another API.
    #[must_use]
    pub fn at(&self, api_url: &str) -> Self {
        Self { api_url: api_url.to_owned(), ..self.clone() }
    }

    /// A request with the device's key.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.app.http().request(method, format!("{}{path}", self.api_url)).bearer_auth(&self.key)
    }

    /// The id of the use that is asked for under an idempotency key.
    pub fn redemption_id(&self, key: &str) -> Uuid {
        self.process_id(USE, key)
    }

    /// The id of the undoing that is asked for under an idempotency key.
    pub fn void_id(&self, key: &str) -> Uuid {
        self.process_id(VOID, key)
    }

    fn process_id(&self, route: &str, key: &str) -> Uuid {
        Uuid::new_v5(&NAMESPACE, json!([self.principal, route, key]).to_string().as_bytes())
    }

    /// A request to use a gift that says just this.
    pub fn saying(&self, key: &str, body: &Value) -> RequestBuilder {
        self.request(Method::POST, "/api/gifts/use").header("Idempotency-Key", key).json(body)
    }

    /// A request to use a gift.
    pub fn using(&self, key: &str, gift_id: &str, account: &Account) -> RequestBuilder {
        let Account { number, pin } = account;
        self.saying(key, &json!({ "gift_id": gift_id, "supplier_invoice_no": number, "pin": pin }))
    }

    /// Asks to use a gift until there is a final answer.
    pub async fn ask_to_use(&self, key: &str, gift_id: &str, account: &Account) -> Answer {
        Answer::patiently(|| self.using(key, gift_id, account)).await
    }

    /// The same under a new key.
    pub async fn try_to_use(&self, gift_id: &str, account: &Account) -> Answer {
        self.ask_to_use(&Uuid::new_v4().to_string(), gift_id, account).await
    }

    /// Uses a gift. The id of the use.
    ///
    /// # Panics
    /// When it is not used.
    pub async fn use_gift(&self, gift_id: &str, account: &Account) -> Uuid {
        let used = self.try_to_use(gift_id, account).await;
        assert_eq!(used.status, StatusCode::OK, "{used:#?}");
        used.text("redemption_id").parse().expect("an id")
    }

    /// A request to undo the use of a gift.
    pub fn voiding(&self, key: &str, gift_id: &str) -> RequestBuilder {
        let request = self.request(Method::POST, &format!("/api/gifts/{gift_id}/void"));
        request.header("Idempotency-Key", key).json(&json!({ "reason": "scanned by mistake" }))
    }

    /// Asks to undo the use of a gift until there is a final answer.
    pub async fn ask_to_void(&self, key: &str, gift_id: &str) -> Answer {
        Answer::patiently(|| self.voiding(key, gift_id)).await
    }

    /// The same under a new key.
    pub async fn try_to_void(&self, gift_id: &str) -> Answer {
        self.ask_to_void(&Uuid::new_v4().to_string(), gift_id).await
    }
}

impl TestApp {
    /// A new supplier with an account for each of these PINs; an empty one: an account that has none.
    pub fn supplier(&self, pins: &[&str]) -> Supplier {
        self.supplier_with(PinWork::Little, pins)
    }

    /// The same with PINs that are so much work to look at.
    ///
    /// # Panics
    /// When the commands refuse it.
    pub fn supplier_with(&self, work: PinWork, pins: &[&str]) -> Supplier {
        let base = format!("9{:012}", Uuid::new_v4().as_u128() % NUMBERS);
        let (code, number) = (format!("S-{}", tail()), format!("{base}00"));
        let account = |(pin, nth): (&&str, u32)| Account { number: format!("{base}{nth:02}"), pin: (*pin).to_owned() };
        let accounts: Vec<_> = pins.iter().zip(1..).map(account).collect();
        let lines = accounts.iter().map(|account| format!("{code},{number},A shop,{}", account.number));
        let lines: Vec<_> = [SUPPLIER_COLUMNS.to_owned()].into_iter().chain(lines).collect();
        self.import("suppliers", &lines.join("\n")).expect("a supplier");
        for account in accounts.iter().filter(|account| !account.pin.is_empty()) {
            self.set_pin(work, &account.number, &account.pin).expect("a PIN");
        }
        Supplier { app: self.clone(), code, number, accounts }
    }

    /// Gives an account its PIN with the command, which reads it from its standard input.
    pub fn set_pin(&self, work: PinWork, account: &str, pin: &str) -> anyhow::Result<String> {
        let arguments = [&["suppliers", "set-pin", "--account", account][..], work.flags()].concat();
        self.stack().command(&arguments, &format!("{pin}\n"))
    }

    /// Loads `gifts` or `suppliers` from a CSV file with the command.
    ///
    /// # Panics
    /// When the file cannot be written.
    pub fn import(&self, what: &str, csv: &str) -> anyhow::Result<String> {
        let file = self.stack().state_dir().join(format!("{what}-{}.csv", Uuid::now_v7()));
        fs::write(&file, csv).expect("a file in the state folder");
        self.stack().command(&[what, "import", &file.to_string_lossy()], "")
    }

    /// Loads gifts with these terms: from when, until when, and for which supplier (empty: any).
    ///
    /// # Panics
    /// When the command refuses them.
    pub fn add_gifts(&self, gift_ids: &[String], (from, to): (&str, &str), supplier_code: &str) {
        let lines = gift_ids.iter().map(|gift_id| format!("{gift_id},{from},{to},{supplier_code}"));
        let lines: Vec<_> = [GIFT_COLUMNS.to_owned()].into_iter().chain(lines).collect();
        self.import("gifts", &lines.join("\n")).expect("gifts");
    }

    /// New gifts that any supplier may take, whenever it likes.
    pub fn gifts(&self, count: usize) -> Vec<String> {
        self.gifts_of(count, "")
    }

    /// New gifts that this supplier alone may take.
    pub fn gifts_for(&self, supplier: &Supplier, count: usize) -> Vec<String> {
        self.gifts_of(count, &supplier.code)
    }

    fn gifts_of(&self, count: usize, supplier_code: &str) -> Vec<String> {
        let gift_ids: Vec<_> = (0..count).map(|_| new_gift_id()).collect();
        self.add_gifts(&gift_ids, ALWAYS, supplier_code);
        gift_ids
    }

    /// A new gift that any supplier may take, whenever it likes.
    pub fn gift(&self) -> String {
        self.gift_with(ALWAYS, "")
    }

    /// A new gift that this supplier alone may take.
    pub fn gift_for(&self, supplier: &Supplier) -> String {
        self.gift_with(ALWAYS, &supplier.code)
    }

    /// A new gift with these terms.
    pub fn gift_with(&self, valid: (&str, &str), supplier_code: &str) -> String {
        let gift_id = new_gift_id();
        self.add_gifts(slice::from_ref(&gift_id), valid, supplier_code);
        gift_id
    }
}

/// The id of a gift that is not there.
pub fn new_gift_id() -> String {
    format!("G-{}", tail())
}
