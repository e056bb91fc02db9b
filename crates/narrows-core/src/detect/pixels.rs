//! How well heat maps locate defects: metrics over pixels, with masks as the truth.
//!
//! Heat is counted in bins of its floating-point representation, so that any number of images takes the same memory.

use serde::{Deserialize, Serialize};

/// Mantissa bits that are left out: bins are 2^-11 of their heat wide.
const DROPPED_BITS: u32 = 12;
const BINS: usize = (f32::INFINITY.to_bits() >> DROPPED_BITS) as usize + 1;
/// The false-positive rate up to which overlap is integrated, as in MVTec AD.
const MOST_FALSE: f64 = 0.3;

/// Metrics of heat maps over the pixels of images whose defects are known.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PixelMetrics {
    /// Number of images: normal ones, and anomalous ones with a mask.
    pub images: u64,
    /// Number of connected regions of defects.
    pub regions: u64,
    /// Area under the ROC curve over all pixels.
    pub auc_roc: f64,
    /// Area under the curve of per-region overlap for false-positive rates of up to 0.3, as a share of the largest
    /// (Bergmann et al. 2021, "The MVTec anomaly detection dataset").
    pub aupro: f64,
}

/// Counts pixels by heat.
#[derive(Debug)]
pub struct PixelCounts {
    images: u64,
    regions: u64,
    normal: Vec<u64>,
    defect: Vec<u64>,
    /// Shares of regions.
    overlap: Vec<f64>,
}

impl Default for PixelCounts {
    fn default() -> Self {
        let (images, regions) = (0, 0);
        PixelCounts { images, regions, normal: vec![0; BINS], defect: vec![0; BINS], overlap: vec![0.0; BINS] }
    }
}

impl PixelCounts {
    /// Adds an image of `width` pixels a row by its heat, at least 0, and its mask: true where there is a defect; empty for a
    /// normal image.
    ///
    /// # Panics
    /// If the mask is of another size.
    pub fn add(&mut self, heat: &[f32], mask: &[bool], width: usize) {
        assert!(mask.is_empty() || mask.len() == heat.len(), "expected a mask of {} pixels", heat.len());
        self.images += 1;
        let (labels, sizes) = regions(mask, width);
        self.regions += sizes.len() as u64;
        for (i, heat) in heat.iter().enumerate() {
            let bin = (heat.max(0.0).to_bits() >> DROPPED_BITS) as usize;
            match labels.get(i).copied().flatten() {
                Some(region) => {
                    self.defect[bin] += 1;
                    self.overlap[bin] += 1.0 / sizes[region] as f64;
                }
                None => self.normal[bin] += 1,
            }
        }
    }

    /// The metrics; `None` unless there are pixels of both kinds.
    pub fn metrics(&self) -> Option<PixelMetrics> {
        let normal: u64 = self.normal.iter().sum();
        let defect: u64 = self.defect.iter().sum();
        if normal == 0 || defect == 0 {
            return None;
        }
        let (mut area, mut overlap_area) = (0.0, 0.0);
        let (mut false_rate, mut true_rate, mut overlap) = (0.0, 0.0, 0.0);
        for bin in (0..BINS).rev() {
            let before = (false_rate, true_rate, overlap);
            false_rate += self.normal[bin] as f64 / normal as f64;
            true_rate += self.defect[bin] as f64 / defect as f64;
            overlap += self.overlap[bin] / self.regions as f64;
            area += (false_rate - before.0) * 0.5 * (true_rate + before.1);
            if false_rate > before.0 && before.0 < MOST_FALSE {
                // The last step may reach beyond the limit.
                let share = ((MOST_FALSE - before.0) / (false_rate - before.0)).min(1.0);
                let at_limit = before.2 + share * (overlap - before.2);
                overlap_area += share * (false_rate - before.0) * 0.5 * (before.2 + at_limit);
            }
        }
        let aupro = (overlap_area / MOST_FALSE).min(1.0);
        Some(PixelMetrics { images: self.images, regions: self.regions, auc_roc: area.min(1.0), aupro })
    }
}

