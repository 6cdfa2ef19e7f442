//! Who may do what: every operation of the document that the API itself serves, with no key, a bad key, a key without the
//! scope and somebody else's key.

use std::{
    cell::Cell,
    collections::BTreeSet,
    time::{Duration, Instant},
};

use futures::future::join_all;
use reqwest::{Method, RequestBuilder, StatusCode, header::HeaderValue};
use serde_json::{Value, json};
use system_tests::{Answer, Merchant, PROVIDER, TestApp, eventually};
use uuid::Uuid;

/// Of the right form, and nobody's.
const BAD_KEY: &str = "pk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// One operation of the document.
struct Operation {
    id: String,
    method: Method,
    path: String,
    description: Value,
}

impl Operation {
    async fn all(app: &TestApp) -> Vec<Self> {
        let document = Answer::to(app.http().get(app.api("/openapi.json"))).await.body;
        let items = document["paths"].as_object().unwrap().iter();
        let operations = items.flat_map(|(path, item)| {
            item.as_object().unwrap().iter().map(|(method, description)| Self {
                id: description["operationId"].as_str().unwrap().to_owned(),
                method: method.to_uppercase().parse().unwrap(),
                path: path.clone(),
                description: description.clone(),
            })
        });
        operations.collect()
    }

    fn is_public(&self) -> bool {
        self.description["security"].is_null()
    }

    /// The scopes, one of which a key has to have.
    fn scopes(&self) -> Vec<&str> {
        let requirements = self.description["security"].as_array().into_iter().flatten();
        // One that is empty lets in who proves himself in another way.
        requirements.filter_map(|one| one["api_key"].as_array()).flatten().filter_map(Value::as_str).collect()
    }

    /// Method and path, whatever its parameters are called.
    fn name(&self) -> String {
        let mut path = self.path.clone();
        while let Some((before, rest)) = path.split_once('{') {
            let after = rest.split_once('}').unwrap().1;
            path = format!("{before}*{after}");
        }
        format!("{} {path}", self.method)
    }

    /// The operation as its own examples show it, on the object that `object` names.
    fn request(&self, app: &TestApp, key: Option<&str>, object: &str) -> RequestBuilder {
        let mut path = self.path.replace("{id}", object);
        let (mut headers, mut queries) = (Vec::new(), Vec::new());
        for parameter in self.description["parameters"].as_array().into_iter().flatten() {
            let name = parameter["name"].as_str().unwrap();
            let example = [&parameter["example"], &parameter["schema"]["enum"][0]];
            let example = example.into_iter().find_map(Value::as_str).unwrap_or_default();
            match parameter["in"].as_str() {
                Some("path") => path = path.replace(&format!("{{{name}}}"), example),
                Some("header") if parameter["required"] == true => headers.push((name, example)),
                Some("query") if parameter["required"] == true => queries.push((name, example)),
                _ => {}
            }
        }
        let request = app.http().request(self.method.clone(), app.api(&path)).query(&queries);
        let request = headers.into_iter().fold(request, |request, (name, value)| request.header(name, value));
        let request = key.into_iter().fold(request, RequestBuilder::bearer_auth);
        match &self.description["requestBody"]["content"]["application/json"]["example"] {
            Value::Null => request,
            body => request.json(body),
        }
    }

    /// The answer; of a stream only how it begins, for it has no end.
    async fn ask(&self, app: &TestApp, key: Option<&str>, object: &str) -> Answer {
        let response = self.request(app, key, object).send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let streams = |kind: &HeaderValue| kind.as_bytes().starts_with(b"text/event-stream");
        if headers.get("content-type").is_some_and(streams) {
            return Answer { status, headers, body: Value::Null };
        }
        let text = response.text().await.unwrap();
        Answer { status, headers, body: serde_json::from_str(&text).unwrap_or_default() }
    }

    /// The answer is one that the document gives for this operation, with this code.
    fn assert_refused(&self, answer: &Answer, status: u16, code: &str) {
        let id = &self.id;
        assert_eq!((answer.status.as_u16(), &answer.body["code"]), (status, &json!(code)), "{id}: {answer:#?}");
        assert_eq!(answer.headers["content-type"], "application/problem+json", "{id}");
        let content = &self.description["responses"][status.to_string()]["content"]["application/problem+json"];
        assert!(content["examples"][code].is_object(), "{id}: {code} is not in the document");
    }
}

