//! Kernels: entry points of the shaders, and how they are compiled.
//!
//! Every kernel has the batch at binding 0, its shapes at binding 1, and buffers from binding 2 on.

use std::num::NonZeroU64;

/// An entry point of a shader.
#[derive(Debug)]
pub(crate) struct Kernel {
    /// Distinct for every kernel.
    pub name: &'static str,
    pub entry: &'static str,
    /// The files that make up its shader.
    pub parts: &'static [&'static str],
    /// Bindings that it reads, and that it writes.
    pub reads: &'static [u32],
    pub writes: &'static [u32],
}

/// Bytes of `Batch` in `common.wgsl`.
pub(crate) const BATCH_BYTES: u64 = 48;

const COMMON: &str = include_str!("shaders/common.wgsl");
const MATHS: &str = include_str!("shaders/maths.wgsl");
const RANDOM: &str = include_str!("shaders/random.wgsl");
const REDUCE: &str = include_str!("shaders/reduce.wgsl");
const PRODUCT: &str = include_str!("shaders/product.wgsl");
/// Tiles of 64 by 64 results.
const SQUARE: &str = "const ROW_QUADS: u32 = 16u;\nconst COLUMN_QUADS: u32 = 16u;\n";
/// Tiles of 256 by 16 results, for few columns.
const TALL: &str = "const ROW_QUADS: u32 = 64u;\nconst COLUMN_QUADS: u32 = 4u;\n";
const CORRELATION_SHAPE: &str = include_str!("shaders/correlation_shape.wgsl");

macro_rules! kernels {
    ($($name:ident = $entry:literal of [$($part:expr),*], reads $reads:expr, writes $writes:expr;)*) => {
        $(
            pub(crate) static $name: Kernel = Kernel {
                name: stringify!($name),
                entry: $entry,
                parts: &[COMMON, $($part),*],
                reads: &$reads,
                writes: &$writes,
            };
        )*

        /// All of them.
        #[cfg(test)]
        pub(crate) static ALL: &[&Kernel] = &[$(&$name),*];
    };
}

macro_rules! shader {
    ($name:literal) => {
        include_str!(concat!("shaders/", $name, ".wgsl"))
    };
}

