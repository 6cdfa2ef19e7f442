//! Smart fridges at Vendron, as the sandbox plays them, and the sales out of them.

use reqwest::{Method, RequestBuilder, StatusCode};
use secrecy::SecretString;
use serde_json::{Value, json};
use store::postgres::{Database, fridges::NewMachine};
use uuid::Uuid;
use workflows::fridge_sales::{transaction_id, workflow_id};

use crate::{Answer, Frontend, History, TestApp, eventually, loan::tail};

/// The status of whoever cannot take what is posted, and wants it again.
const AWAY: u64 = 503;

/// A fridge that no other test knows, with the frontend that it belongs to.
#[derive(Clone)]
pub struct Fridge {
    app: TestApp,
    frontend: Frontend,
    id: String,
    uid: String,
}

/// A sale, or an attempt at one.
#[derive(Clone)]
pub struct Sale {
    app: TestApp,
    frontend: Frontend,
    /// The idempotency key that it was asked for under.
    pub key: String,
    /// Its `ref`.
    pub sale_ref: Uuid,
    /// How it was answered.
    pub answer: Answer,
}

/// One piece, as Vendron lists it.
pub fn product(vpn: &str, name: &str, unit_price: &str) -> Value {
    json!({ "vpn": vpn, "name": name, "unit_price": unit_price })
}

impl TestApp {
    /// A fridge of a frontend of its own, online and free.
    pub async fn fridge(&self) -> Fridge {
        self.fridge_of(&self.frontend()).await
    }

    /// Another fridge of a frontend that there is.
    ///
    /// # Panics
    /// When it cannot be added.
    pub async fn fridge_of(&self, frontend: &Frontend) -> Fridge {
        let fridge = self.fridge_unknown_to_vendron(frontend);
        fridge.set(json!({})).await;
        fridge
    }

    /// A fridge that Vendron has never heard of.
    ///
    /// # Panics
    /// When it cannot be added.
    pub fn fridge_unknown_to_vendron(&self, frontend: &Frontend) -> Fridge {
        let fridge = Fridge::new(self, frontend);
        let command = ["machines", "add", "--id", &fridge.id, "--uid", &fridge.uid, "--owner", frontend.principal()];
        self.stack().command(&command, "").expect("a machine");
        fridge
    }

    /// Many fridges of a frontend. They are written straight into the database: a command is a process of its own.
    ///
    /// # Panics
    /// When the database does not take them.
    pub async fn fridges_of(&self, frontend: &Frontend, count: usize) -> Vec<Fridge> {
        let url = SecretString::from(self.stack().database_url().to_owned());
        let database = Database::new(&url, 1, "perdura-tests").expect("a database");
        let mut fridges = Vec::with_capacity(count);
        for _ in 0..count {
            let fridge = Fridge::new(self, frontend);
            assert!(database.add_machine(&fridge.new_machine()).await.expect("a machine"), "{} is taken", fridge.id);
            fridge.set(json!({})).await;
            fridges.push(fridge);
        }
        fridges
    }

    /// The history of a sale's workflow.
    pub async fn sale_history(&self, sale_ref: Uuid) -> History {
        History::fetch(&self.temporal().await, &workflow_id(sale_ref)).await
    }
}

impl Fridge {
    fn new(app: &TestApp, frontend: &Frontend) -> Self {
        let tail = tail();
        let (id, uid) = (format!("FRIDGE-{tail}"), format!("VM-{tail}"));
        Self { app: app.clone(), frontend: frontend.clone(), id, uid }
    }

    fn new_machine(&self) -> NewMachine {
        NewMachine {
            machine_id: self.id.clone(),
            machine_uid: self.uid.clone(),
            name: String::new(),
            owner: self.frontend.principal().to_owned(),
        }
    }

    /// What its frontend calls it.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What Vendron calls it.
    pub fn uid(&self) -> &str {
        &self.uid
    }

    /// Whose it is.
    pub const fn frontend(&self) -> &Frontend {
        &self.frontend
    }

    /// A buyer of its own, for whom Stripe has authorised 20.00 EUR.
    pub fn order(&self) -> Value {
        self.order_of("buyer")
    }

    /// The same for another buyer.
    pub fn order_of(&self, buyer: &str) -> Value {
        let id = &self.id;
        json!({
            "user": { "id": format!("{buyer}-{id}"), "email": format!("{buyer}-{id}@example.com") },
            "stripe": { "payment_intent_id": format!("pi_{id}"), "amount": "20.00", "currency": "EUR" },
        })
    }

    /// A request to open it.
    pub fn opening(&self, key: &str, body: &Value) -> RequestBuilder {
        let request = self.frontend.request(Method::POST, &format!("/machines/{}/open", self.id));
        request.header("Idempotency-Key", key).json(body)
    }