/// Keys with every scope that there is, each with its scopes.
fn keys(app: &TestApp) -> Vec<(String, &'static str)> {
    let stack = app.stack();
    let key = |principal: &str, scope| (stack.create_key(principal, &[scope]).unwrap(), scope);
    let (merchant, frontend, device) =
        (format!("merchant:{}", Uuid::now_v7()), "frontend:matrix", "provider:P-9/matrix");
    let keys = &stack.demo().keys;
    vec![
        key(&merchant, "invoices:write"),
        key(&merchant, "invoices:read"),
        key(&merchant, "forms:write"),
        key(frontend, "purchases:issue"),
        key(frontend, "purchases:read"),
        key(device, "purchases:read"),
        key(device, "purchases:use"),
        key(frontend, "fridges:open"),
        key(frontend, "fridges:read"),
        key("shop:S-9/matrix", "gifts:use"),
        (keys.watcher.clone(), "deposits:report"),
        (keys.operator.clone(), "operator"),
    ]
}

#[tokio::test]
async fn what_anyone_may_do_was_decided() {
    let app = TestApp::shared();
    let operations = Operation::all(&app).await;
    let public: Vec<_> = operations.iter().filter(|operation| operation.is_public()).collect();
    let names: BTreeSet<_> = public.iter().map(|operation| operation.name()).collect();
    // A new operation is one of these, or it is refused in every way below.
    let decided = [
        "GET /C/*",
        "GET /c/*",
        "GET /docs",
        "GET /docs/*",
        "GET /livez",
        "GET /openapi.json",
        "GET /payment-options",
        "GET /readyz",
        "GET /version",
    ];
    // These know their objects by ids and tokens that nobody guesses; `forms` and `fridge_sales` try them with those that
    // there are.
    let by_link =
        ["GET /checkout/*", "GET /processing/*", "POST /processing/*/submit", "POST /vendron/notifications/*/*"];
    assert_eq!(names, decided.into_iter().chain(by_link).map(str::to_owned).collect::<BTreeSet<_>>());
    for operation in public {
        let answer = operation.ask(&app, None, &Uuid::now_v7().to_string()).await;
        if by_link.contains(&operation.name().as_str()) {
            operation.assert_refused(&answer, 404, "not_found");
        } else {
            assert!(answer.status.is_success(), "{}: {answer:#?}", operation.id);
        }
    }
}

#[tokio::test]
async fn everything_else_needs_a_key_with_the_scope() {
    let app = TestApp::shared();
    let keys = keys(&app);
    let object = Uuid::now_v7().to_string();
    for operation in Operation::all(&app).await.into_iter().filter(|operation| !operation.is_public()) {
        let without = operation.ask(&app, None, &object).await;
        operation.assert_refused(&without, 401, "unauthenticated");
        assert!(without.headers.contains_key("www-authenticate"), "{}", operation.id);
        for bad in [BAD_KEY, "nonsense"] {
            operation.assert_refused(&operation.ask(&app, Some(bad), &object).await, 401, "unauthenticated");
        }
        let scopes = operation.scopes();
        assert!(!scopes.is_empty(), "{} names no scope", operation.id);
        assert!(scopes.iter().all(|scope| keys.iter().any(|(_, held)| held == scope)), "unknown: {scopes:?}");
        for (key, scope) in &keys {
            let answer = operation.ask(&app, Some(key), &object).await;
            let refused = answer.status == 403 && answer.body["code"] == "scope_missing";
            assert_eq!(refused, !scopes.contains(scope), "{} with {scope}: {answer:?}", operation.id);
        }
    }
}