kernels! {
    SQUARE_MATRICES = "multiply" of [SQUARE, shader!("matrices"), PRODUCT], reads [2, 3, 4], writes [5];
    TALL_MATRICES = "multiply" of [TALL, shader!("matrices"), PRODUCT], reads [2, 3, 4], writes [5];
    SQUARE_CORRELATION = "multiply" of [SQUARE, CORRELATION_SHAPE, shader!("correlation"), PRODUCT], reads [2, 3], writes [4];
    TALL_CORRELATION = "multiply" of [TALL, CORRELATION_SHAPE, shader!("correlation"), PRODUCT], reads [2, 3], writes [4];
    SQUARE_ADJOINT = "multiply" of [SQUARE, CORRELATION_SHAPE, shader!("adjoint"), PRODUCT], reads [2, 3], writes [4];
    TALL_ADJOINT = "multiply" of [TALL, CORRELATION_SHAPE, shader!("adjoint"), PRODUCT], reads [2, 3], writes [4];
    SQUARE_WEIGHT_GRADIENT = "multiply" of [SQUARE, CORRELATION_SHAPE, shader!("weight_gradient"), PRODUCT], reads [2, 3], writes [4];
    TALL_WEIGHT_GRADIENT = "multiply" of [TALL, CORRELATION_SHAPE, shader!("weight_gradient"), PRODUCT], reads [2, 3], writes [4];
    COLLECT = "collect" of [shader!("collect")], reads [2], writes [3];
    FOLD = "fold" of [shader!("fold")], reads [2], writes [3];

    COLUMN_SUMS = "sums" of [shader!("columns")], reads [2], writes [5];
    COLUMN_DEVIATIONS = "square_deviations" of [shader!("columns")], reads [2, 3], writes [5];
    COLUMN_PRODUCTS = "products" of [shader!("columns")], reads [2, 3, 4], writes [5];
    FOLLOW_BATCH = "follow_batch" of [shader!("norm")], reads [], writes [7, 8];
    RUNNING_STATISTICS = "running_statistics" of [shader!("norm")], reads [3], writes [7];
    GROUP_STATISTICS = "group_statistics" of [shader!("norm")], reads [2], writes [7];
    NORMALISE = "normalise" of [shader!("norm")], reads [2, 3, 4], writes [7];
    GROUP_SLOPES = "group_slopes" of [shader!("norm")], reads [2, 3, 4, 5], writes [7];
    NORMALISE_BACK = "normalise_back" of [shader!("norm")], reads [2, 3, 4, 5, 6], writes [7];

    ACTIVATE = "activate" of [MATHS, shader!("activation")], reads [2], writes [5];
    ACTIVATE_BACK = "activate_back" of [MATHS, shader!("activation")], reads [2, 3, 4], writes [5];
    ADD = "add" of [RANDOM, MATHS, shader!("rows")], reads [2, 3], writes [5];
    DROP_OUT = "drop_out" of [RANDOM, MATHS, shader!("rows")], reads [2, 4], writes [5];
    WEIGH = "weigh" of [RANDOM, MATHS, shader!("rows")], reads [3], writes [5];
    REPEAT = "repeat" of [RANDOM, MATHS, shader!("rows")], reads [2], writes [5];
    REPEAT_BACK = "repeat_back" of [RANDOM, MATHS, shader!("rows")], reads [2], writes [5];
    PRESENT = "present" of [RANDOM, MATHS, shader!("rows")], reads [2], writes [5, 6];
    WHERE_PRESENT = "where_present" of [RANDOM, MATHS, shader!("rows")], reads [2, 3], writes [5];
    FIRST_COLUMNS = "first_columns" of [RANDOM, MATHS, shader!("rows")], reads [2], writes [5];

    READ_STEP = "read_step" of [MATHS, shader!("lstm")], reads [2], writes [3, 4, 5, 6];
    READ_STEP_BACK = "read_step_back" of [MATHS, shader!("lstm")], reads [2, 7, 8, 9], writes [10, 11, 12];

    POOL = "pool" of [shader!("pool")], reads [2], writes [4];
    POOL_BACK = "pool_back" of [shader!("pool")], reads [2, 3], writes [4];
    NEAREST = "nearest" of [shader!("enlarge")], reads [2], writes [3];
    NEAREST_BACK = "nearest_back" of [shader!("enlarge")], reads [2], writes [3];
    BILINEAR = "bilinear" of [shader!("enlarge")], reads [2], writes [3];
    BILINEAR_BACK = "bilinear_back" of [shader!("enlarge")], reads [2], writes [3];
    SHUFFLE = "shuffle" of [shader!("enlarge")], reads [2], writes [3];
    SHUFFLE_BACK = "shuffle_back" of [shader!("enlarge")], reads [2], writes [3];

    LOSS = "evaluate" of [MATHS, REDUCE, shader!("loss")], reads [2, 3], writes [4, 5];
    CROSS_ENTROPY = "cross_entropy" of [MATHS, REDUCE, shader!("loss")], reads [2, 3], writes [4, 5];
    LINK_IDENTITY = "link_identity" of [MATHS, REDUCE, shader!("loss")], reads [2], writes [4];
    LINK_SIGMOID = "link_sigmoid" of [MATHS, REDUCE, shader!("loss")], reads [2], writes [4];
    LINK_SOFTMAX = "link_softmax" of [MATHS, REDUCE, shader!("loss")], reads [2], writes [4];

    SIMILARITY_BEGIN = "begin" of [MATHS, REDUCE, shader!("similarity")], reads [2, 3], writes [8];
    SIMILARITY_HALVE = "halve" of [MATHS, REDUCE, shader!("similarity")], reads [4], writes [8];
    SIMILARITY_MEASURE = "measure" of [MATHS, REDUCE, shader!("similarity")], reads [4], writes [9];
    SIMILARITY_SUM = "sum_distances" of [MATHS, REDUCE, shader!("similarity")], reads [5], writes [6];
    SIMILARITY_WEIGH = "weigh" of [MATHS, REDUCE, shader!("similarity")], reads [3], writes [6, 10];
    SIMILARITY_COARSE = "slope_coarse" of [MATHS, REDUCE, shader!("similarity")], reads [4, 5, 7], writes [6, 10];
    SIMILARITY_BACK = "slope_back" of [MATHS, REDUCE, shader!("similarity")], reads [3, 4, 5, 7], writes [6, 10];

    DRAW = "draw" of [MATHS, RANDOM, REDUCE, shader!("latent")], reads [2, 3], writes [5];
    DRAW_BACK = "draw_back" of [MATHS, RANDOM, REDUCE, shader!("latent")], reads [2, 3, 4], writes [5];
    PENALTY = "penalty" of [MATHS, RANDOM, REDUCE, shader!("latent")], reads [2], writes [5];
    ACTIVITY = "activity" of [MATHS, REDUCE, shader!("sparsity")], reads [2], writes [5];
    ADD_SIGNS = "add_signs" of [MATHS, REDUCE, shader!("sparsity")], reads [2], writes [4];
    DIVERGENCES = "divergences" of [MATHS, REDUCE, shader!("sparsity")], reads [2], writes [4, 5];
    ADD_SLOPES = "add_slopes" of [MATHS, REDUCE, shader!("sparsity")], reads [3], writes [4];

    SQUARES = "squares" of [REDUCE, shader!("optimiser")], reads [2], writes [4];
    SQUARE_ROOT = "square_root" of [REDUCE, shader!("optimiser")], reads [2], writes [4];
    FOLLOW = "follow" of [REDUCE, shader!("optimiser")], reads [2, 3], writes [5, 6];
}

