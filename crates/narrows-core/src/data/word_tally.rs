//! The words among the numbers or dates of a column, with counts.

/// Different words that are counted; further ones are only known to exist.
const MOST_WORDS: usize = 24;
/// Words that a message names.
const NAMED: usize = 4;
/// Characters of a word that are shown.
const SHOWN: usize = 40;

/// Distinct words with counts, in bounded memory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct WordTally {
    words: Vec<(String, u64)>,
    /// All cells, also of words not counted.
    cells: u64,
}

impl WordTally {
    pub(super) fn push(&mut self, word: &str) {
        self.cells += 1;
        if let Some((_, count)) = self.words.iter_mut().find(|(known, _)| known == word) {
            *count += 1;
        } else if self.words.len() < MOST_WORDS && word.len() <= 4 * SHOWN {
            self.words.push((word.to_owned(), 1));
        }
    }

    /// Whether further words are not counted.
    pub(super) fn is_full(&self) -> bool {
        self.words.len() >= MOST_WORDS
    }

    /// The distinct words.
    pub(super) fn words(&self) -> impl Iterator<Item = &str> {
        self.words.iter().map(|(word, _)| word.as_str())
    }

    /// Whether a word is an open class of numbers, such as `5+`, `<18` or `10-19`.
    pub(super) fn has_class(&self) -> bool {
        self.words().any(is_class)
    }

    /// The most frequent words with their counts, as text; `unfit` are further examples, with a count of one or more.
    pub(super) fn listed(&self, unfit: &[String]) -> String {
        let mut words: Vec<&(String, u64)> = self.words.iter().collect();
        words.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let short = |word: &str| word.chars().take(SHOWN).collect::<String>();
        let mut shown: Vec<String> =
            words.iter().take(NAMED).map(|(word, count)| format!("`{}` ({count})", short(word))).collect();
        shown.extend(unfit.iter().take(NAMED.saturating_sub(shown.len())).map(|word| format!("`{}`", short(word))));
        let named: u64 = words.iter().take(NAMED).map(|(_, count)| *count).sum();
        let text = shown.join(", ");
        if self.cells > named || unfit.len() + words.len() > shown.len() { format!("{text} and others") } else { text }
    }
}

fn is_class(word: &str) -> bool {
    let is_digit = |c: char| c.is_ascii_digit();
    word.contains(is_digit) && (word.ends_with('+') || word.starts_with(['<', '>', '≥', '≤']) || word.contains('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_words_are_named_first_and_memory_is_bounded() {
        let mut tally = WordTally::default();
        ["off", "n.v.", "off"].iter().for_each(|word| tally.push(word));
        assert_eq!(tally.listed(&[]), "`off` (2), `n.v.` (1)");
        assert_eq!(tally.listed(&["3 kg".to_owned()]), "`off` (2), `n.v.` (1), `3 kg`");
        (0..1000).for_each(|i| tally.push(&format!("word {i}")));
        assert!(tally.is_full());
        assert_eq!(tally.words().count(), MOST_WORDS);
        assert!(tally.listed(&[]).starts_with("`off` (2), `n.v.` (1)"));
        assert!(tally.listed(&[]).ends_with(" and others"));
    }
}
