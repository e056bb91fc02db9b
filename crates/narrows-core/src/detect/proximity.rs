//! Distances of a row to known rows, and their part in a score.

use super::LogRatio;
use super::scale::{SQUARED, exchange, upper_exchange};
use crate::baseline::{Nearness, Neighbourhood, Neighbours, Overview};
use crate::error::Result;

/// Typical distances to known rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Proximity {
    /// The known rows.
    pub index: References,
    /// The local terms, in the order in which the references measure them.
    pub terms: Vec<DistanceTerm>,
    /// The weight of the residual in a `mix`, where that of each local term is 1; at least 0.
    pub residual: f64,
    /// The global terms of a `mix`.
    pub global: Option<GlobalProximity>,
}

/// Known rows, by what is measured of a row beside them.
#[derive(Debug, Clone, PartialEq)]
pub enum References {
    /// The distance to the k-th nearest.
    Kth(Neighbours),
    /// Mean distances in two views, and the local density.
    Views(Neighbourhood),
}

/// Typical distances to subsamples of the known rows.
#[derive(Debug, Clone, PartialEq)]
pub struct GlobalProximity {
    /// The subsamples.
    pub overview: Overview,
    /// One for each distance.
    pub terms: [DistanceTerm; Overview::MEASURES],
    /// The weight of the global score beside the local one; `None` if it is alone.
    pub weight: Option<f64>,
}

/// One of the distances in a score.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DistanceTerm {
    /// Typical distance.
    pub ratio: LogRatio,
    /// What a unit of the log distance is worth in log residuals, see [`exchange`].
    pub exchange: f64,
}

/// The distances of a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Distances {
    /// One for each local term; empty if the score has none.
    pub local: Vec<f64>,
    /// One for each global term, if the score has any.
    pub global: Option<[f64; Overview::MEASURES]>,
}

impl DistanceTerm {
    /// Fits on the distances and the log residuals of calibration rows; `floor` is the distance that the resolution of the
    /// data makes.
    ///
    /// # Errors
    /// If there are no rows or a distance is not finite.
    pub fn fit(distances: &[f64], floor: f64, residuals: &[f64]) -> Result<DistanceTerm> {
        DistanceTerm::on_scale(distances, floor, |logs| exchange(residuals, logs))
    }

    /// Fits a global one likewise, on the logarithms of the local scores of the calibration rows.
    ///
    /// # Errors
    /// If there are no rows or a distance is not finite.
    pub fn fit_global(distances: &[f64], floor: f64, local: &[f64]) -> Result<DistanceTerm> {
        DistanceTerm::on_scale(distances, floor, |logs| upper_exchange(local, logs))
    }

    fn on_scale(distances: &[f64], floor: f64, exchange: impl FnOnce(&[f64]) -> Result<f64>) -> Result<DistanceTerm> {
        let ratio = LogRatio::fit(distances, floor)?;
        let logs: Vec<f64> = distances.iter().map(|distance| ratio.apply(*distance)).collect();
        Ok(DistanceTerm { ratio, exchange: exchange(&logs)? })
    }

    /// The same, in squares of prepared units: ln d^2 = 2 ln d.
    pub fn squared(self) -> DistanceTerm {
        DistanceTerm { exchange: SQUARED, ..self }
    }

    /// The logarithm of a distance over a typical one, in log residuals.
    pub(crate) fn log(&self, distance: f64) -> f64 {
        self.exchange * self.ratio.apply(distance)
    }
}

impl Nearness {
    /// As the terms of a score.
    fn terms(self) -> Vec<f64> {
        vec![self.standard, self.ranged, self.sparsity]
    }
}

impl References {
    /// The distances of each row of `x`, one per term; see [`Neighbourhood::measure`] for `own`.
    pub fn measure(&self, x: &[f32], own: &[Option<usize>]) -> Vec<Vec<f64>> {
        match self {
            References::Kth(neighbours) => neighbours.distance(x).into_iter().map(|distance| vec![distance]).collect(),
            References::Views(views) => views.measure(x, own).into_iter().map(Nearness::terms).collect(),
        }
    }

    /// The rows, shape `[m, width]`.
    pub fn rows(&self) -> &[f32] {
        match self {
            References::Kth(neighbours) => &neighbours.reference,
            References::Views(views) => views.reference(),
        }
    }

    /// Number of columns.
    pub fn width(&self) -> usize {
        match self {
            References::Kth(neighbours) => neighbours.width,
            References::Views(views) => views.width(),
        }
    }

    /// Number of distances that are measured of a row.
    pub fn n_terms(&self) -> usize {
        match self {
            References::Kth(_) => 1,
            References::Views(_) => 3,
        }
    }
}

impl GlobalProximity {
    /// The weight by which clean data lose little and data with clusters of anomalies gain much
    /// (`bench/one_class.py`, `bench/unsupervised.py`).
    pub(crate) const WEIGHT: f64 = 0.5;

    fn log(&self, distances: [f64; Overview::MEASURES]) -> f64 {
        let logs = self.terms.iter().zip(distances).map(|(term, distance)| term.log(distance));
        logs.sum::<f64>() / Overview::MEASURES as f64
    }
}

impl Proximity {
    /// The weight of the residual by which rows and windows were ranked best (`bench/one_class.py`, `bench/series.py`).
    pub(crate) const RESIDUAL: f64 = 0.5;

