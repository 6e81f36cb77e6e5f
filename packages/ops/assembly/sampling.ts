/**
 * @file Bilinear sampling: images at any positions, and both gradients.
 */

/** How a pixel of a block lies in memory: all of its channels side by side. */
class Pixel4 {
  a: v128;
}
class Pixel8 extends Pixel4 {
  b: v128;
}
class Pixel16 extends Pixel8 {
  c: v128;
  d: v128;
}

/** Samples per tile. */
const tileSamples: i32 = 32;

/** Whether weights are those of the values or those of the slopes. */

export function gridTaps(
  from: i32,
  to: i32,
  offsets: usize,
  weights: usize,
  grid: usize,
  height: i32,
  width: i32,
  padding: i32,
  alignCorners: i32,
  slopes: i32,
  pixelBytes: i32,
): void {
  const last = f64x2.replace_lane(f64x2.splat(<f64>(width - 1)), 1, <f64>(height - 1));
  const shift = f64x2.splat(alignCorners ? 0 : 1);
  const extent = f64x2.add(last, shift);
  const half = f64x2.splat(0.5);
  const zero = f64x2.splat(0);
  const one = f64x2.splat(1);
  const low = f64x2.mul(shift, f64x2.splat(-0.5));
  const rowPixels = width + 2;
  for (let i = from; i < to; i++) {
    const g = f64x2.promote_low_f32x4(v128.load64_zero(grid + (<usize>i << 3)));
    let p = f64x2.mul(f64x2.sub(f64x2.mul(f64x2.add(g, one), extent), shift), half);
    const small = f64x2.lt(f64x2.abs(p), f64x2.splat(1.7014118346046923e38));
    p = v128.bitselect(p, f64x2.mul(p, f64x2.splat(Infinity)), small);
    let slope = f64x2.mul(extent, half);
    if (padding == 0) {
      const outside = v128.not(v128.and(f64x2.ge(p, f64x2.splat(-1)), f64x2.le(p, extent)));
      // to be completed below
    }
    if (padding == 2) {
      const span = extent;
      const distance = f64x2.abs(f64x2.sub(p, low));
      const period = f64x2.add(span, span);
      const way = f64x2.sub(distance, f64x2.mul(f64x2.floor(f64x2.div(distance, period)), period));
      const returning = f64x2.ge(way, span);
      const backwards = v128.xor(f64x2.lt(p, low), returning);
      slope = v128.bitselect(f64x2.neg(slope), slope, backwards);
      p = f64x2.add(low, v128.bitselect(f64x2.sub(period, way), way, returning));
    }
    if (padding != 0) {
      const inside = v128.and(f64x2.gt(p, zero), f64x2.lt(p, last));
      p = v128.bitselect(p, v128.and(last, f64x2.ge(p, last)), inside);
      slope = v128.and(slope, inside);
    }
    let floor = f64x2.floor(p);
    const t = f64x2.sub(p, floor);
    if (padding == 0) {
      const reads = v128.and(f64x2.ge(floor, f64x2.splat(-1)), f64x2.le(floor, last));
      floor = v128.bitselect(floor, f64x2.add(last, one), reads);
    }
    const pixel = i32x4.trunc_sat_f64x2_s_zero(floor);
    const index = (i32x4.extract_lane(pixel, 1) + 1) * rowPixels + i32x4.extract_lane(pixel, 0) + 1;
    store<i32>(offsets + (<usize>i << 2), index * pixelBytes);
    storeWeights(
      weights + (<usize>i << 4),
      f32x4.demote_f64x2_zero(t),
      f32x4.demote_f64x2_zero(f64x2.sub(one, t)),
      f32x4.demote_f64x2_zero(slope),
      slopes,
    );
  }
}

/** t, u, slope: (x, y) in the first two lanes */
function storeWeights(at: usize, t: v128, u: v128, slope: v128, slopes: i32): void {
  if (slopes) {
    // (uy, ty, ux, tx) (sx, sx, sy, sy)
    const a = v128.shuffle<f32>(u, t, 1, 5, 0, 4);
    v128.store(at, f32x4.mul(a, v128.shuffle<f32>(slope, slope, 0, 0, 1, 1)));
  } else {
    // (ux, tx, ux, tx) (uy, uy, ty, ty)
    v128.store(at, f32x4.mul(v128.shuffle<f32>(u, t, 0, 4, 0, 4), v128.shuffle<f32>(u, t, 1, 1, 5, 5)));
  }
}

