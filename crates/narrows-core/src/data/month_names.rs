//! Names of months and of the days of the week.

/// Names of the months, in the languages whose files are met most often: English, German, French, Spanish, Italian and
/// Portuguese. A name may be abbreviated to three letters or more.
#[rustfmt::skip]
const MONTHS: [&[&str]; 12] = [
    &["january", "januar", "jänner", "janvier", "enero", "gennaio", "janeiro"],
    &["february", "februar", "février", "fevrier", "fevereiro", "febbraio"],
    &["march", "märz", "mrz", "mars", "marzo"],
    &["april", "avril", "abril"],
    &["may", "mai", "mayo", "maggio", "maio"],
    &["june", "juni", "juin", "giugno"],
    &["july", "juli", "juillet", "luglio"],
    &["august", "août", "aout", "agosto"],
    &["september", "settembre"],
    &["october", "oktober", "ottobre", "outubro"],
    &["november"],
    &["december", "dezember", "décembre", "decembre", "dicembre", "diciembre"],
];
const WEEKDAYS: [&str; 14] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "montag",
    "dienstag",
    "mittwoch",
    "donnerstag",
    "freitag",
    "samstag",
    "sonntag",
];

/// The month of a name in lower case, in full or abbreviated.
pub(super) fn month_of(word: &str) -> Option<i8> {
    if word.chars().count() < 3 {
        return None;
    }
    let months = MONTHS.iter().zip(1..);
    months.into_iter().find(|(names, _)| names.iter().any(|name| name.starts_with(word))).map(|(_, month)| month)
}

/// Whether a word in lower case is a day of the week, in full or abbreviated.
pub(super) fn is_weekday(word: &str) -> bool {
    word.len() >= 2 && WEEKDAYS.iter().any(|name| name.starts_with(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_in_full_and_abbreviated() {
        for (word, month) in [
            ("jan", 1),
            ("january", 1),
            ("mär", 3),
            ("may", 5),
            ("mai", 5),
            ("juin", 6),
            ("sept", 9),
            ("set", 9),
            ("dez", 12),
            ("dic", 12),
        ] {
            assert_eq!(month_of(word), Some(month), "{word}");
        }
        for word in ["ja", "januaries", "foo", ""] {
            assert_eq!(month_of(word), None, "{word}");
        }
        assert!(is_weekday("fri") && is_weekday("montag") && !is_weekday("x"));
    }
}
