//! What a frame says. Where it contradicts itself it says nothing: a person reads what was kept of it.

use super::{
    Frame, LONGEST_NAME, LONGEST_SESSION, LONGEST_TEXT, MOST_PRODUCTS, Message, SoldProduct,
    json::{Json, Members},
};

/// The sale is cancelled and closed.
const CANCELLED: i64 = -10;

/// Reads a frame, whatever it is.
pub fn parse(text: &str) -> Frame {
    let envelope = Json::read(text).map(|json| json.members()).unwrap_or_default();
    let reference = envelope.word("ref").map(|word| cut(&word, LONGEST_NAME));
    let read = |name: String, body: &Body, message| Frame {
        name: cut(&name, LONGEST_NAME),
        reference: reference.clone(),
        session: body.session(),
        message,
    };
    if let Some(name) = envelope.word("command") {
        let body = Body::new(envelope.open("command_data"));
        let message = body.message(&name.to_ascii_lowercase());
        return read(name, &body, message);
    }
    if let Some(name) = envelope.word("respond") {
        let body = Body::new(envelope.open("respond_data"));
        let message = body.acknowledgement();
        return read(name, &body, message);
    }
    Frame { reference, ..Frame::unreadable() }
}

/// Where Vendron puts what it says: in `command_data`, there in `json_data` or `error_data`, in `json_data` mostly in
/// `data`.
struct Body {
    outer: Members,
    error: Members,
    json: Members,
    data: Members,
}

impl Body {
    fn new(outer: Members) -> Self {
        let json = outer.open("json_data");
        Self { error: outer.open("error_data"), data: json.open("data"), json, outer }
    }

    fn message(&self, name: &str) -> Message {
        let (code, text, is_refused) = (self.code(), self.text(), self.is_refused());
        match name {
            "check_machine_state_success" if !is_refused => Message::MachineAvailable { text },
            "check_machine_state_success" | "check_machine_state_error" => Message::MachineError { code, text },
            "smart_fridge_request_begun" if !is_refused => Message::Begun { session: self.session(), text },
            "smart_fridge_request_error" if code == Some(CANCELLED) => Message::Cancelled { text },
            "smart_fridge_request_begun" | "smart_fridge_request_error" => Message::RequestError { code, text },
            "smart_fridge_door_open_success" if !is_refused => Message::Unlocked { text },
            "smart_fridge_door_open_success" | "smart_fridge_door_open_error" => Message::UnlockError { code, text },
            "smart_fridge_product_taken" if !is_refused => self.taken(text),
            // A door that may be open is not reported closed.
            "smart_fridge_door_close_success" if !is_refused && !self.tells_of_an_open_door() => {
                Message::DoorClosed { text }
            }
            "smart_fridge_request_completed" => self.end(text),
            _ => Message::Unknown,
        }
    }

    fn acknowledgement(&self) -> Message {
        let accepted = !self.outer.get("ack_status").is_some_and(Json::is_no);
        let code = self.outer.word("ack_code").map(|word| cut(&word, LONGEST_NAME)).unwrap_or_default();
        Message::Ack { accepted, code }
    }

    /// A snapshot that cannot be read is none: an empty one would say that everything was put back.
    fn taken(&self, text: String) -> Message {
        let products = self.products(["list", "transaction_product", "product_data"]);
        products.map_or(Message::Unknown, |products| Message::Taken { products, text })
    }

    fn end(&self, text: String) -> Message {
        let products = self.products(["transaction_product", "product_data", "list"]);
        let total = self.find("transaction_total", Json::amount);
        let costs = total.as_deref().map(costs);
        if self.is_denied() || self.code() == Some(CANCELLED) {
            let is_sold = products.is_some_and(|products| !products.is_empty()) || costs == Some(true);
            return if is_sold { Message::Unknown } else { Message::Cancelled { text } };
        }
        // Without a list, only a total of nothing says that nothing was taken.
        let products = products.or_else(|| (costs == Some(false)).then(Vec::new));
        products.map_or(Message::Unknown, |products| Message::Completed { products, total, text })
    }

    /// What `read` makes of the member of this name that it can read, the innermost first.
    fn find<T>(&self, name: &str, read: impl Fn(&Json) -> Option<T>) -> Option<T> {
        [&self.data, &self.json, &self.outer].into_iter().find_map(|members| members.get(name).and_then(&read))
    }

    fn session(&self) -> Option<String> {
        self.find("session", Json::word).filter(|session| session.len() <= LONGEST_SESSION)
    }

    fn text(&self) -> String {
        let told = [&self.error, &self.json, &self.outer].into_iter().find_map(|members| members.word("message"));
        let told = told.or_else(|| self.outer.word("error_data"));
        told.map(|text| cut(&text, LONGEST_TEXT)).unwrap_or_default()
    }

    /// The code of an error: successes have codes above zero.
    fn code(&self) -> Option<i64> {
        let integer = |members: &Members, name: &str| members.get(name).and_then(Json::integer);
        let told = integer(&self.error, "code").or_else(|| integer(&self.outer, "error_data"));
        let error = |members: &Members| integer(members, "code").filter(|code| *code < 0);
        told.or_else(|| error(&self.json)).or_else(|| error(&self.outer))
    }

    fn is_denied(&self) -> bool {
        self.outer.get("status").is_some_and(Json::is_no)
    }

    fn is_refused(&self) -> bool {
        self.is_denied() || self.code().is_some_and(|code| code < 0)
    }

    fn tells_of_an_open_door(&self) -> bool {
        let word = self.find("door_status", Json::word);
        word.is_some_and(|word| ["UNLOCKED", "OPENED", "OPEN"].iter().any(|open| word.eq_ignore_ascii_case(open)))
    }

    /// The products under the first of these labels that is a list, or in a list without a name.
    fn products(&self, labels: [&str; 3]) -> Option<Vec<SoldProduct>> {
        let named = labels.into_iter().find_map(|name| self.find(name, Json::items));
        let items = named.or_else(|| self.unnamed_products())?;
        (items.len() <= MOST_PRODUCTS).then(|| items.iter().map(product).collect())
    }

    fn unnamed_products(&self) -> Option<Vec<Json>> {
        let is_product = |item: &Json| ["vpn", "unit_price"].iter().any(|name| item.members().get(name).is_some());
        let lists = [self.json.get("data"), self.outer.get("json_data")].into_iter().flatten();
        lists.filter_map(Json::items).find(|items| !items.is_empty() && items.iter().all(is_product))
    }
}

/// A piece stays one, also where nothing about it can be read: without a price, a person looks at the sale.
fn product(item: &Json) -> SoldProduct {
    let members = item.members();
    let word = |name| members.word(name).map(|word| cut(&word, LONGEST_NAME));
    let name = word("name").or_else(|| item.word().map(|word| cut(&word, LONGEST_NAME)));
    SoldProduct {
        vpn: word("vpn").unwrap_or_default(),
        name: name.unwrap_or_default(),
        unit_price: members.get("unit_price").and_then(Json::amount),
    }
}

fn costs(amount: &str) -> bool {
    amount.bytes().any(|byte| (b'1'..=b'9').contains(&byte))
}

/// The beginning of a word, which may end where the word has white space.
fn cut(text: &str, most: usize) -> String {
    let end = text.char_indices().nth(most).map_or(text.len(), |(end, _)| end);
    text[..end].trim_end().to_owned()
}