/** item: row p of image n of the pass */
export function offsetTaps(
  from: i32,
  to: i32,
  offsets: usize,
  weights: usize,
  moves: usize,
  firstImage: i32,
  groups: i32,
  scale: i32,
  height: i32,
  width: i32,
  slopes: i32,
  pixelBytes: i32,
): void {
  const rows = height * scale;
  const rowSamples = width * scale;
  const rowPixels = width + 2;
  const plane = <usize>(height * width) << 2;
  const one = f32x4.splat(1);
  const lastX = f32x4.splat(<f32>(width - 1));
  const lastY = f32x4.splat(<f32>(height - 1));
  for (let item = from; item < to; item++) {
    const image = firstImage + item / rows;
    const p = item % rows;
    const h = p / scale;
    const n = image / groups;
    const group = 2 * n * groups + (image % groups);
    const row = f32x4.splat(<f32>h);
    for (let j = 0; j < scale; j++) {
      const channel = (group * scale + (p % scale)) * scale + j;
      const alongX = moves + channel * plane + (<usize>(h * width) << 2);
      const alongY = alongX + <usize>(groups * scale * scale) * plane;
      for (let w = 0; w < width; w += 4) {
        const count = width - w;
        const at = <usize>w << 2;
        const moveX = loadUpTo4(alongX + at, count);
        const moveY = loadUpTo4(alongY + at, count);
        const column = f32x4.add(f32x4.splat(<f32>w), f32x4(0, 1, 2, 3));
        const floorX = f32x4.floor(moveX);
        const floorY = f32x4.floor(moveY);
        let left = f32x4.add(column, floorX);
        let top = f32x4.add(row, floorY);
        let tx = f32x4.sub(moveX, floorX);
        let ty = f32x4.sub(moveY, floorY);
        // rounding up to 1 stays
        const insideX = insideBorder(left, tx, lastX);
        const insideY = insideBorder(top, ty, lastY);
        left = v128.bitselect(left, v128.and(lastX, f32x4.ge(left, lastX)), insideX);
        top = v128.bitselect(top, v128.and(lastY, f32x4.ge(top, lastY)), insideY);
        tx = v128.and(tx, insideX);
        ty = v128.and(ty, insideY);
        const ux = f32x4.sub(one, tx);
        const uy = f32x4.sub(one, ty);
        const index = i32x4.add(
          i32x4.mul(i32x4.trunc_sat_f32x4_s(top), i32x4.splat(rowPixels)),
          i32x4.add(i32x4.trunc_sat_f32x4_s(left), i32x4.splat(rowPixels + 1)),
        );
        const bytes = i32x4.mul(index, i32x4.splat(pixelBytes));
        let w0: v128, w1: v128, w2: v128, w3: v128;
        if (slopes) {
          w0 = v128.and(uy, insideX);
          w1 = v128.and(ty, insideX);
          w2 = v128.and(ux, insideY);
          w3 = v128.and(tx, insideY);
        } else {
          w0 = f32x4.mul(ux, uy);
          w1 = f32x4.mul(tx, uy);
          w2 = f32x4.mul(ux, ty);
          w3 = f32x4.mul(tx, ty);
        }
        const sample = item * rowSamples + w * scale + j;
        const step = <usize>scale << 4;
        const to = weights + (<usize>sample << 4);
        const low01 = v128.shuffle<f32>(w0, w1, 0, 4, 1, 5);
        const low23 = v128.shuffle<f32>(w2, w3, 0, 4, 1, 5);
        const high01 = v128.shuffle<f32>(w0, w1, 2, 6, 3, 7);
        const high23 = v128.shuffle<f32>(w2, w3, 2, 6, 3, 7);
        const toOffset = offsets + (<usize>sample << 2);
        const offsetStep = <usize>scale << 2;
        v128.store(to, v128.shuffle<f64>(low01, low23, 0, 2));
        v128.store_lane<i32>(toOffset, bytes, 0);
        if (count > 1) {
          v128.store(to + step, v128.shuffle<f64>(low01, low23, 1, 3));
          v128.store_lane<i32>(toOffset + offsetStep, bytes, 1);
        }
        if (count > 2) {
          v128.store(to + 2 * step, v128.shuffle<f64>(high01, high23, 0, 2));
          v128.store_lane<i32>(toOffset + 2 * offsetStep, bytes, 2);
        }
        if (count > 3) {
          v128.store(to + 3 * step, v128.shuffle<f64>(high01, high23, 1, 3));
          v128.store_lane<i32>(toOffset + 3 * offsetStep, bytes, 3);
        }
      }
    }
  }
}

