//! The worker, the API, Postgres and Temporal killed with -9 while a gift is used: it is used once, and whoever repeats
//! with the key learns what became of it.

use futures::future::join;
use reqwest::StatusCode;
use sqlx::{PgPool, Postgres, Transaction, query, query_scalar};
use stack::Part;
use system_tests::{Account, Answer, PinWork, Shop, Supplier, TestApp, eventually};

use super::{assert_locked, assert_refused, rows, settings};

const PARTS: [Part; 4] = [Part::Worker, Part::Api, Part::Postgres, Part::Temporal];

/// One shop in the middle of all this.
struct Scene {
    app: TestApp,
    supplier: Supplier,
    shop: Shop,
}

impl Scene {
    async fn open() -> Self {
        let app = TestApp::isolated(settings()).await;
        let supplier = app.supplier(&["1111"]);
        let shop = supplier.device();
        Self { app, supplier, shop }
    }

    fn account(&self) -> &Account {
        self.supplier.account(0)
    }

    /// One try, which may fail in any way.
    async fn try_once(&self, gift_id: &str) {
        let _lost = Answer::attempt(self.shop.using(gift_id, gift_id, self.account())).await;
    }

    /// The gift is used, by this device, once; the same again is answered the same.
    async fn assert_used(&self, gift_id: &str, what: &str) -> Answer {
        let used = self.shop.ask_to_use(gift_id, gift_id, self.account()).await;
        assert_eq!(used.status, StatusCode::OK, "{what}: {used:#?}");
        let again = self.shop.ask_to_use(gift_id, gift_id, self.account()).await;
        assert_eq!(again.body, used.body, "{what}");
        let database = self.app.database().await;
        assert_eq!(rows::uses(&database, gift_id).await, [self.shop.redemption_id(gift_id)], "{what}");
        assert!(rows::live_use(&database, gift_id).await.is_some(), "{what}");
        assert_eq!(rows::count(&database, gift_id, "used").await, 1, "{what}");
        used
    }

    fn kill(&self, part: Part) {
        self.app.stack().kill(part).unwrap();
    }

    async fn launch(&self, part: Part) {
        self.app.stack().launch(part).await.unwrap();
    }
}

/// A gift that nobody can decide about until it is let go.
struct Held {
    database: PgPool,
    lock: Transaction<'static, Postgres>,
}

impl Held {
    async fn new(app: &TestApp, gift_id: &str) -> Self {
        let database = app.database().await;
        let mut lock = database.begin().await.unwrap();
        let hold = query("select from gift_codes where gift_id = $1 for update").bind(gift_id);
        hold.execute(&mut *lock).await.unwrap();
        Self { database, lock }
    }

    /// Waits until somebody wants to decide about it.
    async fn until_wanted(&self) {
        let waiting = || async {
            let waiting = query_scalar(
                "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query like '%gift_codes%'",
            );
            waiting.fetch_one(&self.database).await.unwrap()
        };
        eventually("the ledger to wait for the gift", waiting, |waiting: &i64| *waiting > 0).await;
    }

    /// Fine when Postgres is gone: so is the lock.
    async fn let_go(self) {
        let _gone = self.lock.rollback().await;
    }
}

#[tokio::test]
async fn whatever_dies_a_gift_is_used_once_and_its_shop_learns_of_it() {
    let scene = Scene::open().await;
    for part in PARTS {
        dead_between_two_uses(&scene, part).await;
    }
    for part in PARTS {
        killed_while_the_gift_is_decided_about(&scene, part).await;
    }
    for part in [Part::Worker, Part::Api, Part::Postgres] {
        killed_between_the_update_and_the_reply(&scene, part).await;
    }
    killed_while_a_use_is_undone(&scene).await;
    killed_while_a_pin_is_looked_at(&scene).await;
}

/// A part dies after one use and comes back after the next was asked for in vain.
async fn dead_between_two_uses(scene: &Scene, part: Part) {
    let (before, meanwhile) = (scene.app.gift(), scene.app.gift());
    let told = scene.assert_used(&before, &format!("before {part}")).await;
    scene.kill(part);
    scene.try_once(&meanwhile).await;
    scene.launch(part).await;
    scene.assert_used(&meanwhile, &format!("without {part}")).await;
    let again = scene.assert_used(&before, &format!("before {part}, repeated")).await;
    assert_eq!(again.body, told.body, "{part}");
}

