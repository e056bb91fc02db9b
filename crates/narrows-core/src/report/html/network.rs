//! The network: drawn from input to output, and listed by layer.

use askama::Template;

use super::number::{count, counted};
use super::sample_kind::SampleKind;
use super::svg::hourglass::Hourglass;
use super::text::cut;
use super::training::denoises;
use crate::report::{Bottleneck, LayerReport, NetworkPart, Report};

/// Layers listed openly; a longer list is folded.
const LAYERS_OPEN: usize = 12;

/// The section.
#[derive(Template)]
#[template(path = "report/network.html", whitespace = "minimize")]
pub(super) struct NetworkSection {
    drawing: Option<Hourglass>,
    layers: Vec<LayerItem>,
    folded: bool,
    ensemble: String,
    parameters: String,
    loss: String,
    /// What the code size implies.
    compression: String,
    /// Measured information flow through the code, if the report has it.
    bottleneck: Option<String>,
}

struct LayerItem {
    is_code: bool,
    part: &'static str,
    width: String,
    description: String,
}

impl NetworkSection {
    pub(super) fn new(report: &Report) -> NetworkSection {
        let network = &report.network;
        let members = network.members as u64;
        NetworkSection {
            drawing: Hourglass::new(&network.layers),
            layers: network.layers.iter().map(layer).collect(),
            folded: network.layers.len() > LAYERS_OPEN,
            ensemble: if members > 1 {
                format!("{} of this architecture, each with its own seed and corruption", counted(members, "network"))
            } else {
                "none (one network)".to_owned()
            },
            parameters: parameters(network.parameters, network.members),
            loss: cut(&network.loss, 400),
            compression: compression(report, SampleKind::network_input(report)),
            bottleneck: report.bottleneck.as_ref().map(Bottleneck::describe),
        }
    }
}

fn parameters(each: usize, members: usize) -> String {
    match each.checked_mul(members) {
        Some(all) if members > 1 => format!("{} per network, {} in total", count(each as u64), count(all as u64)),
        _ => count(each as u64),
    }
}

fn compression(report: &Report, sample_kind: SampleKind) -> String {
    let (inputs, code, noun) = (report.network.inputs, report.network.code_size, sample_kind.noun());
    let (shown_inputs, shown_code) = (counted(inputs as u64, "value"), counted(code as u64, "number"));
    if code < inputs {
        format!("Each {noun} of {shown_inputs} is compressed to {shown_code}.")
    } else {
        format!(
            "Overcomplete: the code of {shown_code} is no smaller than a {noun} of {shown_inputs}, so the network could learn the identity. {}",
            if denoises(&report.training) {
                "It is regularised by denoising: its input is corrupted."
            } else {
                "Only sparsity or early stopping prevents that."
            }
        )
    }
}

fn layer(layer: &LayerReport) -> LayerItem {
    let part = match layer.part {
        NetworkPart::Input => "input",
        NetworkPart::Encoder => "encoder",
        NetworkPart::Code => "code",
        NetworkPart::Decoder => "decoder",
        NetworkPart::Output => "output",
    };
    LayerItem {
        is_code: layer.part == NetworkPart::Code,
        part,
        width: count(layer.width as u64),
        description: cut(&layer.words, 200),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn an_overcomplete_code_is_named_as_such() {
        let check = |code: usize, corruption: &str, expected: &str| {
            let mut report = sample::report();
            report.network.code_size = code;
            report.training.iter_mut().for_each(|training| training.corruption = corruption.to_owned());
            let sentence = compression(&report, SampleKind::Row);
            assert!(sentence.contains(expected), "{sentence}");
        };
        check(8, "gaussian", "is compressed");
        check(29, "none", "Only sparsity");
        check(256, "gaussian", "denoising");
    }

    #[test]
    fn the_bottleneck_is_described_in_one_line() {
        let mut report = sample::report();
        assert!(
            !NetworkSection::new(&report).render().unwrap().contains("bottleneck"),
            "absent in reports of older versions"
        );
        report.bottleneck = Some(Bottleneck {
            code_size: 256,
            active_units: 201,
            unexplained: 0.02,
            pca_unexplained: None,
            noise_passed: 0.95,
        });
        let page = NetworkSection::new(&report).render().unwrap();
        assert!(
            page.contains("201 of 256 code units active") && page.contains("the network learnt the identity"),
            "{page}"
        );
    }

    #[test]
    fn parameters_are_given_per_network_and_in_total() {
        assert_eq!(parameters(1200, 1), "1,200");
        assert_eq!(parameters(1200, 4), "1,200 per network, 4,800 in total");
        assert_eq!(parameters(usize::MAX, 2), count(usize::MAX as u64));
    }
}