    /// Asks for it to be opened for its buyer, until there is a final answer.
    pub async fn try_to_open(&self, key: &str) -> Sale {
        self.try_to_open_for(key, &self.order()).await
    }

    /// The same with another body.
    pub async fn try_to_open_for(&self, key: &str, body: &Value) -> Sale {
        self.sale(key).answered(Answer::patiently(|| self.opening(key, body)).await)
    }

    /// Has it opened for its buyer under a new key.
    ///
    /// # Panics
    /// When it is not opened.
    pub async fn open(&self) -> Sale {
        let sale = self.try_to_open(&Uuid::new_v4().to_string()).await;
        let answer = &sale.answer;
        assert_eq!((answer.status, &answer.body["status"]), (StatusCode::CREATED, &json!("open")), "{answer:#?}");
        sale
    }

    /// The sale that is asked for under a key, before there is an answer.
    pub fn sale(&self, key: &str) -> Sale {
        let (app, frontend, sale_ref) = (self.app.clone(), self.frontend.clone(), self.frontend.sale_ref(key));
        Sale { app, frontend, key: key.to_owned(), sale_ref, answer: Answer::pending() }
    }

    /// How it is, as the API says. Each question is recorded, also one that has no answer in time.
    pub async fn status(&self) -> Answer {
        self.frontend.get(&format!("/machines/{}/status", self.id)).await
    }

    /// Asks how it is, with a query or an empty one, as often as it takes to have an answer in time.
    pub async fn status_in_time(&self, query: &str) -> Answer {
        let path = format!("/machines/{}/status{query}", self.id);
        eventually(&format!("an answer to {path}"), || self.frontend.get(&path), is_in_time).await
    }

    /// Changes what it is like at Vendron.
    pub async fn set(&self, change: Value) -> Value {
        self.app.control(&format!("/vendron/machines/{}", self.uid), change).await
    }

    /// How it is at Vendron, and who is connected.
    pub async fn view(&self) -> Value {
        self.app.look(&format!("/vendron/machines/{}", self.uid)).await
    }

    /// Waits until it is at Vendron as wanted.
    pub async fn until(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        eventually(&format!("{what} at {}", self.uid), || self.view(), wanted).await
    }

    /// Waits until its door is unlocked, whether or not anybody heard of that.
    pub async fn until_unlocked(&self) {
        self.until("an unlocked door", |machine| machine["door"] == "unlocked").await;
    }

    /// Waits until what happens at it is told to another connection than this one.
    pub async fn until_another_listens(&self, than: &Value) {
        let is_another = |machine: &Value| machine["listener"].is_u64() && machine["listener"] != *than;
        self.until("another listener", is_another).await;
    }

    /// Waits until nobody is connected who named it.
    pub async fn until_deserted(&self) {
        self.until("nobody", |machine| machine["sockets"] == 0).await;
    }

    /// Lets something happen at it; `how` says more.
    pub async fn act(&self, what: &str, how: Value) -> Value {
        self.app.control(&format!("/vendron/machines/{}/{what}", self.uid), how).await
    }

    /// Pieces are taken out.
    pub async fn take(&self, products: &[Value]) -> Value {
        self.act("take", json!({ "products": products })).await
    }

    /// One piece is put back for each of these numbers.
    pub async fn put_back(&self, vpns: &[&str]) -> Value {
        self.act("put-back", json!({ "vpn": vpns })).await
    }

    /// The door is closed, and the sale ends by that.
    pub async fn close(&self) -> Value {
        self.act("close", json!({})).await
    }

    /// Vendron cancels the sale.
    pub async fn give_up(&self) -> Value {
        self.act("give-up", json!({})).await
    }

    /// Cuts everybody off who named it. Who listened until then.
    pub async fn drop_connections(&self) -> Value {
        let before = self.view().await["listener"].take();
        self.act("drop", json!({ "connections": true })).await;
        before
    }

    /// The sale is over, and nobody is told.
    pub async fn lose_session(&self) -> Value {
        self.act("drop", json!({ "session": true })).await
    }

    /// Frames without any reason, to whoever listens.
    pub async fn emit(&self, frames: &[String]) -> Value {
        self.act("emit", json!({ "frames": frames })).await
    }

    /// Posts bodies, one after the other, to where the end of the sale that runs, or else of the last one, would be
    /// posted. How each of them was answered.
    ///
    /// # Panics
    /// When there is nowhere to post them to.
    pub async fn notify(&self, bodies: &[&str]) -> Vec<u16> {
        let mut statuses = Vec::with_capacity(bodies.len());
        for body in bodies {
            statuses.push(self.notify_of(body).await);
        }
        statuses
    }

