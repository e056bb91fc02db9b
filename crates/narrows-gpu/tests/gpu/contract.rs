//! The contract of executors.

use narrows_engine::{Executor, Layer, Network, contract};

use crate::executor;

/// Layers whose bits must be those of the CPU.
fn only_on_cpu(network: &Network) -> bool {
    let mut layers = network.encoder.iter().chain(&network.decoder);
    layers.any(|layer| matches!(layer, Layer::Lapped(_) | Layer::Rounding(_)))
}

/// Checks with so many rows: a software driver is slow on maps.
fn check(number: usize, rows: usize) {
    if let Some(executor) = executor() {
        contract::check_network(&executor, &contract::networks()[number], rows);
    }
}

#[test]
fn dense_layers_norms_and_a_gaussian_code() {
    check(0, 85);
}

#[test]
fn activations_and_a_quantised_code() {
    check(1, 85);
}

#[test]
fn sequences_with_absent_steps() {
    check(2, 85);
}

#[test]
fn maps_padded_with_zeros() {
    check(3, 13);
}

#[test]
fn maps_that_are_reflected_with_a_loss_by_structure() {
    check(4, 13);
}

#[test]
fn maps_that_are_replicated_with_a_loss_of_structure_and_pixels() {
    check(5, 13);
}

#[test]
fn what_does_not_fit_is_refused() {
    if let Some(executor) = executor() {
        contract::check_refusals(&executor);
    }
}

#[test]
fn layers_without_a_kernel_are_refused_by_name() {
    let Some(executor) = executor() else { return };
    let networks = contract::networks();
    let refused: Vec<&Network> = networks.iter().filter(|network| only_on_cpu(network)).collect();
    assert_eq!(refused.len(), 1);
    for network in refused {
        let error = executor.prepare(network, &network.init(0)).unwrap_err().to_string();
        assert!(error.starts_with("`encoder.0 Lapped(") && error.contains("only the CPU"), "{error}");
    }
}
