//! The kind of samples in a report: rows, images or image patches.

use crate::report::Report;

/// The kind of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::report) enum SampleKind {
    Row,
    Image,
    /// A patch of an image.
    Patch,
}

impl SampleKind {
    /// The unit that is read, split and scored.
    pub(in crate::report) fn scored(report: &Report) -> SampleKind {
        if report.images.is_some() { SampleKind::Image } else { SampleKind::Row }
    }

    /// The unit of the network's input.
    pub(in crate::report) fn network_input(report: &Report) -> SampleKind {
        match &report.images {
            Some(images) if images.stride.is_some() => SampleKind::Patch,
            Some(_) => SampleKind::Image,
            None => SampleKind::Row,
        }
    }

    pub(in crate::report) fn noun(self) -> &'static str {
        match self {
            SampleKind::Row => "row",
            SampleKind::Image => "image",
            SampleKind::Patch => "patch",
        }
    }

    /// The label of a count of samples read.
    pub(in crate::report) fn count_label(self) -> &'static str {
        match self {
            SampleKind::Row => "rows read",
            SampleKind::Image => "images read",
            SampleKind::Patch => "patches read",
        }
    }

    pub(in crate::report) fn plural(self) -> &'static str {
        match self {
            SampleKind::Row => "rows",
            SampleKind::Image => "images",
            SampleKind::Patch => "patches",
        }
    }
}
