// The CPU's random numbers (Philox4x32-10): a pure function of seed, purpose, epoch, row and position.

fn high_product(a: u32, b: u32) -> u32 {
    let a_low = a & 0xffffu;
    let a_high = a >> 16u;
    let b_low = b & 0xffffu;
    let b_high = b >> 16u;
    let middle = a_high * b_low + ((a_low * b_low) >> 16u);
    let low = a_low * b_high + (middle & 0xffffu);
    return a_high * b_high + (middle >> 16u) + (low >> 16u);
}

fn random_block(purpose: u32, row: u32, block: u32) -> vec4<u32> {
    var counter = vec4(block, row, batch.epoch_low, purpose | (batch.epoch_high << 20u));
    var key = vec2(batch.seed_low, batch.seed_high);
    for (var round = 0u; round < 10u; round++) {
        let a_high = high_product(counter.x, 0xd2511f53u);
        let b_high = high_product(counter.z, 0xcd9e8d57u);
        let a_low = counter.x * 0xd2511f53u;
        let b_low = counter.z * 0xcd9e8d57u;
        counter = vec4(b_high ^ counter.y ^ key.x, b_low, a_high ^ counter.w ^ key.y, a_low);
        key += vec2(0x9e3779b9u, 0xbb67ae85u);
    }
    return counter;
}

fn unit(word: u32) -> f32 {
    return f32(word >> 8u) * 5.9604645e-8;
}

// Word `word` of the stream, where 16 blocks lie word by word.
fn random_word(purpose: u32, row: u32, first_block: u32, word: u32) -> u32 {
    let within = word % 64u;
    let block = random_block(purpose, row, first_block + word / 64u * 16u + within % 16u);
    return block[within / 16u];
}

// Value `at` of a stream of standard normals.
fn random_normal(purpose: u32, row: u32, at: u32) -> f32 {
    let pair = at / 64u * 64u + at % 32u;
    let u = fma(f32(random_word(purpose, row, 0u, pair)), 2.3283064e-10, 1.1641532e-10);
    let radius = sqrt(max(-2.0 * logarithm(u), 0.0));
    let turn = sin_cos_turn(random_word(purpose, row, 0u, pair + 32u));
    return radius * select(turn.y, turn.x, at % 64u >= 32u);
}
