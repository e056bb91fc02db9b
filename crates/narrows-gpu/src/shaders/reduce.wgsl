// Sums over the threads of a workgroup, by halves.

var<workgroup> terms: array<f32, 256>;

fn sum_of_threads(lane: u32, value: f32) -> f32 {
    workgroupBarrier();
    terms[lane] = value;
    workgroupBarrier();
    for (var half = 128u; half > 0u; half /= 2u) {
        if lane < half {
            terms[lane] += terms[lane + half];
        }
        workgroupBarrier();
    }
    return terms[0];
}
