use std::{collections::BTreeSet, iter::successors, sync::Arc};

use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use super::Notifications;

/// What is shorter is no secret, and would be found in every word.
const SHORTEST_SECRET: usize = 8;
/// Sales that are looked for in one frame because it names them. It tells of one.
const MOST_SALES: usize = 16;
/// A secret as it is, in a JSON text, and in one that is in another.
const FORMS: usize = 3;
/// Where a UUID has its first hyphen.
const FIRST_HYPHEN: usize = 8;
const UUID_LENGTH: usize = 36;

/// What Vendron is sent, and may be kept nowhere: our token, and the URLs at which it notifies us.
#[derive(Clone)]
pub(super) struct Secrets {
    token: SecretString,
    notifications: Option<Arc<Notifications>>,
    /// Of the commands that were sent.
    references: BTreeSet<Uuid>,
}

impl Secrets {
    pub(super) fn new(token: SecretString) -> Self {
        Self { token, notifications: None, references: BTreeSet::new() }
    }

    pub(super) fn notified_at(self, notifications: Notifications) -> Self {
        Self { notifications: Some(Arc::new(notifications)), ..self }
    }

    pub(super) const fn token(&self) -> &SecretString {
        &self.token
    }

    /// The URL of the sale that a command is sent for, where the reference is one and notifications are awaited. From now
    /// on it is looked for in everything that is heard.
    pub(super) fn url(&mut self, reference: &str) -> Option<SecretString> {
        let notifications = self.notifications.as_ref()?;
        let sale_ref = Uuid::try_parse(reference).ok()?;
        self.references.insert(sale_ref);
        Some(notifications.url(sale_ref))
    }

    /// A text without any of them: an answer may repeat what was asked. It may be an answer to another connection, so
    /// each sale that the text names is looked for: a URL has the sale's name in it.
    pub(super) fn hidden_in(&self, text: &str) -> String {
        let text = hidden(text, &self.token);
        let Some(notifications) = &self.notifications else {
            return text;
        };
        let mut sales = self.references.clone();
        sales.extend(named(&text).collect::<BTreeSet<_>>().into_iter().take(MOST_SALES));
        sales.into_iter().fold(text, |text, sale_ref| hidden(&text, &notifications.token(sale_ref)))
    }
}

fn hidden(text: &str, secret: &SecretString) -> String {
    let secret = secret.expose_secret();
    if secret.len() < SHORTEST_SECRET {
        return text.to_owned();
    }
    let forms = if secret.contains('/') { FORMS } else { 1 };
    let forms = successors(Some(secret.to_owned()), |form| Some(escaped(form))).take(forms);
    forms.fold(text.to_owned(), |text, form| text.replace(&form, "***"))
}

/// As PHP writes it into JSON: it escapes slashes.
fn escaped(text: &str) -> String {
    text.replace('\\', r"\\").replace('/', r"\/")
}

/// The UUIDs in a text.
fn named(text: &str) -> impl Iterator<Item = Uuid> {
    let starts = text.match_indices('-').filter_map(|(at, _)| at.checked_sub(FIRST_HYPHEN));
    starts.filter_map(move |start| Uuid::try_parse(text.get(start..start + UUID_LENGTH)?).ok())
}
