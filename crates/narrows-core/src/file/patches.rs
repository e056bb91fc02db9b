//! What images are scored by local patches with, as a part of a document with tensors, and back.

use narrows_images::Channels;
use serde::{Deserialize, Serialize};

use super::container::{Container, Tensor};
use super::document::{pca, pca_tensors};
use crate::baseline::MemoryBank;
use crate::detect::DistanceTerm;
use crate::fitted::{PatchCut, PatchMemory};

/// The beginning of the tensors' names.
const NAME: &str = "patches";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PatchNote {
    /// Rows and columns of pixels that become one.
    reduction: usize,
    term: DistanceTerm,
    /// Total variance of the values of patches.
    total_variance: f64,
}

impl PatchNote {
    pub(super) fn of(memory: &PatchMemory) -> PatchNote {
        let total_variance = memory.bank.pca.total_variance;
        PatchNote { reduction: memory.cut.reduction, term: memory.term, total_variance }
    }

    pub(super) fn read(self, container: &Container<'_>, channels: Channels) -> Result<PatchMemory, String> {
        let pca = pca(container, NAME, self.total_variance)?;
        let codes = container.f32("patches.codes")?.1;
        let bank = MemoryBank::checked(pca, codes).map_err(|error| error.to_string())?;
        let memory = PatchMemory { bank, cut: PatchCut { reduction: self.reduction, channels }, term: self.term };
        memory.check()?;
        Ok(memory)
    }
}

pub(super) fn tensors(memory: &PatchMemory) -> Vec<Tensor> {
    let MemoryBank { pca, codes } = &memory.bank;
    let mut tensors = Vec::from(pca_tensors(NAME, pca));
    tensors.push(Tensor::f32("patches.codes", &[codes.n_references(), codes.width], &codes.reference));
    tensors
}
