//! `perdura-api machines`: each has one id, one uid at Vendron and one owner, and what is there stays as it is.

use chrono::{DateTime, Utc};
use reqwest::StatusCode;
use sqlx::{PgPool, query_scalar};
use system_tests::{Fridge, TestApp};

/// What `machines add` says of this id, uid, owner and name.
fn add(app: &TestApp, [id, uid, owner, name]: [&str; 4]) -> Result<String, String> {
    let command = ["machines", "add", "--id", id, "--uid", uid, "--owner", owner, "--name", name];
    app.stack().command(&command, "").map_err(|error| error.to_string())
}

/// Every machine that has this text in its id or its uid, as Postgres writes it.
async fn kept(database: &PgPool, text: &str) -> Vec<String> {
    let rows = query_scalar(
        "select kept::text from machine kept where position($1 in machine_id || ' ' || machine_uid) > 0
         order by machine_id",
    );
    rows.bind(text).fetch_all(database).await.unwrap()
}

/// Whether its frontend finds it, by its owner's key.
async fn assert_still_its_owners(fridge: &Fridge) {
    let status = fridge.status_in_time("").await;
    assert_eq!((status.status, status.text("status")), (StatusCode::OK, "available"), "{status:#?}");
}

#[tokio::test]
async fn the_same_machine_twice_is_one_and_no_error() {
    let app = TestApp::shared();
    let (frontend, database) = (app.frontend(), app.database().await);
    let fridge = app.fridge_of(&frontend).await;
    let before = kept(&database, fridge.id()).await;
    assert_eq!(before.len(), 1, "{before:#?}");
    assert_eq!(add(&app, [fridge.id(), fridge.uid(), frontend.principal(), ""]), Ok(String::new()));
    assert_eq!(kept(&database, fridge.id()).await, before);
    assert_still_its_owners(&fridge).await;
}

/// Whoever adds it is told which of the two is taken, by whom, and what to do.
#[tokio::test]
async fn an_id_or_a_uid_that_is_taken_is_refused_and_named() {
    let app = TestApp::shared();
    let (frontend, stranger, database) = (app.frontend(), app.frontend(), app.database().await);
    let (fridge, other) = (app.fridge_of(&frontend).await, app.fridge_of(&frontend).await);
    let (id, uid, owner, theirs) = (fridge.id(), fridge.uid(), frontend.principal(), stranger.principal());
    let (second, elsewhere) = (format!("{id}-2"), format!("{uid}-2"));
    let (second, elsewhere) = (second.as_str(), elsewhere.as_str());
    let before = [kept(&database, id).await, kept(&database, other.id()).await];
    let taken = format!("the uid {uid} is that of machine {id} of {owner}. A machine is added once: look up");
    let differs = |what: String| format!("there is a machine {id}: its {what}. It stays as it is: another machine");
    for (machine, words) in [
        ([second, uid, owner, ""], taken.clone()),
        ([second, uid, theirs, ""], taken),
        ([id, elsewhere, owner, ""], differs(format!("uid is {uid:?}, not {elsewhere:?}"))),
        ([id, other.uid(), owner, ""], differs(format!("uid is {uid:?}, not {:?}", other.uid()))),
        ([id, uid, theirs, ""], differs(format!("owner is {owner:?}, not {theirs:?}"))),
        ([id, uid, owner, "Lobby"], differs("name is \"\", not \"Lobby\"".to_owned())),
    ] {
        let refused = add(&app, machine).unwrap_err();
        assert!(refused.contains(&words), "{machine:?}: {refused}");
    }
    assert_eq!([kept(&database, id).await, kept(&database, other.id()).await], before, "nothing was taken");
    for machine in [id, second] {
        let missing = stranger.get(&format!("/machines/{machine}/status")).await;
        assert_eq!(missing.status, StatusCode::NOT_FOUND, "{machine}: {missing:#?}");
    }
    assert_still_its_owners(&fridge).await;
}

#[tokio::test]
async fn the_list_shows_each_machine_once_by_its_id_under_its_headings() {
    let app = TestApp::shared();
    let fridge = app.fridge().await;
    let owner = fridge.frontend().principal();
    let machine = |tail: &str| (format!("{}-{tail}", fridge.id()), format!("{}-{tail}", fridge.uid()));
    let (late, early) = (machine("B"), machine("A"));
    add(&app, [&late.0, &late.1, owner, "Büro, 2. Stock"]).unwrap();
    add(&app, [&early.0, &early.1, owner, ""]).unwrap();
    let listed = app.stack().command(&["machines", "list"], "").unwrap();
    let (head, lines) = listed.split_once('\n').unwrap();
    assert_eq!(head.split_whitespace().collect::<Vec<_>>(), ["ID", "UID", "OWNER", "CREATED", "NAME"]);

    let ours: Vec<_> = lines.lines().filter(|line| line.starts_with(fridge.id())).collect();
    let named = [
        (fridge.id(), fridge.uid(), ""),
        (early.0.as_str(), early.1.as_str(), ""),
        (late.0.as_str(), late.1.as_str(), "Büro, 2. Stock"),
    ];
    assert_eq!(ours.len(), named.len(), "{ours:#?}");
    let columns = ["UID", "OWNER", "CREATED", "NAME"].map(|heading| head.find(heading).unwrap());
    for (line, (id, uid, name)) in ours.into_iter().zip(named) {
        let part = |from: usize, to: usize| line.get(from..to.min(line.len())).unwrap_or_default().trim_end();
        let [to_uid, to_owner, to_created, to_name] = columns;
        assert_eq!([part(0, to_uid), part(to_uid, to_owner), part(to_owner, to_created)], [id, uid, owner], "{line}");
        let created: Result<DateTime<Utc>, _> = part(to_created, to_name).parse();
        assert!(created.is_ok(), "{line}");
        assert_eq!(part(to_name, line.len()), name, "{line}");
    }
}
