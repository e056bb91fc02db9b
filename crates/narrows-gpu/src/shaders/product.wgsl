// A matrix product by tiles, over operands that pass through workgroup memory, 16 of their common side at a time. A workgroup
// has ROW_QUADS * 4 by COLUMN_QUADS * 4 results, a thread 4 by 4. What the operands are, and where the results go, is in the
// file that this is compiled with: `extents`, `left_place`, `left_depth`, `left_value`, the same of the right, and `finish`.
//
// A result is one chain of sums in the order of the common side, wherever its row stands; so a row's results do not depend
// on the other rows. Workgroups of another `z` have another slice of the common side, whose parts `collect` adds up.

const DEEP: u32 = 16u;

var<workgroup> left_tile: array<vec4<f32>, DEEP * ROW_QUADS>;
var<workgroup> right_tile: array<vec4<f32>, DEEP * COLUMN_QUADS>;

@compute @workgroup_size(256)
fn multiply(
    @builtin(workgroup_id) tile: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let size = extents();
    // Tiles of rows that a line of the grid does not hold go on in further lines.
    let across = (size.y + COLUMN_QUADS * 4u - 1u) / (COLUMN_QUADS * 4u);
    let first_row = (tile.x + tile.y / across * groups.x) * ROW_QUADS * 4u;
    let first_column = tile.y % across * COLUMN_QUADS * 4u;
    let begin = tile.z * shape.slice;
    let until = min(begin + shape.slice, size.z);
    // A thread loads values of one depth, at four neighbouring rows of the left or columns of the right. Neighbouring
    // threads have neighbouring depths, which mostly lie side by side.
    let depth = lane % DEEP;
    var sums: array<vec4<f32>, 4>;
    let row = lane / COLUMN_QUADS;
    let column = lane % COLUMN_QUADS;
    for (var k = begin; k < until; k += DEEP) {
        let is_inside = k + depth < until;
        let at_left = left_depth(k + depth);
        let at_right = right_depth(k + depth);
        for (var quad = lane / DEEP; quad < ROW_QUADS; quad += 16u) {
            var a = vec4<f32>();
            if is_inside {
                for (var i = 0u; i < 4u; i++) {
                    a[i] = left_value(left_place(min(first_row + 4u * quad + i, size.x - 1u)), at_left);
                }
            }
            left_tile[depth * ROW_QUADS + quad] = a;
        }
        for (var quad = lane / DEEP; quad < COLUMN_QUADS; quad += 16u) {
            var b = vec4<f32>();
            if is_inside {
                for (var i = 0u; i < 4u; i++) {
                    b[i] = right_value(right_place(min(first_column + 4u * quad + i, size.y - 1u)), at_right);
                }
            }
            right_tile[depth * COLUMN_QUADS + quad] = b;
        }
        workgroupBarrier();
        for (var d = 0u; d < DEEP; d++) {
            let l = left_tile[d * ROW_QUADS + row];
            let r = right_tile[d * COLUMN_QUADS + column];
            sums[0] = fma(vec4(l.x), r, sums[0]);
            sums[1] = fma(vec4(l.y), r, sums[1]);
            sums[2] = fma(vec4(l.z), r, sums[2]);
            sums[3] = fma(vec4(l.w), r, sums[3]);
        }
        workgroupBarrier();
    }
    for (var i = 0u; i < 4u; i++) {
        for (var j = 0u; j < 4u; j++) {
            let to = vec2(first_row + 4u * row + i, first_column + 4u * column + j);
            if to.x < size.x && to.y < size.y {
                finish(to.x, to.y, tile.z, sums[i][j]);
            }
        }
    }
}
