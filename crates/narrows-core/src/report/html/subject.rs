//! What a report is about: rows of a table or of series, whole images, or pieces of them.

use crate::report::Report;

/// What is counted, as a noun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    Row,
    Image,
    /// A piece of an image.
    Piece,
}

impl Subject {
    /// What is read, split and judged.
    pub(super) fn judged(report: &Report) -> Subject {
        if report.images.is_some() { Subject::Image } else { Subject::Row }
    }

    /// What the network sees at once.
    pub(super) fn seen(report: &Report) -> Subject {
        match &report.images {
            Some(images) if images.stride.is_some() => Subject::Piece,
            Some(_) => Subject::Image,
            None => Subject::Row,
        }
    }

    pub(super) fn noun(self) -> &'static str {
        match self {
            Subject::Row => "row",
            Subject::Image => "image",
            Subject::Piece => "piece",
        }
    }

    /// The name of their count.
    pub(super) fn read(self) -> &'static str {
        match self {
            Subject::Row => "rows read",
            Subject::Image => "images read",
            Subject::Piece => "pieces read",
        }
    }

    pub(super) fn plural(self) -> &'static str {
        match self {
            Subject::Row => "rows",
            Subject::Image => "images",
            Subject::Piece => "pieces",
        }
    }
}