impl Kernel {
    /// The whole shader.
    pub(crate) fn source(&self) -> String {
        self.parts.concat()
    }

    /// The names and types of the fields of its shapes, in order.
    fn fields(&self) -> Vec<(&'static str, bool)> {
        let mut shapes = self.parts.iter().rev().filter_map(|part| part.split_once("struct Shape {"));
        let (_, rest) = shapes.next().expect("a shader has shapes");
        let (body, _) = rest.split_once('}').expect("the shapes end");
        let fields = body.lines().filter_map(|line| line.trim().trim_end_matches(',').split_once(": "));
        fields.filter(|(name, _)| !name.starts_with("//")).map(|(name, kind)| (name, kind == "f32")).collect()
    }
}

/// A product's kernels for tiles of either shape.
#[derive(Debug)]
pub(crate) struct ProductKernels {
    square: &'static Kernel,
    tall: &'static Kernel,
}

/// Rows and columns of a tile of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tile {
    pub rows: usize,
    pub columns: usize,
}

impl ProductKernels {
    /// The tile for so many columns, and its kernel.
    pub(crate) fn of(&self, columns: usize) -> (Tile, &'static Kernel) {
        if columns <= 32 {
            (Tile { rows: 256, columns: 16 }, self.tall)
        } else {
            (Tile { rows: 64, columns: 64 }, self.square)
        }
    }
}

pub(crate) static MATRICES: ProductKernels = ProductKernels { square: &SQUARE_MATRICES, tall: &TALL_MATRICES };
pub(crate) static CORRELATION: ProductKernels = ProductKernels { square: &SQUARE_CORRELATION, tall: &TALL_CORRELATION };
pub(crate) static ADJOINT: ProductKernels = ProductKernels { square: &SQUARE_ADJOINT, tall: &TALL_ADJOINT };
pub(crate) static WEIGHT_GRADIENT: ProductKernels =
    ProductKernels { square: &SQUARE_WEIGHT_GRADIENT, tall: &TALL_WEIGHT_GRADIENT };