/** Whether 0 < floor + t < last */
function insideBorder(floor: v128, t: v128, last: v128): v128 {
  const zero = f32x4.splat(0);
  const above = v128.or(f32x4.gt(floor, zero), v128.and(f32x4.eq(floor, zero), f32x4.gt(t, zero)));
  return v128.and(above, f32x4.lt(floor, last));
}

function loadUpTo4(from: usize, count: i32): v128 {
  if (count >= 4) return v128.load(from);
  let v = v128.load32_zero(from);
  if (count > 1) v = v128.load_lane<f32>(from + 4, v, 1);
  if (count > 2) v = v128.load_lane<f32>(from + 8, v, 2);
  return v;
}

function storeUpTo4(to: usize, v: v128, count: i32): void {
  if (count >= 4) {
    v128.store(to, v);
    return;
  }
  v128.store_lane<f32>(to, v, 0);
  if (count > 1) v128.store_lane<f32>(to + 4, v, 1);
  if (count > 2) v128.store_lane<f32>(to + 8, v, 2);
}

/** planes -> pixels. Writes whole groups of 4 pixels; what is missing is 0. */
function toPixels<T>(from: usize, plane: usize, to: usize, count: i32, channels: i32): void {
  for (let group: usize = 0; group < offsetof<T>(); group += 16) {
    const b = from + plane;
    const c = b + plane;
    const d = c + plane;
    let i = 0;
    let pixel = to + group;
    if (channels >= 4) {
      for (; i + 4 <= count; i += 4) {
        const at = <usize>i << 2;
        store4<T>(pixel, v128.load(from + at), v128.load(b + at), v128.load(c + at), v128.load(d + at));
        pixel += 4 * offsetof<T>();
      }
    }
    for (; i < count; i += 4) {
      const at = <usize>i << 2;
      const zero = f32x4.splat(0);
      const rest = count - i;
      store4<T>(
        pixel,
        channels > 0 ? loadUpTo4(from + at, rest) : zero,
        channels > 1 ? loadUpTo4(b + at, rest) : zero,
        channels > 2 ? loadUpTo4(c + at, rest) : zero,
        channels > 3 ? loadUpTo4(d + at, rest) : zero,
      );
      pixel += 4 * offsetof<T>();
    }
    from = d + plane;
    channels -= 4;
  }
}

function store4<T>(to: usize, a: v128, b: v128, c: v128, d: v128): void {
  const ab = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
  const cd = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
  v128.store(to, v128.shuffle<f64>(ab, cd, 0, 2));
  v128.store(to, v128.shuffle<f64>(ab, cd, 1, 3), offsetof<T>());
  const ab2 = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
  const cd2 = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<f64>(ab2, cd2, 0, 2), 2 * offsetof<T>());
  v128.store(to, v128.shuffle<f64>(ab2, cd2, 1, 3), 3 * offsetof<T>());
}

/** pixels -> planes */
function toPlanes<T>(from: usize, to: usize, plane: usize, count: i32, channels: i32): void {
  for (let group: usize = 0; group < offsetof<T>(); group += 16) {
    if (channels <= 0) return;
    let pixel = from + group;
    for (let i = 0; i < count; i += 4) {
      const rest = count - i;
      const p0 = v128.load(pixel);
      const p1 = v128.load(pixel, offsetof<T>());
      const p2 = v128.load(pixel, 2 * offsetof<T>());
      const p3 = v128.load(pixel, 3 * offsetof<T>());
      const a = v128.shuffle<f32>(p0, p1, 0, 4, 1, 5);
      const b = v128.shuffle<f32>(p2, p3, 0, 4, 1, 5);
      const c = v128.shuffle<f32>(p0, p1, 2, 6, 3, 7);
      const d = v128.shuffle<f32>(p2, p3, 2, 6, 3, 7);
      const at = to + (<usize>i << 2);
      storeUpTo4(at, v128.shuffle<f64>(a, b, 0, 2), rest);
      if (channels > 1) storeUpTo4(at + plane, v128.shuffle<f64>(a, b, 1, 3), rest);
      if (channels > 2) storeUpTo4(at + 2 * plane, v128.shuffle<f64>(c, d, 0, 2), rest);
      if (channels > 3) storeUpTo4(at + 3 * plane, v128.shuffle<f64>(c, d, 1, 3), rest);
      pixel += 4 * offsetof<T>();
    }
    to += 4 * plane;
    channels -= 4;
  }
}

