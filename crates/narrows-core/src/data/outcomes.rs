//! What a condition may turn out to be: true, false or unknown, as in SQL, where a missing cell makes a comparison unknown.
//!
//! A row has exactly one outcome. Of rows that are known by bounds only, such as those of a row group, there may be
//! several; they are skipped if true is not among them.

/// A set of outcomes; never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Outcomes(u8);

impl Outcomes {
    pub(super) const TRUE: Outcomes = Outcomes(1);
    pub(super) const FALSE: Outcomes = Outcomes(2);
    pub(super) const UNKNOWN: Outcomes = Outcomes(4);
    /// Nothing is known.
    pub(super) const ANY: Outcomes = Outcomes(7);

    /// The one outcome of a test with this answer.
    pub(super) fn of(answer: bool) -> Outcomes {
        if answer { Outcomes::TRUE } else { Outcomes::FALSE }
    }

    /// Whether these and the others may come out.
    pub(super) fn or_else(self, other: Outcomes) -> Outcomes {
        Outcomes(self.0 | other.0)
    }

    /// Whether true is possible.
    pub(super) fn may_be_true(self) -> bool {
        self.has(Outcomes::TRUE)
    }

    fn has(self, one: Outcomes) -> bool {
        self.0 & one.0 != 0
    }
}

/// Three-valued logic over one outcome or over those of many rows.
pub(super) trait Logic {
    fn not(self) -> Self;
    fn and(self, other: Self) -> Self;
    fn or(self, other: Self) -> Self;
}

impl Logic for Outcomes {
    fn not(self) -> Outcomes {
        Outcomes((self.0 & 4) | ((self.0 & 1) << 1) | ((self.0 & 2) >> 1))
    }

    fn and(self, other: Outcomes) -> Outcomes {
        let (a, b) = (self.0, other.0);
        let is_true = a & b & 1;
        let is_false = (a | b) & 2;
        let is_unknown = ((a & 4 != 0 && b & 5 != 0) || (b & 4 != 0 && a & 5 != 0)) as u8 * 4;
        Outcomes(is_true | is_false | is_unknown)
    }

    fn or(self, other: Outcomes) -> Outcomes {
        self.not().and(other.not()).not()
    }
}

impl Logic for Vec<Outcomes> {
    fn not(mut self) -> Vec<Outcomes> {
        self.iter_mut().for_each(|outcome| *outcome = outcome.not());
        self
    }

    fn and(mut self, other: Vec<Outcomes>) -> Vec<Outcomes> {
        self.iter_mut().zip(other).for_each(|(outcome, other)| *outcome = outcome.and(other));
        self
    }

    fn or(mut self, other: Vec<Outcomes>) -> Vec<Outcomes> {
        self.iter_mut().zip(other).for_each(|(outcome, other)| *outcome = outcome.or(other));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: [Outcomes; 3] = [Outcomes::TRUE, Outcomes::FALSE, Outcomes::UNKNOWN];

    /// The tables of SQL.
    fn and(a: Option<bool>, b: Option<bool>) -> Option<bool> {
        match (a, b) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), Some(true)) => Some(true),
            _ => None,
        }
    }

    fn single(value: Option<bool>) -> Outcomes {
        value.map_or(Outcomes::UNKNOWN, Outcomes::of)
    }

    fn members(set: Outcomes) -> Vec<Option<bool>> {
        let all = [Some(true), Some(false), None];
        all.into_iter().filter(|value| set.has(single(*value))).collect()
    }

    #[test]
    fn sets_of_outcomes_hold_what_their_members_give() {
        for a in (1..8).map(Outcomes) {
            assert_eq!(members(a.not()), {
                let mut expected: Vec<_> = members(a).iter().map(|value| value.map(|value| !value)).collect();
                expected.sort_by_key(|value| [Some(true), Some(false), None].iter().position(|one| one == value));
                expected
            });
            for b in (1..8).map(Outcomes) {
                let mut expected = 0;
                for x in members(a) {
                    members(b).into_iter().for_each(|y| expected |= single(and(x, y)).0);
                }
                assert_eq!(a.and(b), Outcomes(expected), "{a:?} and {b:?}");
                assert_eq!(a.or(b), a.not().and(b.not()).not());
            }
        }
        assert_eq!(ONE.map(Outcomes::may_be_true), [true, false, false]);
        assert_eq!(
            vec![Outcomes::TRUE, Outcomes::UNKNOWN].or(vec![Outcomes::FALSE; 2]),
            [Outcomes::TRUE, Outcomes::UNKNOWN]
        );
    }
}
