//! The network: drawn from input to output, and listed layer by layer.

use askama::Template;

use super::label::cut;
use super::number::{count, counted};
use super::subject::Subject;
use super::svg::hourglass::Hourglass;
use super::training::denoises;
use crate::report::{Bottleneck, LayerReport, NetworkPart, Report};

/// Layers listed in the open; a longer list is folded.
const LAYERS_OPEN: usize = 12;

/// The section.
#[derive(Template)]
#[template(path = "report/network.html", whitespace = "minimize")]
pub(super) struct Network {
    drawing: Option<Hourglass>,
    layers: Vec<Layer>,
    folded: bool,
    ensemble: String,
    parameters: String,
    loss: String,
    /// What the width of the code means.
    narrowness: String,
    /// What passes through the code, where the fit measured it.
    bottleneck: Option<String>,
}

struct Layer {
    is_code: bool,
    part: &'static str,
    width: String,
    words: String,
}

impl Network {
    pub(super) fn new(report: &Report) -> Network {
        let network = &report.network;
        let members = network.members as u64;
        Network {
            drawing: Hourglass::new(&network.layers),
            layers: network.layers.iter().map(layer).collect(),
            folded: network.layers.len() > LAYERS_OPEN,
            ensemble: if members > 1 {
                format!("{} of this shape, each under a seed and a corruption of its own", counted(members, "network"))
            } else {
                "one network".to_owned()
            },
            parameters: parameters(network.parameters, network.members),
            loss: cut(&network.loss, 400),
            narrowness: narrowness(report, Subject::seen(report)),
            bottleneck: report.bottleneck.as_ref().map(Bottleneck::describe),
        }
    }
}

fn parameters(each: usize, members: usize) -> String {
    match each.checked_mul(members) {
        Some(all) if members > 1 => format!("{} in each, {} together", count(each as u64), count(all as u64)),
        _ => count(each as u64),
    }
}

fn narrowness(report: &Report, subject: Subject) -> String {
    let (inputs, code, noun) = (report.network.inputs, report.network.code_size, subject.noun());
    let (shown_inputs, shown_code) = (counted(inputs as u64, "value"), counted(code as u64, "number"));
    if code < inputs {
        format!(
            "Each {noun} of {shown_inputs} has to pass through {shown_code}: what survives the coder is the pattern of the data."
        )
    } else {
        format!(
            "The code, {shown_code}, is not narrower than a {noun} of {shown_inputs}: by its width alone this network could copy. {}",
            if denoises(&report.training) {
                "What makes it learn is the damage done to its input, which it has to undo."
            } else {
                "Only sparsity, or stopping in time, keeps it from that."
            }
        )
    }
}

fn layer(layer: &LayerReport) -> Layer {
    let part = match layer.part {
        NetworkPart::Input => "input",
        NetworkPart::Encoder => "encoder",
        NetworkPart::Code => "code",
        NetworkPart::Decoder => "decoder",
        NetworkPart::Output => "output",
    };
    Layer {
        is_code: layer.part == NetworkPart::Code,
        part,
        width: count(layer.width as u64),
        words: cut(&layer.words, 200),
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
            let sentence = narrowness(&report, Subject::Row);
            assert!(sentence.contains(expected), "{sentence}");
        };
        check(8, "gaussian", "has to pass");
        check(29, "none", "not narrower");
        check(256, "gaussian", "has to undo");
    }

    #[test]
    fn what_passes_through_the_code_is_told_in_one_line() {
        let mut report = sample::report();
        assert!(!Network::new(&report).render().unwrap().contains("bottleneck"), "older models do not know");
        report.bottleneck = Some(Bottleneck {
            code_size: 256,
            active_units: 201,
            unexplained: 0.02,
            pca_unexplained: None,
            noise_passed: 0.95,
        });
        let page = Network::new(&report).render().unwrap();
        assert!(page.contains("201 of 256 code units active") && page.contains("the network copies"), "{page}");
    }

    #[test]
    fn parameters_are_told_each_and_together() {
        assert_eq!(parameters(1200, 1), "1,200");
        assert_eq!(parameters(1200, 4), "1,200 in each, 4,800 together");
        assert_eq!(parameters(usize::MAX, 2), count(usize::MAX as u64));
    }
}