/** image block into pixels */
function readBlock<T>(x: usize, block: usize, height: i32, width: i32, channels: i32): void {
  const rowBytes = <usize>(width + 2) * offsetof<T>();
  const plane = <usize>(height * width) << 2;
  let to = block + rowBytes + offsetof<T>();
  for (let h = 0; h < height; h++) {
    toPixels<T>(x, plane, to, width, channels);
    x += <usize>width << 2;
    to += rowBytes;
  }
}

function blockBytes<T>(height: i32, width: i32): usize {
  return (<usize>(height + 3) * (width + 2) + 4) * offsetof<T>();
}

function mix(w0: v128, w1: v128, w2: v128, w3: v128, a: v128, b: v128, c: v128, d: v128): v128 {
  return f32x4.add(f32x4.add(f32x4.mul(w0, a), f32x4.mul(w1, b)), f32x4.add(f32x4.mul(w2, c), f32x4.mul(w3, d)));
}

function sample<T>(
  from: i32,
  to: i32,
  tile: usize,
  y: usize,
  x: usize,
  offsets: usize,
  weights: usize,
  channels: i32,
  height: i32,
  width: i32,
  area: i32,
): void {
  const perBlock = <i32>(offsetof<T>() >> 2);
  const blocks = (channels + perBlock - 1) / perBlock;
  const block = tile + tileSamples * offsetof<T>();
  const rowBytes = <usize>(width + 2) * offsetof<T>();
  const plane = <usize>area << 2;
  memory.fill(block, 0, blockBytes<T>(height, width));
  for (let item = from; item < to; item++) {
    const image = item / blocks;
    const channel = (item % blocks) * perBlock;
    const first = image * channels + channel;
    const count = min(perBlock, channels - channel);
    readBlock<T>(x + ((<usize>first * height * width) << 2), block, height, width, count);
    const planes = y + <usize>first * plane;
    for (let start = 0; start < area; start += tileSamples) {
      const samples = min(tileSamples, area - start);
      let offset = offsets + (<usize>(image * area + start) << 2);
      let weight = weights + (<usize>(image * area + start) << 4);
      let pixel = tile;
      for (let i = 0; i < samples; i++) {
        const upper = block + load<u32>(offset);
        const lower = upper + rowBytes;
        const w0 = v128.load32_splat(weight);
        const w1 = v128.load32_splat(weight, 4);
        const w2 = v128.load32_splat(weight, 8);
        const w3 = v128.load32_splat(weight, 12);
        v128.store(
          pixel,
          mix(
            w0,
            w1,
            w2,
            w3,
            v128.load(upper),
            v128.load(upper, offsetof<T>()),
            v128.load(lower),
            v128.load(lower, offsetof<T>()),
          ),
        );
        if (offsetof<T>() > 16) {
          v128.store(
            pixel,
            mix(
              w0,
              w1,
              w2,
              w3,
              v128.load(upper, 16),
              v128.load(upper, offsetof<T>() + 16),
              v128.load(lower, 16),
              v128.load(lower, offsetof<T>() + 16),
            ),
            16,
          );
        }
        if (offsetof<T>() > 32) {
          v128.store(
            pixel,
            mix(
              w0,
              w1,
              w2,
              w3,
              v128.load(upper, 32),
              v128.load(upper, offsetof<T>() + 32),
              v128.load(lower, 32),
              v128.load(lower, offsetof<T>() + 32),
            ),
            32,
          );
          v128.store(
            pixel,
            mix(
              w0,
              w1,
              w2,
              w3,
              v128.load(upper, 48),
              v128.load(upper, offsetof<T>() + 48),
              v128.load(lower, 48),
              v128.load(lower, offsetof<T>() + 48),
            ),
            48,
          );
        }
        offset += 4;
        weight += 16;
        pixel += offsetof<T>();
      }
      toPlanes<T>(tile, planes + (<usize>start << 2), plane, samples, count);
    }
  }
}

