//! After the first steps, a step allocates nothing; a binary of its own, because the allocator is global.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use narrows_engine::*;

struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: everything is handed to the system's allocator; only a counter is added.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller keeps to the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps to the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn network() -> Network {
    Network::new(
        vec![
            Layer::dense(100, 300),
            Layer::BatchNorm(BatchNorm { features: 300, eps: 1e-5, momentum: 0.1 }),
            Layer::Activation(Activation::Relu),
            Layer::Dropout(Dropout { rate: 0.1 }),
            Layer::dense(300, 20),
        ],
        Latent::Gaussian,
        vec![
            Layer::dense(10, 300),
            Layer::LayerNorm(LayerNorm { features: 300, eps: 1e-5 }),
            Layer::Activation(Activation::Gelu),
            Layer::dense(300, 100),
        ],
        Output::single(100, Loss::Bce),
    )
    .unwrap()
}

fn sequences() -> Network {
    const STEPS: usize = 25;
    let lstm = |inputs, direction, output| Layer::Lstm(Lstm { inputs, hidden: 20, steps: STEPS, direction, output });
    Network::new(
        vec![lstm(4, Direction::Bidirectional, SequenceOutput::Last)],
        Latent::Point,
        vec![
            Layer::Repeat(Repeat { width: 40, steps: STEPS }),
            lstm(40, Direction::Forward, SequenceOutput::All),
            Layer::time_dense(20, 4, STEPS),
        ],
        Output::single(100, Loss::Mse),
    )
    .unwrap()
}

/// Maps of 10 by 10 pixels.
fn map_network() -> Network {
    let down = Conv {
        stride: (2, 2),
        padding: Padding::even(1, 1),
        mode: PaddingMode::Reflect,
        ..Conv::new(Map::new(10, 10, 1), 20, (3, 3))
    };
    let norm = Layer::MapNorm(MapNorm { map: down.output(), eps: 1e-5, momentum: 0.1 });
    let same = Conv::same(down.output(), 6, (3, 3));
    let pool = Pool { stride: (1, 1), ..Pool::new(same.output(), PoolKind::Max, (1, 1)) };
    let group_norm = Layer::GroupNorm(GroupNorm { map: same.output(), groups: 2, eps: 1e-5 });
    let up = ConvTranspose {
        stride: (2, 2),
        padding: Padding::even(1, 1),
        output_padding: (1, 1),
        ..ConvTranspose::new(same.output(), 1, (3, 3))
    };
    Network::new(
        vec![
            Layer::Conv(down),
            norm,
            Layer::Activation(Activation::Relu),
            Layer::Conv(same),
            Layer::Pool(pool),
            Layer::Add(Add { back: 2 }),
        ],
        Latent::Point,
        vec![group_norm, Layer::Activation(Activation::Gelu), Layer::ConvTranspose(up)],
        Output::single(100, Loss::Bce),
    )
    .unwrap()
}

/// Images of 12 by 11 pixels.
fn images() -> Network {
    let map = Map::new(12, 11, 1);
    let conv = Conv::same(map, 4, (3, 3));
    let similarity = Similarity { map, structure: Structure::Ssim, pixels: Pixels::Mse, share: 0.5 };
    let back = Conv::same(conv.output(), 1, (3, 3));
    Network::new(
        vec![Layer::Conv(conv), Layer::Activation(Activation::Relu)],
        Latent::Point,
        vec![Layer::Conv(back)],
        Output::single(132, Loss::Similarity(similarity)),
    )
    .unwrap()
}

#[test]
fn a_step_allocates_nothing() {
    // One test, because others beside it would be counted.
    check(&network());
    check(&map_network());
    check(&sequences());
    check(&images());
}

fn check(network: &Network) {
    const N: usize = 256;
    let input: Vec<f32> = (0..N * network.inputs()).map(|i| (i as f32).sin().abs()).collect();
    let rows: Vec<u32> = (0..N as u32).collect();
    let weights = vec![0.5; N];
    let config = TrainConfig {
        optimizer: Optimizer::AdamW(AdamConfig::default()),
        clip: Some(1.0),
        sparsity: Sparsity::L1 { weight: 0.01 },
    };
    for n in [1, 2] {
        let executor: &dyn Executor = &CpuExecutor::new(Threads::new(n));
        let mut trainer = executor.trainer(network, network.init(1), config, N).unwrap();
        executor.install(|| {
            let mut steps = |count| {
                for epoch in 0..count {
                    let batch = Batch { input: &input, target: &input, rows: &rows, seed: 1, epoch };
                    trainer.step(&batch, 1.0, 1e-3);
                    trainer.forward(&batch);
                    trainer.backward(RowWeights::Given(&weights), 1.0);
                    trainer.update(1e-3);
                }
            };
            steps(3);
            let before = ALLOCATIONS.load(Ordering::Relaxed);
            steps(20);
            let during = ALLOCATIONS.load(Ordering::Relaxed) - before;
            assert_eq!(during, 0, "allocations with {n} threads");
        });
    }
}