#[tokio::test]
async fn somebody_elses_object_is_not_there() {
    let app = TestApp::shared();
    let (owner, stranger) = (app.merchant(), app.merchant());
    let all = Operation::all(&app).await;
    // Other kinds of objects are tried in tests of their own; the last is for operators, who see everything.
    let elsewhere =
        ["/credit-line", "/loans/{loan_account_id}/use", "/machine", "/transaction", "/api/gifts/", "/deposits/"];
    for operation in all.iter().filter(|operation| !operation.is_public() && operation.path.contains('{')) {
        // One for each: some of them cannot be seen again after that.
        let object = match operation.path.as_str() {
            path if path.starts_with("/invoices/{id}") => {
                owner.create(&Merchant::invoice()).await.body["invoice_id"].take()
            }
            path if path.starts_with("/invoice-forms/{id}") => owner.form(&json!({})).await.body["form_id"].take(),
            path => {
                assert!(elsewhere.iter().any(|known| path.starts_with(known)), "{path} is not tried with a stranger");
                continue;
            }
        };
        let object = object.as_str().unwrap();
        let refused = operation.ask(&app, Some(stranger.key()), object).await;
        operation.assert_refused(&refused, 404, "not_found");
        let ask = || operation.ask(&app, Some(owner.key()), object);
        let answer = eventually("an answer for the owner", ask, Answer::is_final).await;
        // Money that is not late cannot be accepted, which a stranger does not learn.
        let is_there = answer.status.is_success() || answer.status == StatusCode::CONFLICT;
        assert!(is_there, "{}: {answer:#?}", operation.id);
    }
}

#[tokio::test]
async fn somebody_elses_purchase_is_not_there() {
    let app = TestApp::shared();
    let purchase = app.frontend().issue(&app.open_loan().await).await;
    let elsewhere = format!("/credit-lines/CL-elsewhere/purchases/{}", purchase.code());
    for path in
        [purchase.path(), purchase.path().replace("credit-lines", "credit-line").replace("purchases", "purchase")]
    {
        for stranger in [app.frontend().get(&path).await, app.till("P-elsewhere").get(&path).await] {
            assert_eq!((stranger.status.as_u16(), &stranger.body["code"]), (404, &json!("not_found")), "{path}");
        }
        let valid = app.till("P-elsewhere").get(&format!("{path}/valid")).await;
        assert_eq!(valid.status, 404, "{valid:#?}");
        let download = app.frontend().get(&format!("{path}/download")).await;
        assert_eq!(download.status, 404, "{download:#?}");
        assert_eq!(app.till(PROVIDER).get(&path).await.status, 200, "{path}");
    }
    assert_eq!(app.till(PROVIDER).get(&elsewhere).await.status, 404, "only under its credit line");
    // As the source says, whoever may not use the code hears so.
    let used = app.till("P-elsewhere").try_to_use(&purchase).await;
    assert_eq!((used.status.as_u16(), &used.body["code"]), (403, &json!("code_not_valid")));
}

#[tokio::test]
async fn a_revoked_key_is_refused_within_a_second_on_every_replica() {
    let app = TestApp::shared();
    let replica = app.stack().add_api_replica().await.unwrap();
    let urls = [app.api("/invoices"), format!("{}/invoices", replica.url())];
    let merchant = app.merchant();
    let status = |url: String| {
        let request = app.http().get(url).bearer_auth(merchant.key());
        async move { request.send().await.unwrap().status() }
    };
    // Each replica has seen the key, and has it in memory.
    for url in &urls {
        assert_eq!(status(url.clone()).await, StatusCode::OK);
    }
    let revoke = sqlx::query("update api_key set revoked_at = now() where principal = $1");
    revoke.bind(format!("merchant:{}", merchant.id())).execute(&app.database().await).await.unwrap();
    let revoked = Instant::now();
    let let_in = join_all(urls.iter().map(|url| last_let_in(revoked, move || status(url.clone()))));
    for after in let_in.await {
        assert!(after < Duration::from_secs(1), "a request was let in that was sent {after:?} later");
    }
}

/// How long after a moment the last request was sent that was let in. When it was answered says nothing: that may be late.
async fn last_let_in(moment: Instant, ask: impl AsyncFn() -> StatusCode) -> Duration {
    let last = Cell::new(moment);
    let look = || async {
        let sent = Instant::now();
        let status = ask().await;
        if status == StatusCode::OK {
            last.set(sent);
        }
        status
    };
    eventually("the key to be refused", look, |status| *status == StatusCode::UNAUTHORIZED).await;
    last.get() - moment
}