function scatter<T>(
  from: i32,
  to: i32,
  tile: usize,
  dx: usize,
  dy: usize,
  offsets: usize,
  weights: usize,
  channels: i32,
  height: i32,
  width: i32,
  area: i32,
): void {
  const perBlock = <i32>(offsetof<T>() >> 2);
  const blocks = (channels + perBlock - 1) / perBlock;
  const block = tile + tileSamples * offsetof<T>();
  const rowBytes = <usize>(width + 2) * offsetof<T>();
  const plane = <usize>area << 2;
  for (let item = from; item < to; item++) {
    const image = item / blocks;
    const channel = (item % blocks) * perBlock;
    const first = image * channels + channel;
    const count = min(perBlock, channels - channel);
    const planes = dy + <usize>first * plane;
    memory.fill(block, 0, blockBytes<T>(height, width));
    for (let start = 0; start < area; start += tileSamples) {
      const samples = min(tileSamples, area - start);
      let offset = offsets + (<usize>(image * area + start) << 2);
      let weight = weights + (<usize>(image * area + start) << 4);
      let pixel = tile;
      toPixels<T>(planes + (<usize>start << 2), plane, tile, samples, count);
      for (let i = 0; i < samples; i++) {
        const upper = block + load<u32>(offset);
        const lower = upper + rowBytes;
        const w0 = v128.load32_splat(weight);
        const w1 = v128.load32_splat(weight, 4);
        const w2 = v128.load32_splat(weight, 8);
        const w3 = v128.load32_splat(weight, 12);
        const a = v128.load(pixel);
        v128.store(upper, f32x4.add(v128.load(upper), f32x4.mul(w0, a)));
        v128.store(upper, f32x4.add(v128.load(upper, offsetof<T>()), f32x4.mul(w1, a)), offsetof<T>());
        v128.store(lower, f32x4.add(v128.load(lower), f32x4.mul(w2, a)));
        v128.store(lower, f32x4.add(v128.load(lower, offsetof<T>()), f32x4.mul(w3, a)), offsetof<T>());
        if (offsetof<T>() > 16) {
          const b = v128.load(pixel, 16);
          v128.store(upper, f32x4.add(v128.load(upper, 16), f32x4.mul(w0, b)), 16);
          v128.store(upper, f32x4.add(v128.load(upper, offsetof<T>() + 16), f32x4.mul(w1, b)), offsetof<T>() + 16);
          v128.store(lower, f32x4.add(v128.load(lower, 16), f32x4.mul(w2, b)), 16);
          v128.store(lower, f32x4.add(v128.load(lower, offsetof<T>() + 16), f32x4.mul(w3, b)), offsetof<T>() + 16);
        }
        if (offsetof<T>() > 32) {
          const c = v128.load(pixel, 32);
          v128.store(upper, f32x4.add(v128.load(upper, 32), f32x4.mul(w0, c)), 32);
          v128.store(upper, f32x4.add(v128.load(upper, offsetof<T>() + 32), f32x4.mul(w1, c)), offsetof<T>() + 32);
          v128.store(lower, f32x4.add(v128.load(lower, 32), f32x4.mul(w2, c)), 32);
          v128.store(lower, f32x4.add(v128.load(lower, offsetof<T>() + 32), f32x4.mul(w3, c)), offsetof<T>() + 32);
          const d = v128.load(pixel, 48);
          v128.store(upper, f32x4.add(v128.load(upper, 48), f32x4.mul(w0, d)), 48);
          v128.store(upper, f32x4.add(v128.load(upper, offsetof<T>() + 48), f32x4.mul(w1, d)), offsetof<T>() + 48);
          v128.store(lower, f32x4.add(v128.load(lower, 48), f32x4.mul(w2, d)), 48);
          v128.store(lower, f32x4.add(v128.load(lower, offsetof<T>() + 48), f32x4.mul(w3, d)), offsetof<T>() + 48);
        }
        offset += 4;
        weight += 16;
        pixel += offsetof<T>();
      }
    }
    let row = block + rowBytes + offsetof<T>();
    let toRow = dx + ((<usize>first * height * width) << 2);
    for (let h = 0; h < height; h++) {
      toPlanes<T>(row, toRow, <usize>(height * width) << 2, width, count);
      row += rowBytes;
      toRow += <usize>width << 2;
    }
  }
}