    /// The distances of each row of `x` that the score needs.
    pub fn measure(&self, x: &[f32]) -> Vec<Distances> {
        let local = match &self.global {
            Some(GlobalProximity { weight: None, .. }) => Vec::new(),
            _ => self.index.measure(x, &[]),
        };
        let Some(global) = &self.global else {
            return local.into_iter().map(|local| Distances { local, global: None }).collect();
        };
        let global = global.overview.measure(x);
        let mut local = local.into_iter();
        let one = |global| Distances { local: local.next().unwrap_or_default(), global: Some(global) };
        global.into_iter().map(one).collect()
    }

    /// The log ratio of the only distance.
    pub(super) fn distance(&self, distances: &Distances) -> f64 {
        self.terms[0].ratio.apply(distances.local[0])
    }

    /// The logarithm of a `mix`.
    pub(super) fn mix(&self, residual: f64, distances: &Distances) -> f64 {
        let Some((global, measured)) = self.global.as_ref().zip(distances.global) else {
            return self.local(residual, &distances.local);
        };
        match global.weight {
            Some(weight) => self.local(residual, &distances.local).max(weight * global.log(measured)),
            None => global.log(measured),
        }
    }

    /// The weighted mean of the log residual and the log ratios of the local distances.
    pub(crate) fn local(&self, residual: f64, distances: &[f64]) -> f64 {
        let weight = self.residual;
        let terms = self.terms.iter().zip(distances).map(|(term, distance)| term.log(*distance));
        (weight * residual + terms.sum::<f64>()) / (weight + self.terms.len() as f64)
    }

    /// Local and global terms.
    pub(super) fn all_terms(&self) -> impl Iterator<Item = &DistanceTerm> {
        self.terms.iter().chain(self.global.iter().flat_map(|global| &global.terms))
    }

    /// Checks what is read from a file.
    pub(super) fn check(&self) -> Result<(), String> {
        let Proximity { index, terms, residual, .. } = self;
        if terms.len() != index.n_terms() {
            return Err(format!("expected {} terms of distances, got {}", index.n_terms(), terms.len()));
        }
        if !(residual.is_finite() && *residual >= 0.0) {
            return Err(format!("expected a finite weight of the residual of at least 0, got {residual}"));
        }
        if let Some(weight) = self.global.as_ref().and_then(|global| global.weight)
            && !(weight.is_finite() && weight >= 0.0)
        {
            return Err(format!("expected a finite weight of the global score of at least 0, got {weight}"));
        }
        match self.all_terms().find(|term| !term.exchange.is_finite()) {
            Some(term) => Err(format!("expected a finite rate of exchange, got {}", term.exchange)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn term(exchange: f64) -> DistanceTerm {
        DistanceTerm { ratio: LogRatio { median: 1.0, floor: 0.0 }, exchange }
    }

    fn proximity(weight: Option<f64>) -> Proximity {
        let known: Vec<f32> = (0..50).map(|i| i as f32).collect();
        let overview = Overview::fit(&known, &[1.0], 0);
        let index = References::Kth(Neighbours { reference: known, width: 1, k: 2 });
        let global = Some(GlobalProximity { overview, terms: [term(1.0), term(3.0)], weight });
        Proximity { index, terms: vec![term(2.0)], residual: 0.5, global }
    }

    fn distances(local: f64, global: f64) -> Distances {
        Distances { local: vec![local.exp()], global: Some([global.exp(); 2]) }
    }

    #[test]
    fn the_score_is_the_higher_of_local_and_weighted_global() {
        let (both, alone) = (proximity(Some(0.5)), proximity(None));
        let check = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-12, "{found}, not {expected}");
        // (0.5 * 4 + 2 * 5) / 1.5, and 0.5 * (1 + 3) / 2 * 1 or 10.
        check(both.mix(4.0, &distances(5.0, 1.0)), 8.0);
        check(both.mix(4.0, &distances(5.0, 10.0)), 10.0);
        check(alone.mix(4.0, &distances(5.0, 1.0)), 2.0);
        let local = Proximity { global: None, ..both };
        check(local.mix(4.0, &Distances { global: None, ..distances(5.0, 9.0) }), 8.0);
    }

    #[test]
    fn only_what_the_score_needs_is_measured() {
        let of = |proximity: Proximity| proximity.measure(&[3.0, 70.0]);
        let (both, alone) = (of(proximity(Some(0.5))), of(proximity(None)));
        assert_eq!((both.len(), both[1].local.as_slice()), (2, [22.0].as_slice()));
        assert!(alone.iter().all(|row| row.local.is_empty()));
        assert!(both.iter().zip(&alone).all(|(both, alone)| both.global == alone.global && both.global.is_some()));
        let local = of(Proximity { global: None, ..proximity(Some(0.5)) });
        assert!(local.iter().all(|row| row.global.is_none()) && local[0].local == both[0].local);
    }

    #[test]
    fn a_global_term_has_the_upper_spread_of_the_local_score() {
        let distances: Vec<f64> = (0..101).map(|i| (0.01 * f64::from(i)).exp()).collect();
        let local: Vec<f64> = (0..101).map(|i| 0.03 * f64::from(i)).collect();
        let fitted = DistanceTerm::fit_global(&distances, 0.0, &local).unwrap();
        assert!((fitted.exchange - 3.0).abs() < 1e-9 && fitted.ratio.floor == 0.0, "{fitted:?}");
    }

    #[test]
    fn what_is_read_is_checked() {
        let sound = proximity(Some(0.5));
        assert!(proximity(Some(f64::NAN)).check().is_err());
        assert_eq!(sound.check(), Ok(()));
        assert!(Proximity { terms: Vec::new(), ..sound.clone() }.check().is_err());
        assert!(Proximity { residual: -1.0, ..sound.clone() }.check().is_err());
        assert!(Proximity { terms: vec![term(f64::NAN)], ..sound }.check().is_err());
    }
}
