//! Which columns can be features, by the kind of data.

use crate::data::{ColumnKind, DropReason};

/// Which columns are eligible as features.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FeatureFilter {
    /// All columns with information.
    Any,
    /// Numeric columns that vary.
    Channels,
    /// All numeric columns, constant ones included: each is a step of the row's series.
    Steps,
}

impl FeatureFilter {
    pub(super) fn reason(self, kind: ColumnKind, found: Option<DropReason>) -> Option<DropReason> {
        match self {
            FeatureFilter::Any => found,
            FeatureFilter::Steps if found == Some(DropReason::Constant) && kind == ColumnKind::Numeric => None,
            _ if found.is_none() && kind != ColumnKind::Numeric => Some(DropReason::NotNumeric),
            _ => found,
        }
    }

    /// Whether a column that never changes can be a feature where nothing varies.
    pub(super) fn suits(self, kind: ColumnKind) -> bool {
        match self {
            FeatureFilter::Any => kind != ColumnKind::Text,
            FeatureFilter::Channels | FeatureFilter::Steps => kind == ColumnKind::Numeric,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_refuses_by_kind_what_has_no_reason_of_its_own() {
        use ColumnKind::{Category, Numeric};
        use DropReason::{AllMissing, Constant, NotNumeric};
        for (filter, kind, found, expected) in [
            (FeatureFilter::Any, Category, None, None),
            (FeatureFilter::Any, Numeric, Some(Constant), Some(Constant)),
            (FeatureFilter::Channels, Numeric, None, None),
            (FeatureFilter::Channels, Category, None, Some(NotNumeric)),
            (FeatureFilter::Channels, Numeric, Some(Constant), Some(Constant)),
            (FeatureFilter::Steps, Numeric, Some(Constant), None),
            (FeatureFilter::Steps, Numeric, Some(AllMissing), Some(AllMissing)),
            (FeatureFilter::Steps, Category, Some(Constant), Some(Constant)),
        ] {
            assert_eq!(filter.reason(kind, found), expected, "{filter:?} {kind} {found:?}");
        }
    }

    #[test]
    fn where_nothing_varies_networks_take_what_they_can_read() {
        use ColumnKind::{Boolean, Category, Numeric, Text};
        let suits = |filter: FeatureFilter| [Numeric, Boolean, Category, Text].map(|kind| filter.suits(kind));
        assert_eq!(suits(FeatureFilter::Any), [true, true, true, false]);
        assert_eq!(suits(FeatureFilter::Channels), [true, false, false, false]);
    }
}
