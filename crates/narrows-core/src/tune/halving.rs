//! Asynchronous successive halving (Li et al. 2020, "A system for massively parallel hyperparameter tuning") with one
//! worker: the next run depends only on the costs so far, so a search resumed from its journal proceeds identically.
//!
//! Rungs are shares of the training steps. A promoted trial is retrained with the larger share rather than resumed:
//! schedules such as one-cycle span a whole training, so a ninth of the steps is not a prefix of a full training. This
//! costs promoted trials at most half as much again.

/// Reduction factor: one in this many trials on a rung is promoted.
const ETA: usize = 3;
/// Shares of the steps.
const SHARES: [f64; 3] = [1.0 / 9.0, 1.0 / 3.0, 1.0];
/// Fewer steps do not predict the quality of a recipe.
const FEWEST_STEPS: f64 = 100.0;

/// The rungs and the number of trials.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Halving {
    /// Share of the steps of each rung, ascending; the last is 1.
    shares: Vec<f64>,
    n_trials: usize,
}

/// The next run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Job {
    pub(super) trial: usize,
    pub(super) rung: usize,
}

impl Halving {
    /// For `n_trials` trials, with trainings of at most `steps`.
    pub(super) fn new(n_trials: usize, steps: u64) -> Halving {
        let is_long_enough = |share: &f64| *share == 1.0 || share * steps as f64 >= FEWEST_STEPS;
        Halving { shares: SHARES.into_iter().filter(is_long_enough).collect(), n_trials }
    }

    /// The share of the steps on a rung.
    pub(super) fn share(&self, rung: usize) -> f64 {
        self.shares[rung]
    }

    /// The rung of full trainings.
    pub(super) fn last(&self) -> usize {
        self.shares.len() - 1
    }

    /// The rung before it, on which the code size is varied.
    pub(super) fn middle(&self) -> usize {
        self.last().saturating_sub(1)
    }

    /// The next run; `costs` are those of each trial by rung, infinite if it failed.
    pub(super) fn next(&self, costs: &[Vec<f64>]) -> Option<Job> {
        // The first trial is the baseline of the others, so it is always promoted.
        match costs.first() {
            None => return (self.n_trials > 0).then_some(Job { trial: 0, rung: 0 }),
            Some(first) if first.len() < self.shares.len() => return Some(Job { trial: 0, rung: first.len() }),
            Some(_) => {}
        }
        let all_began = costs.len() >= self.n_trials;
        for rung in (1..self.shares.len()).rev() {
            let mut below: Vec<usize> = (0..costs.len()).filter(|trial| costs[*trial].len() >= rung).collect();
            below.sort_by(|a, b| costs[*a][rung - 1].total_cmp(&costs[*b][rung - 1]).then(a.cmp(b)));
            let n = if all_began { below.len().div_ceil(ETA) } else { below.len() / ETA };
            let waits = |trial: &usize| costs[*trial].len() == rung && costs[*trial][rung - 1].is_finite();
            if let Some(trial) = below.into_iter().take(n).find(waits) {
                return Some(Job { trial, rung });
            }
        }
        (!all_began).then_some(Job { trial: costs.len(), rung: 0 })
    }

    /// The runs to come, in order. `cost` is told of each, and gives its cost if that is known, or ends the list.
    ///
    /// A run whose cost is not known yet counts as a bad one: those of the lowest rung are sure to come, and of the
    /// others those that promotions free of it bring.
    pub(super) fn ahead(&self, costs: &[Vec<f64>], mut cost: impl FnMut(Job) -> Option<Option<f64>>) {
        let mut costs = costs.to_vec();
        while let Some(job) = self.next(&costs) {
            let Some(cost) = cost(job) else { return };
            if job.trial == costs.len() {
                costs.push(Vec::new());
            }
            costs[job.trial].push(cost.unwrap_or(f64::INFINITY));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Simulates a search with the given `cost` of a trial, and returns the jobs in order.
    fn jobs(n_trials: usize, steps: u64, cost: impl Fn(Job) -> f64) -> Vec<Job> {
        let halving = Halving::new(n_trials, steps);
        let mut costs: Vec<Vec<f64>> = Vec::new();
        let mut jobs = Vec::new();
        while let Some(job) = halving.next(&costs) {
            if job.trial == costs.len() {
                costs.push(Vec::new());
            }
            costs[job.trial].push(cost(job));
            jobs.push(job);
        }
        jobs
    }

    fn on_rung(jobs: &[Job], rung: usize) -> Vec<usize> {
        jobs.iter().filter(|job| job.rung == rung).map(|job| job.trial).collect()
    }

    #[test]
    fn the_first_trial_comes_through_and_of_others_the_best_third() {
        // Of these the eighth is the best.
        let jobs = jobs(18, 9000, |job| ((7 * job.trial + 5) % 18) as f64);
        assert_eq!(jobs[..3].iter().map(|job| (job.trial, job.rung)).collect::<Vec<_>>(), [(0, 0), (0, 1), (0, 2)]);
        assert_eq!(on_rung(&jobs, 0), (0..18).collect::<Vec<_>>());
        let full = on_rung(&jobs, 2);
        assert!(full.contains(&7) && full.len() <= 6, "{full:?}");
        assert!(on_rung(&jobs, 1).len() <= 9, "bad trials are stopped early");
    }

    #[test]
    fn bad_trials_never_go_up() {
        let jobs = jobs(9, 9000, |job| if job.trial == 0 { 0.0 } else { job.trial as f64 });
        assert!(!on_rung(&jobs, 1).contains(&8));
        assert!(on_rung(&jobs, 2).contains(&0));
    }

    #[test]
    fn failed_trials_are_not_tried_again() {
        let jobs = jobs(6, 9000, |job| if job.trial == 0 { 1.0 } else { f64::INFINITY });
        assert_eq!(on_rung(&jobs, 1), [0]);
    }

    #[test]
    fn runs_to_come_are_foreseen_as_far_as_costs_are_known() {
        let halving = Halving::new(9, 9000);
        let foreseen = |known: &dyn Fn(Job) -> Option<f64>, most: usize| {
            let mut unknown = Vec::new();
            halving.ahead(&[], |job| {
                let cost = known(job);
                unknown.extend(cost.is_none().then_some(job));
                (unknown.len() < most).then_some(cost)
            });
            unknown
        };
        let all_but_the_first = (1..9).map(|trial| Job { trial, rung: 0 });
        let first = (0..3).map(|rung| Job { trial: 0, rung });
        assert_eq!(foreseen(&|_| None, 99), first.chain(all_but_the_first).collect::<Vec<_>>());
        assert_eq!(foreseen(&|_| None, 4).len(), 4);
        let cost = |job: Job| (job.rung == 0).then_some(10.0 - job.trial as f64);
        let promoted = [3, 4, 5, 6, 7, 8].map(|trial| Job { trial, rung: 1 });
        assert!(foreseen(&cost, 99).iter().any(|job| promoted.contains(job)));
    }

    #[test]
    fn short_trainings_have_fewer_rungs() {
        assert_eq!(Halving::new(3, 899).shares, [1.0 / 3.0, 1.0]);
        assert_eq!(Halving::new(3, 60).shares, [1.0]);
        assert_eq!(jobs(3, 60, |_| 1.0).len(), 3);
        assert!(jobs(0, 60, |_| 1.0).is_empty());
    }

    #[test]
    fn two_trials_end_with_the_better_one_in_full() {
        assert_eq!(on_rung(&jobs(2, 9000, |job| 1.0 - job.trial as f64), 2), [0, 1]);
    }
}