/// A compiled kernel.
#[derive(Debug)]
pub(crate) struct Pipeline {
    pub compute: wgpu::ComputePipeline,
    pub layout: wgpu::BindGroupLayout,
    /// Fields of the shapes: name, and whether it is a float.
    pub fields: Vec<(&'static str, bool)>,
}

impl Pipeline {
    pub(crate) fn new(device: &wgpu::Device, kernel: &'static Kernel) -> Self {
        let fields = kernel.fields();
        let buffer = |binding, ty, size| wgpu::BindGroupLayoutEntry {
            binding,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty: wgpu::BindingType::Buffer { ty, has_dynamic_offset: false, min_binding_size: size },
            count: None,
        };
        let storage = |binding: u32, read_only| buffer(binding, wgpu::BufferBindingType::Storage { read_only }, None);
        let bytes = (4 * fields.len() as u64).next_multiple_of(16);
        let mut entries = vec![
            buffer(0, wgpu::BufferBindingType::Uniform, NonZeroU64::new(BATCH_BYTES)),
            buffer(1, wgpu::BufferBindingType::Uniform, NonZeroU64::new(bytes)),
        ];
        entries.extend(kernel.reads.iter().map(|&binding| storage(binding, true)));
        entries.extend(kernel.writes.iter().map(|&binding| storage(binding, false)));
        let descriptor = wgpu::BindGroupLayoutDescriptor { label: Some(kernel.name), entries: &entries };
        let layout = device.create_bind_group_layout(&descriptor);
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some(kernel.name),
            source: wgpu::ShaderSource::Wgsl(kernel.source().into()),
        });
        let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some(kernel.name),
            bind_group_layouts: &[Some(&layout)],
            ..wgpu::PipelineLayoutDescriptor::default()
        });
        let compute = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(kernel.name),
            layout: Some(&pipeline_layout),
            module: &module,
            entry_point: Some(kernel.entry),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            cache: None,
        });
        Self { compute, layout, fields }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// The bindings that an entry uses, and whether it may write to each; or what is wrong with its shader.
    fn bindings(kernel: &Kernel) -> Result<BTreeMap<u32, bool>, String> {
        let source = kernel.source();
        let module = naga::front::wgsl::parse_str(&source).map_err(|error| error.emit_to_string(&source))?;
        let (flags, capabilities) = (naga::valid::ValidationFlags::all(), naga::valid::Capabilities::empty());
        let checked = naga::valid::Validator::new(flags, capabilities).validate(&module);
        let info = checked.map_err(|error| error.emit_to_string(&source))?;
        let entry = module.entry_points.iter().position(|entry| entry.name == kernel.entry);
        let uses = info.get_entry_point(entry.ok_or("no such entry")?);
        let used = module.global_variables.iter().filter(|(handle, _)| !uses[*handle].is_empty());
        Ok(used
            .filter_map(|(_, variable)| {
                let writes = matches!(variable.space, naga::AddressSpace::Storage { access }
                    if access.contains(naga::StorageAccess::STORE));
                variable.binding.as_ref().map(|binding| (binding.binding, writes))
            })
            .collect())
    }

    /// The shaders are read and checked without a device.
    #[test]
    fn every_kernel_is_a_valid_shader_with_its_bindings() {
        let problem = |kernel: &&'static Kernel| {
            let declared = kernel.reads.iter().map(|&read| (read, false));
            let declared: BTreeMap<u32, bool> =
                declared.chain(kernel.writes.iter().map(|&write| (write, true))).collect();
            let used = bindings(kernel).map(|used| used.into_iter().filter(|(binding, _)| *binding > 1).collect());
            (used.as_ref() != Ok(&declared)).then(|| format!("{}: expected {declared:?}, got {used:?}", kernel.name))
        };
        let problems: Vec<String> = ALL.iter().filter_map(problem).collect();
        assert!(problems.is_empty(), "{}", problems.join("\n").replace("\\n", "\n"));
    }

    #[test]
    fn the_fields_of_shapes_are_found() {
        assert_eq!(ACTIVATE.fields(), [("width", false), ("kind", false)]);
        assert_eq!(SQUARES.fields().last(), Some(&("eps", true)));
        assert_eq!(TALL_CORRELATION.fields().last(), Some(&("slice", false)));
        assert_eq!(SQUARE_MATRICES.fields().len(), 17);
    }
}
