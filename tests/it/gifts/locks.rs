//! A lock is of the service, not of one process: it holds at every API, and after each of them has begun anew.

use futures::future::join_all;
use reqwest::StatusCode;
use stack::Part;
use system_tests::{Shop, TestApp};

use super::{assert_locked, assert_refused, rows, settings};

const WRONG: &str = "9999";

#[tokio::test]
async fn a_lock_holds_at_every_api_and_survives_their_restart() {
    let app = TestApp::isolated(settings()).await;
    let replica = app.stack().add_api_replica().await.unwrap();
    let supplier = app.supplier(&["1111", "2222"]);
    let (shop, account) = (supplier.device(), supplier.account(0));
    let (database, gift_id) = (app.database().await, app.gift());
    let both = [shop.clone(), shop.at(replica.url())];
    for turn in 0..5 {
        let guess = both[turn % 2].try_to_use(&gift_id, &account.with_pin(WRONG)).await;
        assert_refused(&guess, 400, "credentials_invalid");
    }
    let locked_everywhere = || async {
        for shop in &both {
            assert_locked(&shop.try_to_use(&gift_id, account).await);
        }
    };
    locked_everywhere().await;
    app.stack().kill(Part::Api).unwrap();
    assert_locked(&both[1].try_to_use(&gift_id, account).await);
    app.stack().launch(Part::Api).await.unwrap();
    locked_everywhere().await;
    app.stack().terminate(Part::Api).await.unwrap();
    app.stack().launch(Part::Api).await.unwrap();
    locked_everywhere().await;
    fifty_guesses_at_two_apis_are_five(&app, &supplier.device(), replica.url()).await;

    rows::unlock(&database, &[rows::subject_of(&database, account).await, rows::device(&shop)]).await;
    let used = both[1].ask_to_use("key", &gift_id, account).await;
    assert_eq!(used.status, StatusCode::OK, "{used:#?}");
    assert_eq!(both[0].ask_to_use("key", &gift_id, account).await.body, used.body);
}

/// Case 6, where no process knows of the other's guesses.
async fn fifty_guesses_at_two_apis_are_five(app: &TestApp, unlucky: &Shop, replica: &str) {
    let supplier = app.supplier(&["1111"]);
    let (database, gift_id) = (app.database().await, app.gift());
    let shops: Vec<_> = (0..5).map(|_| supplier.device()).flat_map(|shop| [shop.at(replica), shop]).collect();
    let (gift, wrong) = (gift_id.as_str(), &supplier.account(0).with_pin(WRONG));
    let guesses = shops.iter().flat_map(|shop| (0..5).map(move |_| shop.try_to_use(gift, wrong)));
    let answers = join_all(guesses).await;
    let (looked_at, others): (Vec<_>, Vec<_>) =
        answers.iter().partition(|answer| answer.body["code"] == "credentials_invalid");
    assert_eq!((looked_at.len(), others.len()), (5, 45));
    for answer in &others {
        assert_locked(answer);
    }
    assert_eq!(rows::count(&database, gift, "credentials_invalid").await, 5);
    // Nobody else is locked with them.
    assert_refused(&unlucky.try_to_use(gift, supplier.account(0)).await, 400, "credentials_invalid");
}
