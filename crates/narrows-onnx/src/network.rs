//! An encoder or a decoder of the engine as a part of a graph, as it is at inference.
//!
//! ```
//! use narrows_engine::{Latent, Layer, Loss, Network, Output};
//! use narrows_onnx::{Dim, Element, Graph, OperatorSet, Samples, network};
//!
//! let encoder = vec![Layer::dense(3, 2)];
//! let autoencoder = Network::new(encoder, Latent::Point, vec![Layer::dense(2, 3)], Output::single(3, Loss::Bce))?;
//! let params = autoencoder.init(1);
//!
//! let mut graph = Graph::new("autoencoder", OperatorSet::V17);
//! let x = graph.input("x", Element::Float, &[Dim::BATCH, Dim::Fixed(3)]);
//! let code = network::encoder(&mut graph, &autoencoder, &params, Samples::Rows(x))?;
//! let output = network::decoder(&mut graph, &autoencoder, &params, code)?.rows(&mut graph);
//! graph.output("reconstruction", output, Element::Float, &[Dim::BATCH, Dim::Fixed(3)]);
//! # graph.encode(&[])?;
//! # Ok::<(), narrows_onnx::OnnxError>(())
//! ```

use narrows_engine::{Latent, Layer, Network, Params};

use crate::error::OnnxError;
use crate::graph::Graph;
use crate::layer::{self, Weights};
use crate::link;
use crate::samples::Samples;

/// Adds the encoder: samples of the network's inputs to codes; of a Gaussian code, the mean.
///
/// Sequences must have all their steps: absent ones, which are NaN in the engine, have no counterpart.
///
/// # Errors
/// [`OnnxError::Network`] if the network is not valid or the parameters are another network's.
pub fn encoder(graph: &mut Graph, network: &Network, params: &Params, input: Samples) -> Result<Samples, OnnxError> {
    check(network, params)?;
    let encoded = part(graph, "encoder", &network.encoder, params, input);
    Ok(match network.latent {
        // Who stores a quantised code rounds it.
        Latent::Point | Latent::Quantised => encoded,
        Latent::Gaussian => {
            let rows = encoded.rows(graph);
            Samples::Rows(graph.slice(rows, 0, network.code_size() as i64, 1))
        }
    })
}

/// Adds the decoder: codes to predictions, with links applied, so that binary and categorical columns are probabilities.
///
/// # Errors
/// [`OnnxError::Network`] if the network is not valid or the parameters are another network's.
pub fn decoder(graph: &mut Graph, network: &Network, params: &Params, code: Samples) -> Result<Samples, OnnxError> {
    check(network, params)?;
    let values = part(graph, "decoder", &network.decoder, params, code);
    Ok(graph.within("output", |graph| link::add(graph, &network.output, values)))
}

fn check(network: &Network, params: &Params) -> Result<(), OnnxError> {
    network.check()?;
    network.check_params(params)?;
    Ok(())
}

fn part(graph: &mut Graph, name: &str, layers: &[Layer], params: &Params, input: Samples) -> Samples {
    let mut values = vec![input];
    for (i, each) in layers.iter().enumerate() {
        let weights = Weights::new(params, format!("{name}.{i}"));
        let value = graph.within(&format!("{name}/{i}"), |graph| layer::add(graph, each, &weights, &values));
        values.push(value);
    }
    values[layers.len()]
}

#[cfg(test)]
mod tests {
    use narrows_engine::{Activation, Loss, Output};
    use prost::Message;

    use super::*;
    use crate::graph::{Dim, Element, OperatorSet};
    use crate::message::{GraphProto, ModelProto};

    fn autoencoder(inputs: usize) -> Network {
        Network::new(
            vec![Layer::dense(inputs, 6), Layer::Activation(Activation::Tanh), Layer::dense(6, 4)],
            Latent::Gaussian,
            vec![Layer::dense(2, inputs)],
            Output::single(inputs, Loss::Bce),
        )
        .unwrap()
    }

    fn written(network: &Network, params: &Params) -> GraphProto {
        let mut graph = Graph::new("small", OperatorSet::V17);
        graph.scope("member");
        let dims = |width| [Dim::BATCH, Dim::Fixed(width)];
        let x = graph.input("x", Element::Float, &dims(network.inputs()));
        let code = encoder(&mut graph, network, params, Samples::Rows(x)).unwrap();
        let output = decoder(&mut graph, network, params, code).unwrap().rows(&mut graph);
        graph.output("y", output, Element::Float, &dims(network.outputs()));
        let model = ModelProto::decode(&*graph.encode(&[]).unwrap()).unwrap();
        model.graph.unwrap()
    }

    #[test]
    fn nodes_stand_in_order_and_are_named_by_their_layers() {
        let network = autoencoder(3);
        let graph = written(&network, &network.init(1));
        let nodes: Vec<&str> = graph.node.iter().map(|node| node.name.as_deref().unwrap()).collect();
        assert_eq!(
            nodes,
            [
                "member/encoder/0/0/Gemm",
                "member/encoder/1/1/Tanh",
                "member/encoder/2/2/Gemm",
                "member/3/Slice",
                "member/decoder/0/4/Gemm",
                "member/output/5/Sigmoid",
                "output/y"
            ]
        );
        for pair in graph.node.windows(2) {
            assert_eq!(pair[0].output[0], pair[1].input[0]);
        }
        assert_eq!((&*graph.node[0].input[0], &*graph.node[6].output[0]), ("x", "y"));
    }

    #[test]
    fn weights_are_the_engines() {
        let network = autoencoder(3);
        let params = network.init(1);
        let graph = written(&network, &params);
        let floats = graph.initializer.iter().filter(|tensor| tensor.data_type == Some(Element::Float.code()));
        let written: Vec<(Vec<i64>, Vec<f32>)> = floats
            .map(|tensor| {
                let bytes = tensor.raw_data.as_ref().unwrap().as_chunks().0;
                (tensor.dims.clone(), bytes.iter().map(|four| f32::from_le_bytes(*four)).collect())
            })
            .collect();
        let entry = |entry: narrows_engine::Entry<'_>| {
            (entry.shape.iter().map(|n| *n as i64).collect::<Vec<i64>>(), entry.data.to_vec())
        };
        assert_eq!(written, params.entries().map(entry).collect::<Vec<_>>());
    }

    #[test]
    fn networks_and_parameters_that_do_not_fit_are_refused() {
        let (network, other) = (autoencoder(3), autoencoder(4));
        let mut graph = Graph::new("refused", OperatorSet::V17);
        let x = Samples::Rows(graph.input("x", Element::Float, &[Dim::BATCH, Dim::Fixed(3)]));
        let message = encoder(&mut graph, &network, &other.init(1), x).unwrap_err().to_string();
        assert_eq!(message, "`params`: expected encoder.0.weight [6, 3], got encoder.0.weight [6, 4]");
        let broken = Network { decoder: vec![Layer::dense(7, 3)], ..network.clone() };
        let message = decoder(&mut graph, &broken, &broken.init(1), x).unwrap_err().to_string();
        assert!(message.contains("2 inputs, the code size"), "{message}");
    }
}