/// The ledger is about to decide. What died with the lock held may go on without anybody who listens: Postgres ends what
/// it began for a worker that is gone.
async fn killed_while_the_gift_is_decided_about(scene: &Scene, part: Part) {
    let gift_id = scene.app.gift();
    let held = Held::new(&scene.app, &gift_id).await;
    let killed = async {
        held.until_wanted().await;
        scene.kill(part);
        held.let_go().await;
        scene.launch(part).await;
    };
    join(scene.try_once(&gift_id), killed).await;
    scene.assert_used(&gift_id, &format!("{part} killed")).await;
}

/// Case 9: the gift is used, nobody has been told, and then the part dies. Temporal is away, so that nobody can be.
async fn killed_between_the_update_and_the_reply(scene: &Scene, part: Part) {
    let gift_id = scene.app.gift();
    let held = Held::new(&scene.app, &gift_id).await;
    let killed = async {
        held.until_wanted().await;
        scene.kill(Part::Temporal);
        held.let_go().await;
        let database = scene.app.database().await;
        eventually("the use", || rows::uses(&database, &gift_id), |uses| !uses.is_empty()).await;
        scene.kill(part);
        scene.launch(Part::Temporal).await;
        scene.launch(part).await;
    };
    join(scene.try_once(&gift_id), killed).await;
    scene.assert_used(&gift_id, &format!("told nobody, {part} killed")).await;
}

async fn killed_while_a_use_is_undone(scene: &Scene) {
    let gift_id = scene.app.gift();
    scene.assert_used(&gift_id, "before it is undone").await;
    let held = Held::new(&scene.app, &gift_id).await;
    let killed = async {
        held.until_wanted().await;
        scene.kill(Part::Worker);
        held.let_go().await;
        scene.launch(Part::Worker).await;
    };
    let (_lost, ()) = join(Answer::attempt(scene.shop.voiding("void", &gift_id)), killed).await;
    let undone = scene.shop.ask_to_void("void", &gift_id).await;
    assert_eq!(undone.status, StatusCode::OK, "{undone:#?}");
    assert_eq!(scene.shop.ask_to_void("void", &gift_id).await.body, undone.body);
    let database = scene.app.database().await;
    assert_eq!(rows::count(&database, &gift_id, "voided").await, 1);
    assert_eq!(rows::live_use(&database, &gift_id).await, None);
}

/// A PIN that nobody says any more whether it was right counts as a wrong one, some time later.
async fn killed_while_a_pin_is_looked_at(scene: &Scene) {
    let (app, database) = (&scene.app, scene.app.database().await);
    let supplier = app.supplier_with(PinWork::Much, &["1111"]);
    let (shop, account, gift_id) = (supplier.device(), supplier.account(0), app.gift());
    let subject = rows::subject_of(&database, account).await;
    let killed = async {
        let guard = || rows::guard(&database, &subject);
        eventually("the PIN to be looked at", guard, |guard| guard.undecided == 1).await;
        scene.kill(Part::Api);
        scene.launch(Part::Api).await;
    };
    let (lost, ()) = join(Answer::attempt(shop.using("lost", &gift_id, account)), killed).await;
    assert!(lost.is_err(), "{lost:#?}");
    assert_eq!(rows::guard(&database, &subject).await, rows::Guard { undecided: 1, ..rows::Guard::default() });

    // From here on it is not about the work.
    app.set_pin(PinWork::Little, &account.number, &account.pin).unwrap();
    let subjects = [subject, rows::device(&shop)];
    rows::give_up_on(&database, &subjects).await;
    for _ in 0..4 {
        assert_refused(&shop.try_to_use(&gift_id, &account.with_pin("9999")).await, 400, "credentials_invalid");
    }
    assert_locked(&shop.try_to_use(&gift_id, account).await);
    rows::unlock(&database, &subjects).await;
    let used = shop.ask_to_use("lost", &gift_id, account).await;
    assert_eq!(
        (used.status, used.text("redemption_id")),
        (StatusCode::OK, shop.redemption_id("lost").to_string().as_str())
    );
}
