//! The length of a training: steps, epochs, and a least number of steps for few rows.
//!
//! A few dozen rows make one batch, so that epochs alone would end a training after as many steps, with a network that
//! has learnt nothing. A preset therefore has a least number of steps, and what the user sets goes before what the
//! preset has.

use super::Train;

/// The value of a limit that never ends a training.
pub(crate) const UNLIMITED: u32 = u32::MAX;

impl Train {
    /// Maximum number of steps for `n` training rows.
    pub(crate) fn planned_steps(&self, n: usize) -> u64 {
        self.steps.min(self.steps_of_epochs(n).max(self.least_steps))
    }

    fn steps_of_epochs(&self, n: usize) -> u64 {
        let an_epoch = n.div_ceil(self.batch_rows(n).max(1)) as u64;
        u64::from(self.epochs).saturating_mul(an_epoch)
    }

    /// Lifts the limits of the preset that stand against the fields in `named`, by dotted path, which were just set.
    ///
    /// Of `train.steps` and `train.epochs`, the one that is set alone decides. If both are set, both are obeyed, and
    /// the first that is reached ends the training.
    pub(crate) fn give_way(&mut self, named: &[String]) {
        let is_named = |field: &str| named.iter().any(|path| path == field);
        let (steps, epochs) = (is_named("train.steps"), is_named("train.epochs"));
        let least = is_named("train.least_steps");
        match (steps, epochs) {
            (true, false) => self.epochs = UNLIMITED,
            (false, true) => self.steps = u64::from(UNLIMITED),
            (false, false) if least => self.steps = self.steps.max(self.least_steps),
            _ => {}
        }
        if epochs && !least {
            self.least_steps = 0;
        }
    }

    /// What ends the training of `n` rows before a limit that differs from that of the preset, `usual`.
    pub(crate) fn contradiction(&self, usual: &Train, n: usize) -> Option<String> {
        let (by_epochs, planned) = (self.steps_of_epochs(n), self.planned_steps(n));
        if self.steps != usual.steps && self.steps < u64::from(UNLIMITED) && planned < self.steps {
            let (epochs, steps) = (self.epochs, self.steps);
            return Some(format!(
                "train.epochs={epochs} ends the training after {planned} steps, before train.steps={steps}"
            ));
        }
        let is_set = self.epochs != usual.epochs && self.epochs < UNLIMITED;
        (is_set && planned < by_epochs).then(|| {
            let (epochs, steps) = (self.epochs, self.steps);
            format!(
                "train.steps={steps} ends the training before train.epochs={epochs}, which would be {by_epochs} steps"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::choice::Choice;

    fn preset() -> Train {
        Train { epochs: 30, least_steps: 1000, steps: 20_000, batch_size: Choice::Given(64), ..Train::default() }
    }

    fn set(fields: &[(&str, u64)]) -> Train {
        let mut train = preset();
        for (field, value) in fields {
            match *field {
                "train.steps" => train.steps = *value,
                "train.epochs" => train.epochs = *value as u32,
                _ => train.least_steps = *value,
            }
        }
        train.give_way(&fields.iter().map(|(field, _)| (*field).to_owned()).collect::<Vec<_>>());
        train
    }

    fn check(fields: &[(&str, u64)], n: usize, steps: u64, told: Option<&str>) {
        let train = set(fields);
        assert_eq!(train.planned_steps(n), steps, "{fields:?}, {n} rows");
        let found = train.contradiction(&preset(), n);
        assert_eq!(found.is_some(), told.is_some(), "{fields:?}, {n} rows: {found:?}");
        assert!(found.unwrap_or_default().contains(told.unwrap_or_default()));
    }

    #[test]
    fn few_rows_train_for_the_least_number_of_steps_and_many_for_their_epochs() {
        check(&[], 48, 1000, None);
        check(&[], 6_400, 3_000, None);
        check(&[], 640_000, 20_000, None);
    }

    #[test]
    fn what_is_set_alone_decides() {
        check(&[("train.steps", 5000)], 48, 5000, None);
        check(&[("train.steps", 20)], 48, 20, None);
        check(&[("train.epochs", 600)], 48, 600, None);
        check(&[("train.epochs", 600)], 640_000, 6_000_000, None);
        check(&[("train.epochs", 2)], 48, 2, None);
        check(&[("train.least_steps", 50)], 48, 50, None);
        check(&[("train.least_steps", 50_000)], 48, 50_000, None);
    }

    #[test]
    fn what_is_set_together_is_obeyed_and_a_contradiction_is_told() {
        let both = |steps, epochs| [("train.steps", steps), ("train.epochs", epochs)];
        check(&both(5000, 600), 48, 600, Some("after 600 steps, before train.steps=5000"));
        check(&both(5000, 600), 640, 5000, Some("before train.epochs=600, which would be 6000 steps"));
        check(&both(600, 600), 48, 600, None);
        check(&both(5000, u64::from(UNLIMITED)), 48, 5000, None);
        let with_least = [("train.steps", 5000), ("train.epochs", 10), ("train.least_steps", 400)];
        check(&with_least, 48, 400, Some("after 400 steps"));
    }
}
