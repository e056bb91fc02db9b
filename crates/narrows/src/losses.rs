//! What images lost when they were read and written, told once for all of them.

use std::collections::BTreeMap;

use narrows_core::images::{Loss, Written};

use crate::talk::{Talk, count};

/// Losses of a run.
#[derive(Debug, Default)]
pub(crate) struct Losses {
    /// The number of files by what they lost, and the first of them.
    files: BTreeMap<Loss, (u64, String)>,
}

impl Losses {
    /// Adds those of a file.
    pub(crate) fn add(&mut self, name: &str, written: &Written) {
        self.add_all(name, &written.lost);
    }

    /// Adds these losses of a file.
    pub(crate) fn add_all(&mut self, name: &str, lost: &[Loss]) {
        // Inks were told when the images were opened.
        for loss in lost.iter().filter(|loss| **loss != Loss::Cmyk) {
            let (n, _) = self.files.entry(*loss).or_insert_with(|| (0, name.to_owned()));
            *n += 1;
        }
    }

    /// Reports them, one line for each kind.
    pub(crate) fn tell(&self, talk: Talk) {
        for line in self.lines() {
            talk.warn(format_args!("{line}"));
        }
    }

    fn lines(&self) -> Vec<String> {
        let line = |(loss, (n, first)): (&Loss, &(u64, String))| match n {
            1 => format!("{first} lost {loss}"),
            n => format!("{} lost {loss}, first {first}", count(*n, "image")),
        };
        self.files.iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_told_once_with_its_number() {
        let mut losses = Losses::default();
        losses.add_all("a.jpg", &[Loss::Alpha, Loss::Xmp]);
        losses.add_all("b.jpg", &[Loss::Alpha]);
        let lines = losses.lines();
        assert_eq!(lines, ["2 images lost the alpha channel, first a.jpg", "a.jpg lost the xmp data"]);
    }
}