function slope<T>(
  from: i32,
  to: i32,
  tile: usize,
  partial: usize,
  dy: usize,
  x: usize,
  offsets: usize,
  weights: usize,
  channels: i32,
  height: i32,
  width: i32,
  area: i32,
): void {
  const perBlock = <i32>(offsetof<T>() >> 2);
  const blocks = (channels + perBlock - 1) / perBlock;
  const block = tile + tileSamples * offsetof<T>();
  const rowBytes = <usize>(width + 2) * offsetof<T>();
  const plane = <usize>area << 2;
  memory.fill(block, 0, blockBytes<T>(height, width));
  for (let item = from; item < to; item++) {
    const image = item / blocks;
    const channel = (item % blocks) * perBlock;
    const first = image * channels + channel;
    const count = min(perBlock, channels - channel);
    readBlock<T>(x + ((<usize>first * height * width) << 2), block, height, width, count);
    const planes = dy + <usize>first * plane;
    let out = partial + (<usize>item * area << 3);
    for (let start = 0; start < area; start += tileSamples) {
      const samples = min(tileSamples, area - start);
      let offset = offsets + (<usize>(image * area + start) << 2);
      let weight = weights + (<usize>(image * area + start) << 4);
      let pixel = tile;
      toPixels<T>(planes + (<usize>start << 2), plane, tile, samples, count);
      for (let i = 0; i < samples; i++) {
        const upper = block + load<u32>(offset);
        const lower = upper + rowBytes;
        const a = v128.load(pixel);
        let s0 = f32x4.mul(a, v128.load(upper));
        let s1 = f32x4.mul(a, v128.load(upper, offsetof<T>()));
        let s2 = f32x4.mul(a, v128.load(lower));
        let s3 = f32x4.mul(a, v128.load(lower, offsetof<T>()));
        if (offsetof<T>() > 16) {
          const b = v128.load(pixel, 16);
          s0 = f32x4.add(s0, f32x4.mul(b, v128.load(upper, 16)));
          s1 = f32x4.add(s1, f32x4.mul(b, v128.load(upper, offsetof<T>() + 16)));
          s2 = f32x4.add(s2, f32x4.mul(b, v128.load(lower, 16)));
          s3 = f32x4.add(s3, f32x4.mul(b, v128.load(lower, offsetof<T>() + 16)));
        }
        if (offsetof<T>() > 32) {
          const c = v128.load(pixel, 32);
          s0 = f32x4.add(s0, f32x4.mul(c, v128.load(upper, 32)));
          s1 = f32x4.add(s1, f32x4.mul(c, v128.load(upper, offsetof<T>() + 32)));
          s2 = f32x4.add(s2, f32x4.mul(c, v128.load(lower, 32)));
          s3 = f32x4.add(s3, f32x4.mul(c, v128.load(lower, offsetof<T>() + 32)));
          const d = v128.load(pixel, 48);
          s0 = f32x4.add(s0, f32x4.mul(d, v128.load(upper, 48)));
          s1 = f32x4.add(s1, f32x4.mul(d, v128.load(upper, offsetof<T>() + 48)));
          s2 = f32x4.add(s2, f32x4.mul(d, v128.load(lower, 48)));
          s3 = f32x4.add(s3, f32x4.mul(d, v128.load(lower, offsetof<T>() + 48)));
        }
        const gx = f32x4.add(
          f32x4.mul(v128.load32_splat(weight), f32x4.sub(s1, s0)),
          f32x4.mul(v128.load32_splat(weight, 4), f32x4.sub(s3, s2)),
        );
        const gy = f32x4.add(
          f32x4.mul(v128.load32_splat(weight, 8), f32x4.sub(s2, s0)),
          f32x4.mul(v128.load32_splat(weight, 12), f32x4.sub(s3, s1)),
        );
        const pairs = f32x4.add(v128.shuffle<f32>(gx, gy, 0, 4, 1, 5), v128.shuffle<f32>(gx, gy, 2, 6, 3, 7));
        v128.store_lane<f64>(out, f32x4.add(pairs, v128.shuffle<f64>(pairs, pairs, 1, 0)), 0);
        offset += 4;
        weight += 16;
        pixel += offsetof<T>();
        out += 8;
      }
    }
  }
}

/** sums partial slopes over the blocks: item: sample of an image */
export function addSlopes(from: i32, to: i32, dgrid: usize, partial: usize, blocks: i32, area: i32): void {
  for (let item = from; item < to; item++) {
    const image = item / area;
    let at = partial + (<usize>(image * blocks * area + (item % area)) << 3);
    let sum = v128.load64_zero(at);
    for (let b = 1; b < blocks; b++) {
      at += <usize>area << 3;
      sum = f32x4.add(sum, v128.load64_zero(at));
    }
    v128.store_lane<f64>(dgrid + (<usize>item << 3), sum, 0);
  }
}

