//! The networks that are timed, layer for layer those that `train_step.py` builds in PyTorch.
//!
//! - `dense WIDTHS`: dense layers with ReLU between them.
//! - `sequence ENCODER DECODER STEPS`: recurrent layers of the given widths; the last layer of the decoder
//!   is dense at each step.
//! - `images`: the convolutional autoencoder of the Keras blog for images of 28 by 28.
//! - `series`: strided convolutions over series of 128 steps and back.
//! - `restore SIDE CHANNELS`: eight convolutions that keep a map's size, as a network for restoration does.

use narrows_engine::*;

const RELU: Layer = Layer::Activation(Activation::Relu);

/// The network that the words name.
pub fn network(words: &[&str], loss: Loss) -> Network {
    match words {
        ["dense", list] => dense(&widths(list), loss),
        ["sequence", encoder, decoder, steps] => {
            sequence(&widths(encoder), &widths(decoder), steps.parse().expect("a number of steps"), loss)
        }
        ["images"] => images(loss),
        ["series"] => series(loss),
        ["restore", side, channels] => {
            restore(side.parse().expect("a side"), channels.parse().expect("a number of channels"), loss)
        }
        other => panic!("expected dense, sequence, images, series or restore with their sizes, got {other:?}"),
    }
}

fn widths(word: &str) -> Vec<usize> {
    word.split('-').map(|width| width.parse().expect("a width")).collect()
}

/// Dense layers of the given widths with ReLU between them; the value in the middle is the code.
fn dense(widths: &[usize], loss: Loss) -> Network {
    let code = widths.len() / 2;
    let layers = |range: std::ops::Range<usize>| -> Vec<Layer> {
        range
            .flat_map(|i| {
                let layer = Layer::dense(widths[i], widths[i + 1]);
                if i + 2 < widths.len() { vec![layer, RELU] } else { vec![layer] }
            })
            .collect()
    };
    let output = Output::single(*widths.last().expect("there are widths"), loss);
    Network::new(layers(0..code), Latent::Point, layers(code..widths.len() - 1), output).expect("the widths fit")
}

/// Recurrent layers to a code, the code once a step, recurrent layers and a dense one at each step.
fn sequence(encoder: &[usize], decoder: &[usize], steps: usize, loss: Loss) -> Network {
    let lstm =
        |inputs, hidden, output| Layer::Lstm(Lstm { inputs, hidden, steps, direction: Direction::Forward, output });
    let last = encoder.len() - 2;
    let outputs = |i| if i == last { SequenceOutput::Last } else { SequenceOutput::All };
    let encode = (0..=last).map(|i| lstm(encoder[i], encoder[i + 1], outputs(i))).collect();
    let mut decode = vec![Layer::Repeat(Repeat { width: decoder[0], steps })];
    let (recurrent, dense) = decoder.split_at(decoder.len() - 1);
    decode.extend(recurrent.windows(2).map(|pair| lstm(pair[0], pair[1], SequenceOutput::All)));
    decode.push(Layer::time_dense(*recurrent.last().expect("there are widths"), dense[0], steps));
    let output = Output::single(steps * dense[0], loss);
    Network::new(encode, Latent::Point, decode, output).expect("the widths fit")
}

/// Three convolutions, each with a pool, to 4 by 4 pixels of 8 channels, and four back.
fn images(loss: Loss) -> Network {
    let same = |input, channels| Conv::same(input, channels, (3, 3));
    let halved = |input, padding| Pool { padding, ..Pool::new(input, PoolKind::Max, (2, 2)) };
    let doubled = |input| Upsample { input, kind: UpsampleKind::Nearest, factor: (2, 2) };
    let first = same(Map::new(28, 28, 1), 16);
    let first_pool = halved(first.output(), Padding::NONE);
    let second = same(first_pool.output(), 8);
    let second_pool = halved(second.output(), Padding::NONE);
    let third = same(second_pool.output(), 8);
    let third_pool = halved(third.output(), Padding { bottom: 1, right: 1, ..Padding::NONE });
    let encoder = vec![
        Layer::Conv(first),
        RELU,
        Layer::Pool(first_pool),
        Layer::Conv(second),
        RELU,
        Layer::Pool(second_pool),
        Layer::Conv(third),
        RELU,
        Layer::Pool(third_pool),
    ];
    let first = same(third_pool.output(), 8);
    let first_up = doubled(first.output());
    let second = same(first_up.output(), 8);
    let second_up = doubled(second.output());
    let third = Conv::new(second_up.output(), 16, (3, 3));
    let third_up = doubled(third.output());
    let last = same(third_up.output(), 1);
    let decoder = vec![
        Layer::Conv(first),
        RELU,
        Layer::Upsample(first_up),
        Layer::Conv(second),
        RELU,
        Layer::Upsample(second_up),
        Layer::Conv(third),
        RELU,
        Layer::Upsample(third_up),
        Layer::Conv(last),
    ];
    Network::new(encoder, Latent::Point, decoder, Output::single(784, loss)).expect("the maps fit")
}

/// Two convolutions of stride 2 and two back.
fn series(loss: Loss) -> Network {
    let down =
        |input, channels| Conv { stride: (1, 2), padding: Padding::even(0, 2), ..Conv::new(input, channels, (1, 5)) };
    let up = |input, channels| ConvTranspose {
        stride: (1, 2),
        padding: Padding::even(0, 2),
        output_padding: (0, 1),
        ..ConvTranspose::new(input, channels, (1, 5))
    };
    let first = down(Map::series(128, 1), 32);
    let second = down(first.output(), 64);
    let third = up(second.output(), 32);
    let last = up(third.output(), 1);
    let encoder = vec![Layer::Conv(first), RELU, Layer::Conv(second), RELU];
    let decoder = vec![Layer::ConvTranspose(third), RELU, Layer::ConvTranspose(last)];
    Network::new(encoder, Latent::Point, decoder, Output::single(128, loss)).expect("the maps fit")
}

/// Eight convolutions with ReLU between them; the value in the middle is the code.
fn restore(side: usize, channels: usize, loss: Loss) -> Network {
    let first = Conv::same(Map::new(side, side, 1), channels, (3, 3));
    let inner = Layer::Conv(Conv::same(first.output(), channels, (3, 3)));
    let last = Layer::Conv(Conv::same(first.output(), 1, (3, 3)));
    let encoder = vec![Layer::Conv(first), RELU, inner, RELU, inner, RELU, inner, RELU];
    let decoder = vec![inner, RELU, inner, RELU, inner, RELU, last];
    Network::new(encoder, Latent::Point, decoder, Output::single(side * side, loss)).expect("the maps fit")
}
