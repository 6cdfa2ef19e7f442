use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::{
    error::BuildError,
    types::{AttributeValue, ConditionCheck, Put, TransactWriteItem, Update},
};

/// An item, or a key of one, as the client has it.
pub(super) type Item = HashMap<String, AttributeValue>;

/// Attributes in an order that does not change, so that the same change is the same request.
pub(super) type Attributes = BTreeMap<&'static str, AttributeValue>;

/// What is done to one item, and under which condition. Expressions name an attribute `#name`; what they compare it with
/// is `:name`.
#[derive(Debug, Clone)]
pub(super) struct Change {
    condition: &'static str,
    set: Vec<String>,
    removed: Option<&'static str>,
    values: Item,
}

impl Change {
    /// A change that is made only when the condition holds.
    pub(super) fn when(condition: &'static str) -> Self {
        Self { condition, set: Vec::new(), removed: None, values: Item::new() }
    }

    /// A value that only the condition needs.
    pub(super) fn comparing(mut self, name: &str, value: AttributeValue) -> Self {
        self.values.insert(format!(":{name}"), value);
        self
    }

    /// Sets an attribute; the condition may compare with its new value.
    pub(super) fn set(mut self, name: &str, value: AttributeValue) -> Self {
        self.set.push(format!("#{name} = :{name}"));
        self.comparing(name, value)
    }

    /// Sets attributes.
    pub(super) fn set_all(self, attributes: Attributes) -> Self {
        attributes.into_iter().fold(self, |change, (name, value)| change.set(name, value))
    }

    /// Sets an attribute unless it is there.
    pub(super) fn set_once(mut self, name: &str, value: AttributeValue) -> Self {
        self.set.push(format!("#{name} = if_not_exists(#{name}, :{name})"));
        self.comparing(name, value)
    }

    /// Adds one to a number.
    pub(super) fn count(mut self, name: &str) -> Self {
        self.set.push(format!("#{name} = #{name} + :one"));
        self.comparing("one", AttributeValue::N("1".to_owned()))
    }

    /// Takes an attribute away.
    pub(super) fn remove(mut self, name: &'static str) -> Self {
        self.removed = Some(name);
        self
    }

    /// The change of an item that may exist, as part of a transaction.
    pub(super) fn update(self, table: &str, key: Item) -> Result<TransactWriteItem, BuildError> {
        let parts = self.into_parts();
        let update = Update::builder()
            .table_name(table)
            .set_key(Some(key))
            .update_expression(parts.update)
            .condition_expression(parts.condition)
            .set_expression_attribute_names(Some(parts.names))
            .set_expression_attribute_values(parts.values)
            .build()?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// A whole new item, as part of a transaction.
    pub(super) fn put(self, table: &str, item: Item) -> Result<TransactWriteItem, BuildError> {
        let parts = self.into_parts();
        let put = Put::builder()
            .table_name(table)
            .set_item(Some(item))
            .condition_expression(parts.condition)
            .set_expression_attribute_names(Some(parts.names))
            .set_expression_attribute_values(parts.values)
            .build()?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// The condition alone, as part of a transaction.
    pub(super) fn check(self, table: &str, key: Item) -> Result<TransactWriteItem, BuildError> {
        let parts = self.into_parts();
        let check = ConditionCheck::builder()
            .table_name(table)
            .set_key(Some(key))
            .condition_expression(parts.condition)
            .set_expression_attribute_names(Some(parts.names))
            .set_expression_attribute_values(parts.values)
            .build()?;
        Ok(TransactWriteItem::builder().condition_check(check).build())
    }

    pub(super) fn into_parts(self) -> Parts {
        let set = if self.set.is_empty() { String::new() } else { format!("SET {}", self.set.join(", ")) };
        let update = self.removed.map_or_else(|| set.clone(), |name| format!("{set} REMOVE #{name}").trim().to_owned());
        Parts {
            names: names(&[&update, self.condition]),
            // DynamoDB refuses an empty list.
            values: Some(self.values).filter(|values| !values.is_empty()),
            condition: self.condition,
            update,
        }
    }
}

/// A change in the terms of DynamoDB.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) update: String,
    pub(super) condition: &'static str,
    pub(super) names: HashMap<String, String>,
    pub(super) values: Option<Item>,
}

/// What each `#name` stands for: DynamoDB reserves many words, `status` among them.
fn names(expressions: &[&str]) -> HashMap<String, String> {
    let words = expressions.iter().flat_map(|expression| expression.split('#').skip(1));
    words
        .map(|word| {
            let end = word.find(|character: char| !character.is_ascii_alphanumeric() && character != '_');
            let name = &word[..end.unwrap_or(word.len())];
            (format!("#{name}"), name.to_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &str) -> AttributeValue {
        AttributeValue::S(value.to_owned())
    }

    #[test]
    fn expressions_name_what_they_use_and_nothing_else() {
        let change = Change::when("attribute_not_exists(#claimed) OR #purchase_id = :purchase_id OR #claimed = :free")
            .comparing("free", AttributeValue::Bool(false))
            .set("purchase_id", text("p"))
            .set_once("submitDateTime", text("now"))
            .count("version")
            .remove("image_url");
        let parts = change.into_parts();
        assert_eq!(
            parts.update,
            "SET #purchase_id = :purchase_id, #submitDateTime = if_not_exists(#submitDateTime, :submitDateTime), \
             #version = #version + :one REMOVE #image_url"
        );
        let mut names: Vec<_> = parts.names.iter().map(|(alias, name)| format!("{alias}={name}")).collect();
        names.sort_unstable();
        let expected = [
            "#claimed=claimed",
            "#image_url=image_url",
            "#purchase_id=purchase_id",
            "#submitDateTime=submitDateTime",
            "#version=version",
        ];
        assert_eq!(names, expected);
        let mut values: Vec<_> = parts.values.unwrap().into_keys().collect();
        values.sort_unstable();
        assert_eq!(values, [":free", ":one", ":purchase_id", ":submitDateTime"]);
    }

    #[test]
    fn a_condition_without_values_sends_none() {
        let parts = Change::when("attribute_not_exists(#code_hash)").into_parts();
        assert_eq!((parts.update.as_str(), parts.values), ("", None));
        assert_eq!(parts.names, HashMap::from([("#code_hash".to_owned(), "code_hash".to_owned())]));
    }

    #[test]
    fn the_same_change_is_the_same_request() {
        let attributes = || Attributes::from([("b", text("2")), ("a", text("1")), ("c", text("3"))]);
        let parts = Change::when("attribute_exists(#a)").set_all(attributes()).into_parts();
        assert_eq!(parts.update, "SET #a = :a, #b = :b, #c = :c");
    }
}