export function addOffsetSlopes(
  from: i32,
  to: i32,
  doffsets: usize,
  partial: usize,
  blocks: i32,
  firstImage: i32,
  groups: i32,
  scale: i32,
  height: i32,
  width: i32,
): void {
  const rows = height * scale;
  const rowSamples = width * scale;
  const area = rows * rowSamples;
  const plane = <usize>(height * width) << 2;
  const apart = <usize>(groups * scale * scale) * plane;
  for (let item = from; item < to; item++) {
    const image = item / rows;
    const p = item % rows;
    const h = p / scale;
    const n = (firstImage + image) / groups;
    const group = 2 * n * groups + ((firstImage + image) % groups);
    for (let j = 0; j < scale; j++) {
      const channel = (group * scale + (p % scale)) * scale + j;
      let to = doffsets + channel * plane + (<usize>(h * width) << 2);
      let from = partial + (<usize>(image * blocks * area + p * rowSamples + j) << 3);
      for (let w = 0; w < width; w++) {
        let at = from;
        let sum = v128.load64_zero(at);
        for (let b = 1; b < blocks; b++) {
          at += <usize>area << 3;
          sum = f32x4.add(sum, v128.load64_zero(at));
        }
        v128.store_lane<f32>(to, sum, 0);
        v128.store_lane<f32>(to + apart, sum, 1);
        to += 4;
        from += <usize>scale << 3;
      }
    }
  }
}

export function sample4(from: i32, to: i32, scratch: usize, y: usize, x: usize, offsets: usize, weights: usize, channels: i32, height: i32, width: i32, area: i32): void {
  sample<Pixel4>(from, to, scratch, y, x, offsets, weights, channels, height, width, area);
}
export function sample8(from: i32, to: i32, scratch: usize, y: usize, x: usize, offsets: usize, weights: usize, channels: i32, height: i32, width: i32, area: i32): void {
  sample<Pixel8>(from, to, scratch, y, x, offsets, weights, channels, height, width, area);
}
export function sample16(from: i32, to: i32, scratch: usize, y: usize, x: usize, offsets: usize, weights: usize, channels: i32, height: i32, width: i32, area: i32): void {
  sample<Pixel16>(from, to, scratch, y, x, offsets, weights, channels, height, width, area);
}
export function scatter4(from: i32, to: i32, scratch: usize, dx: usize, dy: usize, offsets: usize, weights: usize, channels: i32, height: i32, width: i32, area: i32): void {
  scatter<Pixel4>(from, to, scratch, dx, dy, offsets, weights, channels, height, width, area);
}
export function scatter8(from: i32, to: i32, scratch: usize, dx: usize, dy: usize, offsets: usize, weights: usize, channels: i32, height: i32, width: i32, area: i32): void {
  scatter<Pixel8>(from, to, scratch, dx, dy, offsets, weights, channels, height, width, area);
}
export function scatter16(from: i32, to: i32, scratch: usize, dx: usize, dy: usize, offsets: usize, weights: usize, channels: i32, height: i32, width: i32, area: i32): void {
  scatter<Pixel16>(from, to, scratch, dx, dy, offsets, weights, channels, height, width, area);
}
export function slope4(from: i32, to: i32, scratch: usize, partial: usize, dy: usize, x: usize, offsets: usize, weights: usize, channels: i32, height: i32, width: i32, area: i32): void {
  slope<Pixel4>(from, to, scratch, partial, dy, x, offsets, weights, channels, height, width, area);
}
export function slope8(from: i32, to: i32, scratch: usize, partial: usize, dy: usize, x: usize, offsets: usize, weights: usize, channels: i32, height: i32, width: i32, area: i32): void {
  slope<Pixel8>(from, to, scratch, partial, dy, x, offsets, weights, channels, height, width, area);
}
export function slope16(from: i32, to: i32, scratch: usize, partial: usize, dy: usize, x: usize, offsets: usize, weights: usize, channels: i32, height: i32, width: i32, area: i32): void {
  slope<Pixel16>(from, to, scratch, partial, dy, x, offsets, weights, channels, height, width, area);
}
