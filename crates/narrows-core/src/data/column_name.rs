//! What the name of a column says about it.

/// Whether a name says that the column identifies: `id`, `user_id`, `PassengerId`, `Invoice No.`.
pub(super) fn is_named_identifier(name: &str) -> bool {
    let words = words_of(name);
    let is_id = |word: &String| ["id", "ids", "uid", "guid", "uuid", "pk", "rowid"].contains(&word.as_str());
    let is_last =
        |word: &String| ["no", "nr", "num", "number", "index", "idx", "key", "row", "serial"].contains(&word.as_str());
    name.eq_ignore_ascii_case("unnamed: 0") || words.iter().any(is_id) || words.last().is_some_and(is_last)
}

/// Whether a name says that the column holds times: `timestamp`, `created_at_utc`, `ts`.
pub(super) fn is_named_time(name: &str) -> bool {
    let is_time = |word: &String| {
        ["ts", "epoch", "unix", "utc"].contains(&word.as_str())
            || ["time", "date"].iter().any(|part| word.ends_with(part) || word.starts_with(part))
    };
    words_of(name).iter().any(is_time)
}

/// The words of a name in snake, camel or any other case, in lower case.
fn words_of(name: &str) -> Vec<String> {
    let mut words: Vec<String> = vec![String::new()];
    let mut was_lower = false;
    for c in name.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && was_lower) {
            words.push(String::new());
        }
        if c.is_alphanumeric() {
            words.last_mut().expect("one word").extend(c.to_lowercase());
        }
        was_lower = c.is_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_into_words() {
        assert_eq!(words_of("PassengerId"), ["passenger", "id"]);
        assert_eq!(words_of("Invoice No."), ["invoice", "no"]);
        assert_eq!(words_of("created_at2"), ["created", "at2"]);
    }

    #[test]
    fn names_tell_identifiers_and_times() {
        for name in ["user_id", "PassengerId", "guest_no", "Invoice Number", "id", "Unnamed: 0"] {
            assert!(is_named_identifier(name), "{name}");
        }
        for name in ["humid", "no_of_items", "keys", "amount"] {
            assert!(!is_named_identifier(name), "{name}");
        }
        assert!(is_named_time("timestamp") && is_named_time("EventTime") && is_named_time("created_ts"));
        assert!(!is_named_time("tests") && !is_named_time("amount"));
    }
}