/// The region of each pixel, and the sizes of regions: pixels that touch, also by a corner, belong together.
fn regions(mask: &[bool], width: usize) -> (Vec<Option<usize>>, Vec<usize>) {
    let mut labels: Vec<Option<usize>> = vec![None; mask.len()];
    let mut sizes = Vec::new();
    let mut open = Vec::new();
    for start in 0..mask.len() {
        if !mask[start] || labels[start].is_some() {
            continue;
        }
        let region = sizes.len();
        sizes.push(0);
        labels[start] = Some(region);
        open.push(start);
        while let Some(at) = open.pop() {
            sizes[region] += 1;
            let (y, x) = (at / width, at % width);
            for ny in y.saturating_sub(1)..=(y + 1).min(mask.len() / width - 1) {
                for nx in x.saturating_sub(1)..=(x + 1).min(width - 1) {
                    let next = ny * width + nx;
                    if mask[next] && labels[next].is_none() {
                        labels[next] = Some(region);
                        open.push(next);
                    }
                }
            }
        }
    }
    (labels, sizes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(text: &str) -> Vec<bool> {
        text.chars().map(|c| c == '#').collect()
    }

    #[test]
    fn regions_touch_by_sides_and_corners() {
        let (labels, mut sizes) = regions(&mask("#..#.#..#..."), 4);
        assert_eq!(labels[0], labels[5]);
        assert_eq!(labels[5], labels[8]);
        assert_ne!(labels[0], labels[3]);
        sizes.sort_unstable();
        assert_eq!(sizes, [1, 3]);
    }

    #[test]
    fn the_area_is_that_of_scikit_learn() {
        // heat = (numpy.arange(48) * 29 % 48) / 7 + 0.01; labels = heat * 0
        // labels[[3, 4, 15, 16, 30]] = 1; roc_auc_score(labels, heat)
        let heat: Vec<f32> = (0..48).map(|i| (i * 29 % 48) as f32 / 7.0 + 0.01).collect();
        let mut truth = vec![false; 48];
        [3, 4, 15, 16, 30].iter().for_each(|i| truth[*i] = true);
        let mut counts = PixelCounts::default();
        counts.add(&heat, &truth, 12);
        let found = counts.metrics().unwrap();
        let scores: Vec<f64> = heat.iter().map(|heat| f64::from(*heat)).collect();
        let expected = crate::detect::metrics::roc_auc(&scores, &truth).unwrap();
        assert!((found.auc_roc - expected).abs() < 1e-9, "{found:?} {expected}");
        assert_eq!((found.images, found.regions), (1, 2));
    }

    #[test]
    fn a_small_region_counts_as_much_as_a_large_one() {
        // Of two regions the large one is hot, the small one as cold as all else.
        let truth = mask("####.#..............");
        let heat: Vec<f32> = (0..20).map(|i| if i < 4 { 9.0 } else { 1.0 }).collect();
        let mut counts = PixelCounts::default();
        counts.add(&heat, &truth, 20);
        let found = counts.metrics().unwrap();
        // The curve goes from (0, 1/2) straight to (1, 1): at 0.3 it is 0.65.
        assert!((found.aupro - 0.575).abs() < 1e-9, "{found:?}");
        assert!((found.auc_roc - 0.9).abs() < 1e-9);
    }

    #[test]
    fn perfect_maps_have_an_area_of_1_and_images_without_defects_only_normal_pixels() {
        let mut counts = PixelCounts::default();
        counts.add(&[1.0, 2.0, 1.5, 0.0], &[], 2);
        assert_eq!(counts.metrics(), None);
        counts.add(&[3.0, 0.5, 4.0, 0.1], &mask("#.#."), 2);
        let found = counts.metrics().unwrap();
        assert!((found.auc_roc - 1.0).abs() < 1e-12 && (found.aupro - 1.0).abs() < 1e-12, "{found:?}");
        assert_eq!((found.images, found.regions), (2, 1));
    }
}
