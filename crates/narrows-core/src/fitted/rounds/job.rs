//! What the parts of the data do in a round.

use serde::{Deserialize, Serialize};

use crate::data::framed::{frame, refused, unframe};
use crate::data::{RoundRows, RoundShare};
use crate::error::Result;

/// What the bytes are.
const JOB: &str = "round job";

/// A round to train: the weights to start from, and which rows take part.
#[derive(Debug, Clone, PartialEq)]
pub struct RoundJob {
    pub(super) order: RoundOrder,
    /// Parameters and moments of all members, one after the other.
    pub(super) start: Vec<f32>,
}

/// All of a job but its weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RoundOrder {
    /// The round, from 0.
    pub(super) round: u32,
    /// Number of rounds.
    pub(super) rounds: u32,
    /// Steps to take; by default one pass over the part's rows.
    pub(super) steps: Option<u64>,
    /// Updates done so far, since the fit to the sample.
    pub(super) updates: u64,
    /// Rows of a step.
    pub(super) batch: usize,
    pub(super) share: RoundShare,
    /// Most rows of a part.
    pub(super) most: u64,
}

impl RoundJob {
    /// The round, from 0.
    pub fn round(&self) -> u32 {
        self.order.round
    }

    /// Gathers the rows of a part that belong to the round.
    pub fn rows(&self) -> RoundRows {
        let of_steps = self.order.steps.map(|steps| steps.saturating_mul(self.order.batch as u64));
        RoundRows::new(&self.order.share, self.order.round, of_steps.unwrap_or(u64::MAX).min(self.order.most))
    }

    /// The job as bytes, for other processes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let start: Vec<u8> = self.start.iter().flat_map(|x| x.to_le_bytes()).collect();
        frame(&self.order, &start)
    }

    /// The job that [`to_bytes`](RoundJob::to_bytes) gave.
    ///
    /// # Errors
    /// [`Error::Data`](crate::Error::Data) for other or damaged bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<RoundJob> {
        let (order, start): (RoundOrder, _) = unframe(bytes, JOB)?;
        let (start, rest) = start.as_chunks();
        if !rest.is_empty() || order.batch == 0 {
            return Err(refused(JOB, "others"));
        }
        Ok(RoundJob { order, start: start.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect() })
    }
}