    /// Posts one again, as Vendron would, while nobody can take it: the same body is the same notification.
    async fn notify_of(&self, body: &str) -> u16 {
        let post = || async { self.act("notify", json!({ "bodies": [body] })).await["statuses"][0].as_u64() };
        let is_answered = |status: &Option<u64>| !matches!(status, None | Some(AWAY));
        let status = eventually("an answer to what is posted", post, is_answered).await;
        status.and_then(|status| u16::try_from(status).ok()).expect("a status")
    }

    /// Where the end of the sale that runs, or else of the last one, is to be posted; empty where nowhere.
    pub async fn notification_url(&self) -> String {
        let machine = self.view().await;
        let sales = [&machine["order"], &machine["ended"]];
        let url = sales.into_iter().find_map(|sale| sale["notification_url"].as_str());
        url.unwrap_or_default().to_owned()
    }

    /// Makes a command, or what Vendron tells by itself, go wrong for it until that is mended under its uid.
    pub async fn break_down(&self, operation: &str, kind: &str) {
        self.app.break_down(("vendron", operation), kind, &self.uid).await;
    }

    /// What happened at it of one kind, by the sandbox's ledger.
    pub async fn effects(&self, effect: &str) -> Vec<Value> {
        let entries = self.app.outside_effects(effect, &self.uid).await;
        entries.into_iter().map(|mut entry| entry["detail"].take()).collect()
    }

    /// How often its door was opened, by the sandbox's ledger.
    pub async fn openings(&self) -> usize {
        self.effects("door_opened").await.len()
    }

    /// What operators were told of it.
    pub async fn messages(&self) -> Vec<String> {
        let entries = self.app.outside_effects("message", &self.id).await;
        entries.iter().filter_map(|entry| entry["detail"]["text"].as_str().map(str::to_owned)).collect()
    }

    /// Waits until operators were told something of it that has these words.
    pub async fn until_told(&self, words: &str) -> Vec<String> {
        let has_words = |messages: &Vec<String>| messages.iter().any(|message| message.contains(words));
        eventually(&format!("a message with {words:?} about {}", self.id), || self.messages(), has_words).await
    }
}

impl Sale {
    /// The same with its answer.
    #[must_use]
    pub fn answered(self, answer: Answer) -> Self {
        Self { answer, ..self }
    }

    /// Its transaction.
    pub fn transaction_id(&self) -> Uuid {
        transaction_id(self.sale_ref)
    }

    /// Where it is read.
    pub fn path(&self) -> String {
        format!("/transactions/{}", self.transaction_id())
    }

    /// Reads its transaction.
    pub async fn read(&self) -> Answer {
        self.frontend.get(&self.path()).await
    }

    /// Waits until its transaction has a status.
    pub async fn until(&self, status: &str) -> Answer {
        self.until_it(&format!("is {status}"), |transaction| transaction.body["status"] == status).await
    }

    /// Waits until its transaction is as wanted.
    pub async fn until_it(&self, what: &str, wanted: impl Fn(&Answer) -> bool) -> Answer {
        let what = format!("transaction {} that {what}", self.transaction_id());
        eventually(&what, || self.read(), wanted).await
    }

    /// Waits until so many pieces of its basket are known.
    pub async fn until_taken(&self, pieces: u64) -> Answer {
        let count = |transaction: &Answer| {
            let products = transaction.body["products"].as_array().into_iter().flatten();
            products.filter_map(|product| product["quantity"].as_u64()).sum::<u64>()
        };
        self.until_it(&format!("has {pieces} pieces"), |transaction| count(transaction) == pieces).await
    }

    /// Waits until something of this name is among its events.
    pub async fn until_heard(&self, name: &str) -> Answer {
        let is_heard = |transaction: &Answer| event_names(transaction).contains(&name);
        self.until_it(&format!("has heard {name}"), is_heard).await
    }

    /// The history of its workflow.
    pub async fn history(&self) -> History {
        self.app.sale_history(self.sale_ref).await
    }

    /// How operators find its run, when that is also as `more` says.
    pub fn query(&self, more: &str) -> String {
        format!("WorkflowType = 'FridgeSale' AND BusinessKey = '{}' AND {more}", self.sale_ref)
    }

    /// Waits until its run has ended by itself.
    pub async fn until_closed(&self) {
        self.app.until_runs(&self.query("ExecutionStatus = 'Completed'"), 1).await;
    }
}

/// Whether a question how a machine is was answered, and not given up: then it can only be asked anew.
pub fn is_in_time(answer: &Answer) -> bool {
    answer.is_final() && answer.body["code"] != "machine_unanswered"
}

/// The names of the events of a transaction.
pub fn event_names(transaction: &Answer) -> Vec<&str> {
    let events = transaction.body["events"].as_array().into_iter().flatten();
    events.filter_map(|event| event["name"].as_str()).collect()
}
