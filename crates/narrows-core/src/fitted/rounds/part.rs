//! The training of a part of the data in a round: some steps from the common weights, on its own rows.

use super::change::WeightsChange;
use super::job::RoundJob;
use super::members;
use crate::data::{RoundRows, Table};
use crate::error::{Error, Result};
use crate::fitted::labels::LabelReader;
use crate::fitted::learning::member_seed;
use crate::fitted::roles::Verdict;
use crate::fitted::table::TableModel;
use crate::prep::Prepared;
use crate::train::{LocalSteps, PreparedSamples, Task, TrainerState};

impl TableModel {
    /// How the rows gathered for a round change the weights. Of a labelled table, normal rows train.
    ///
    /// # Errors
    /// [`Error::Mismatch`] for the job of another network, and for columns that do not fit; [`Error::Diverged`] if the loss
    /// is not finite.
    pub fn train_part(&self, job: &RoundJob, rows: RoundRows) -> Result<WeightsChange> {
        let Some(table) = rows.into_table()? else { return Ok(WeightsChange::default()) };
        let Some(table) = self.normal_rows(table)? else { return Ok(WeightsChange::default()) };
        let prepared = self.adapter.prepare(&table)?.prepared;
        let n = prepared.n;
        let part = table.row_number(0);
        let ensemble = &self.core.scorer.ensemble;
        let each = ensemble.members.first().map_or(0, members::length);
        if job.start.len() != each * ensemble.members.len() || each == 0 {
            return Err(Error::mismatch("expected the weights of this model's networks, got others"));
        }
        let steps = job.order.steps.unwrap_or_else(|| n.div_ceil(job.order.batch) as u64).max(1);
        let mut end = Vec::with_capacity(job.start.len());
        let mut losses = Vec::with_capacity(ensemble.members.len());
        for (member, start) in job.start.chunks_exact(each).enumerate() {
            let start = members::state(&ensemble.members[member], start, job.order.updates)?;
            let (state, loss) = self.train_member(job, member, &start, (&prepared, part), steps)?;
            members::append(&mut end, &state);
            losses.push(loss);
        }
        if end.iter().any(|x| !x.is_finite()) {
            let message =
                format!("the weights are not finite after round {}; try a lower train.learning_rate", job.order.round);
            return Err(Error::Diverged { message });
        }
        let batch = job.order.batch.min(n) as u64;
        let used = (n as u64).min(steps.saturating_mul(batch));
        Ok(WeightsChange::of_part(job.order.round, (&job.start, &end), used, steps, &losses))
    }

    fn train_member(
        &self,
        job: &RoundJob,
        member: usize,
        start: &TrainerState,
        (prepared, part): (&Prepared, u64),
        steps: u64,
    ) -> Result<(TrainerState, f64)> {
        let (recipe, ensemble) = (&self.core.recipe, &self.core.scorer.ensemble);
        let samples = PreparedSamples {
            prepared,
            blocks: self.adapter.pipeline.blocks(),
            corruption: recipe.corruptions()[member],
        };
        let rows: Vec<u32> = (0..prepared.n as u32).collect();
        let order = &job.order;
        // A part's first row tells it from others; a round has streams of its own.
        let seed = member_seed(recipe.seed, member)
            ^ part.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
            ^ u64::from(order.round + 1).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let task = Task {
            member,
            seed,
            network: &ensemble.network,
            samples: &samples,
            rows: &rows,
            validation: &[],
            latent: &recipe.latent,
            sparsity: &recipe.sparsity,
            config: &recipe.train,
        };
        let (before, total) = (u64::from(order.round) * steps, u64::from(order.rounds) * steps);
        LocalSteps { before, count: steps, total, batch: order.batch }.take(&task, start, ensemble.compute())
    }

    /// The rows that a label calls normal, if the model was fitted to those; `None` without any.
    fn normal_rows(&self, table: Table) -> Result<Option<Table>> {
        let Some(label) = &self.core.report.label else { return Ok(Some(table)) };
        let verdicts = LabelReader::new(&label.column, label.normal.as_deref()).read(&table)?;
        let normal: Vec<u32> =
            (0..).zip(&verdicts).filter(|(_, verdict)| **verdict == Verdict::Normal).map(|(row, _)| row).collect();
        Ok(if normal.is_empty() { None } else { Some(table.numbered_rows(&normal)) })
    }
}
