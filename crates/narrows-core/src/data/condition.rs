//! The condition of a filter: tests of columns, joined by `and`, `or` and `not`.

use std::cmp::Ordering;

use super::literal::{Compared, Literal, StoredCell};
use super::outcomes::{Logic, Outcomes};

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

/// What is asked of a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CellTest {
    Compare(Operator, Literal),
    AnyOf(Vec<Literal>),
    Missing,
}

/// A test of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ColumnTest {
    pub(crate) column: String,
    pub(crate) test: CellTest,
}

/// Tests of columns and how they are joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Condition {
    Test(ColumnTest),
    Not(Box<Condition>),
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
}

impl Operator {
    pub(super) fn of(sign: &str) -> Option<Operator> {
        Some(match sign {
            "=" | "==" => Operator::Equal,
            "!=" | "<>" => Operator::Unequal,
            "<" => Operator::Less,
            "<=" => Operator::AtMost,
            ">" => Operator::Greater,
            ">=" => Operator::AtLeast,
            _ => return None,
        })
    }

    /// The operator with both sides exchanged.
    pub(super) fn turned(self) -> Operator {
        match self {
            Operator::Less => Operator::Greater,
            Operator::AtMost => Operator::AtLeast,
            Operator::Greater => Operator::Less,
            Operator::AtLeast => Operator::AtMost,
            same => same,
        }
    }

    fn answer(self, ordering: Ordering) -> bool {
        match self {
            Operator::Equal => ordering.is_eq(),
            Operator::Unequal => ordering.is_ne(),
            Operator::Less => ordering.is_lt(),
            Operator::AtMost => ordering.is_le(),
            Operator::Greater => ordering.is_gt(),
            Operator::AtLeast => ordering.is_ge(),
        }
    }

    fn is_of_equality(self) -> bool {
        matches!(self, Operator::Equal | Operator::Unequal)
    }
}

impl CellTest {
    /// The outcome for a cell, and whether the cell is one that could not be compared.
    pub(super) fn outcome(&self, cell: StoredCell<'_>) -> (Outcomes, bool) {
        match self {
            CellTest::Compare(operator, value) => match value.compare(cell) {
                Compared::Known(ordering) => (Outcomes::of(operator.answer(ordering)), false),
                Compared::Other if operator.is_of_equality() => (Outcomes::of(*operator == Operator::Unequal), false),
                Compared::Missing => (Outcomes::UNKNOWN, false),
                Compared::Other | Compared::Unclear => (Outcomes::UNKNOWN, true),
            },
            CellTest::AnyOf(values) => {
                let (mut outcome, mut is_unclear) = (Outcomes::FALSE, false);
                for value in values {
                    match value.compare(cell) {
                        Compared::Known(Ordering::Equal) => return (Outcomes::TRUE, false),
                        Compared::Known(_) | Compared::Other => {}
                        Compared::Missing => outcome = Outcomes::UNKNOWN,
                        Compared::Unclear => (outcome, is_unclear) = (Outcomes::UNKNOWN, true),
                    }
                }
                (outcome, is_unclear)
            }
            CellTest::Missing => (Outcomes::of(cell.is_missing()), false),
        }
    }

