//! Scores the rows of a request in pieces, so that work that nobody waits for any more ends soon. A row's score does not
//! depend on the piece that it is in; points of series depend on their neighbours and are scored all at once.

use std::mem::size_of;

use narrows_core::data::Table;
use narrows_core::detect::Reason;
use narrows_core::{Explained, ScoreCounts, Scores, TabularModel};

use crate::refusal::Refusal;

/// Rows scored between two looks whether anybody waits.
const PIECE: usize = 4096;

/// Scores a table with so many reasons a row, as long as `check` finds no reason to stop. The reasons may take `most` bytes.
pub(crate) fn explained(
    model: &dyn TabularModel,
    table: &Table,
    reasons: usize,
    most: usize,
    check: impl Fn() -> Result<(), Refusal>,
) -> Result<Explained, Refusal> {
    let rows = table.n_rows();
    let piece = if model.rows_are_independent() { PIECE } else { rows.max(1) };
    check()?;
    let mut whole = model.explain(&table.slice(0, piece.min(rows)), reasons)?;
    let mut size: usize = whole.reasons.iter().map(|reasons| bytes_of(reasons)).sum();
    for first in (piece..rows).step_by(piece) {
        check()?;
        check_size(size, most)?;
        let next = model.explain(&table.slice(first, piece.min(rows - first)), reasons)?;
        size = size.saturating_add(next.reasons.iter().map(|reasons| bytes_of(reasons)).sum());
        append(&mut whole, next);
    }
    check_size(size, most)?;
    Ok(whole)
}

fn check_size(size: usize, most: usize) -> Result<(), Refusal> {
    if size <= most {
        return Ok(());
    }
    let message =
        format!("expected reasons of at most {most} bytes in memory, got more; ask for fewer, or of fewer rows");
    Err(Refusal::too_large(message))
}

/// Bytes of a row's reasons in memory.
fn bytes_of(reasons: &[Reason]) -> usize {
    let texts = |reason: &Reason| reason.column.len() + reason.expected.len() + reason.got.len();
    size_of::<Vec<Reason>>() + reasons.iter().map(|reason| size_of::<Reason>() + texts(reason)).sum::<usize>()
}

/// Adds the scores of further rows.
fn append(all: &mut Explained, more: Explained) {
    let Explained { scores, reasons } = more;
    all.scores.score.extend(scores.score);
    all.scores.p_value.extend(scores.p_value);
    all.scores.is_anomaly.extend(scores.is_anomaly);
    all.scores.flag.extend(scores.flag);
    all.scores.counts.add(&scores.counts);
    all.reasons.extend(reasons);
}

/// The scores of some of the rows, about which there is nothing to tell.
pub(crate) fn part(all: &Explained, rows: std::ops::Range<usize>) -> Explained {
    let Explained { scores, reasons } = all;
    let counts = ScoreCounts {
        rows: rows.len() as u64,
        extra_columns: scores.counts.extra_columns.clone(),
        ..ScoreCounts::default()
    };
    let scores = Scores {
        score: scores.score[rows.clone()].to_vec(),
        p_value: scores.p_value[rows.clone()].to_vec(),
        is_anomaly: scores.is_anomaly[rows.clone()].to_vec(),
        flag: scores.flag[rows.clone()].to_vec(),
        counts,
    };
    Explained { scores, reasons: reasons.get(rows).map(<[_]>::to_vec).unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use narrows_core::{Dataset, Recipe, Session, fit};

    use super::*;

    #[test]
    fn pieces_have_the_scores_of_the_whole_and_end_when_nobody_waits() {
        let x = |n: u32| (0..n).map(|i| f64::from(i) / 31.0);
        let table = |n| {
            let b = x(n).map(|x| if x < 1.0 { f64::NAN } else { x.cos() }).collect();
            Table::from_columns(vec![("a", x(n).map(f64::sin).collect()), ("b", b)]).unwrap()
        };
        let mut recipe = Recipe::preset("simple".parse().unwrap());
        recipe.set("train.steps=30").unwrap();
        let model = fit(&recipe, Dataset::from(table(300)), &Session::default()).unwrap().into_table().unwrap();
        let rows = table(2 * PIECE as u32 + 5);
        let whole = model.explain(&rows, 1).unwrap();
        let pieces = explained(&model, &rows, 1, usize::MAX, || Ok(())).unwrap();
        let bits = |scores: &Scores| scores.score.iter().map(|score| score.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&pieces.scores), bits(&whole.scores));
        assert_eq!((pieces.reasons, pieces.scores.counts.notes()), (whole.reasons, whole.scores.counts.notes()));

        let looks = Cell::new(0);
        let stopped = explained(&model, &rows, 0, usize::MAX, || {
            looks.set(looks.get() + 1);
            if looks.get() == 2 { Err(Refusal::given_up()) } else { Ok(()) }
        });
        assert_eq!((stopped.unwrap_err(), looks.get()), (Refusal::given_up(), 2));
        let large = explained(&model, &rows, 1, 1000, || Ok(())).unwrap_err();
        assert!(large.message.contains("at most 1000 bytes"), "{}", large.message);
    }
}