    /// The outcomes that cells which are not missing may have if all lie from `least` to `most`; `None` for an end that is
    /// not known.
    #[cfg(any(test, feature = "parquet"))]
    pub(super) fn between(&self, least: Option<StoredCell<'_>>, most: Option<StoredCell<'_>>) -> Outcomes {
        let compared = |value: &Literal| {
            let end = |cell: Option<StoredCell<'_>>| match cell.map(|cell| value.compare(cell)) {
                Some(Compared::Known(ordering)) => Some(ordering),
                _ => None,
            };
            (end(least), end(most))
        };
        match self {
            CellTest::Compare(operator, value) => {
                let (low, high) = compared(value);
                // A cell compares with the value in any way from how the least one does to how the greatest one does.
                let ways = [Ordering::Less, Ordering::Equal, Ordering::Greater].into_iter();
                let ways = ways.filter(|way| low.is_none_or(|low| low <= *way) && high.is_none_or(|high| *way <= high));
                let outcomes = ways.map(|way| Outcomes::of(operator.answer(way)));
                outcomes.reduce(Outcomes::or_else).unwrap_or(Outcomes::ANY)
            }
            CellTest::AnyOf(values) => {
                let may_equal = values.iter().any(|value| {
                    let (low, high) = compared(value);
                    low.is_none_or(Ordering::is_le) && high.is_none_or(Ordering::is_ge)
                });
                if may_equal { Outcomes::TRUE.or_else(Outcomes::FALSE) } else { Outcomes::FALSE }
            }
            CellTest::Missing => Outcomes::FALSE,
        }
    }

    /// The values that cells are compared with.
    pub(super) fn values(&self) -> &[Literal] {
        match self {
            CellTest::Compare(_, value) => std::slice::from_ref(value),
            CellTest::AnyOf(values) => values,
            CellTest::Missing => &[],
        }
    }
}

impl Condition {
    /// Joins what `of_test` says of each test.
    pub(super) fn evaluate<T: Logic, E>(&self, of_test: &mut impl FnMut(&ColumnTest) -> Result<T, E>) -> Result<T, E> {
        Ok(match self {
            Condition::Test(test) => of_test(test)?,
            Condition::Not(inner) => inner.evaluate(of_test)?.not(),
            Condition::And(a, b) => a.evaluate(of_test)?.and(b.evaluate(of_test)?),
            Condition::Or(a, b) => a.evaluate(of_test)?.or(b.evaluate(of_test)?),
        })
    }

    /// All tests, in the order written.
    pub(super) fn tests(&self) -> Vec<&ColumnTest> {
        match self {
            Condition::Test(test) => vec![test],
            Condition::Not(inner) => inner.tests(),
            Condition::And(a, b) | Condition::Or(a, b) => [a.tests(), b.tests()].concat(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(operator: &str, value: i128, (least, most): (Option<i128>, Option<i128>), expected: Outcomes) {
        let test = CellTest::Compare(Operator::of(operator).unwrap(), Literal::Whole(value));
        let got = test.between(least.map(StoredCell::Whole), most.map(StoredCell::Whole));
        assert_eq!(got, expected, "{operator} {value} within {least:?} to {most:?}");
    }

    #[test]
    fn bounds_tell_what_a_comparison_may_give() {
        let (yes, no, either) = (Outcomes::TRUE, Outcomes::FALSE, Outcomes::TRUE.or_else(Outcomes::FALSE));
        let some = |a, b| (Some(a), Some(b));
        check("=", 5, some(6, 9), no);
        check("=", 5, some(5, 5), yes);
        check("=", 5, some(5, 9), either);
        check("!=", 5, some(5, 5), no);
        check("<", 5, some(5, 9), no);
        check("<=", 5, some(5, 9), either);
        check(">", 5, some(1, 5), no);
        check(">=", 5, some(6, 9), yes);
        check(">=", 5, (None, Some(4)), no);
        check(">=", 5, (Some(4), None), either);
        // Bounds that contradict each other tell nothing.
        check("=", 5, some(9, 1), Outcomes::ANY);
    }

    #[test]
    fn a_list_is_unknown_for_a_missing_cell_and_true_for_an_equal_one() {
        let test = CellTest::AnyOf(vec![Literal::Whole(1), Literal::text("x".to_owned())]);
        assert_eq!(test.outcome(StoredCell::Written("1", false)), (Outcomes::TRUE, false));
        assert_eq!(test.outcome(StoredCell::Written("x", false)), (Outcomes::TRUE, false));
        assert_eq!(test.outcome(StoredCell::Written("", false)), (Outcomes::UNKNOWN, false));
        assert_eq!(test.outcome(StoredCell::Written("y", false)), (Outcomes::UNKNOWN, true));
        assert_eq!(test.outcome(StoredCell::Written("2", false)), (Outcomes::FALSE, false));
    }
}
