/**
 * @file Bilinear sampling and both of its gradients: gridSample and sampleAtOffsets.
 *
 * First `gridTaps` or `offsetTaps` finds where each sample reads, once for all channels: the byte offset of its upper left pixel and four
 * weights. For values and their transpose these are the weights of the four pixels a b / c d; for slopes they make
 *
 *     d/dx = w0 (b - a) + w1 (d - c)         d/dy = w2 (c - a) + w3 (d - b)
 *
 * Then every item copies a block of 8 channels of an image (4, where there are no more) so that the channels of a pixel lie side by side: now
 * each tap is two vectors that serve four channels each, where planes would need a gather. Samples take their way through a tile of 64 of
 * them, from whose pixels planes are made (or the other way round) by transposing 4 x 4 numbers in registers, so y and dy are read and
 * written in runs of 256 bytes. The transpose adds into a block that starts with zeros. It belongs to one item: no two threads add to one
 * pixel, and the order of a sum is the samples'.
 *
 * Around the pixels of a block lie zeros: pixel (h, w), -1 <= h <= H + 1, -1 <= w <= W + 1, is at number (h + 1) (W + 2) + w + 1, and the end
 * of one row is the start of the next. A tap outside reads and writes there, as in the loops; a sample without any pixel is at (H, W).
 *
 * What was measured, for 256 channels from 120 x 120 to 240 x 240 and one thread: blocks of 4 or of 16 channels take a fifth to a quarter longer
 * than those of 8. Without a tile, with four samples in registers at a time, V8 loads all of their taps before it computes anything, and
 * spills: a quarter longer for samples, three times as long for slopes. The store after every sample keeps the registers free. V8 also
 * moves divisions whose result a loop needs into that loop; addresses that run along keep them out.
 */

import { storeTransposed } from "./transpose";

/** How a pixel of a block, or a sample of a tile, lies in memory: its size in bytes is `offsetof`, 4 bytes for each channel. */
class Pixel4 {
  a: v128;
}
class Pixel8 extends Pixel4 {
  b: v128;
}

/** Samples of a tile. */
const TILE: i32 = 64;

/** Channels whose slopes one item of `slopes` adds up. */
const SLOPE_CHANNELS: i32 = 16;

/** Adding it to an integer from 0 to 2^32 puts that into the lower half of a float64's bits. */
const INTEGER_BITS: f64 = 4503599627370496; // 2^52

/**
 * The taps of gridSample. Positions are found in float64: they cost little beside the channels, and decide as the loops do on which side of a
 * pixel's centre they are. An item is four samples, counted through all images.
 *
 * @param padding - 0 zeros, 1 border, 2 reflection.
 * @param ofSlopes - whether the weights are those of slopes, by the grid.
 * @param pixelBytes - of a pixel of the blocks.
 */
export function gridTaps(
  from: i32,
  to: i32,
  offsets: usize,
  weights: usize,
  grid: usize,
  H: i32,
  W: i32,
  padding: i32,
  alignCorners: i32,
  ofSlopes: i32,
  pixelBytes: i32,
): void {
  const extentX: f64 = alignCorners ? W - 1 : W;
  const extentY: f64 = alignCorners ? H - 1 : H;
  const lastX: f64 = W - 1;
  const lastY: f64 = H - 1;
  for (let item = from; item < to; item++) {
    const a = v128.load(grid + ((<usize>item) << 5)); // x y x y
    const b = v128.load(grid + ((<usize>item) << 5), 16);
    const gx = v128.shuffle<f32>(a, b, 0, 2, 4, 6);
    const gy = v128.shuffle<f32>(a, b, 1, 3, 5, 7);
    const rawX01 = rawPosition(gx, extentX, lastX);
    const rawX23 = rawPosition(upperHalf(gx), extentX, lastX);
    const rawY01 = rawPosition(gy, extentY, lastY);
    const rawY23 = rawPosition(upperHalf(gy), extentY, lastY);
    const x01 = insidePosition(rawX01, extentX, lastX, padding);
    const x23 = insidePosition(rawX23, extentX, lastX, padding);
    const y01 = insidePosition(rawY01, extentY, lastY, padding);
    const y23 = insidePosition(rawY23, extentY, lastY, padding);
    const left01 = readablePixel(f64x2.floor(x01), lastX, padding);
    const left23 = readablePixel(f64x2.floor(x23), lastX, padding);
    const top01 = readablePixel(f64x2.floor(y01), lastY, padding);
    const top23 = readablePixel(f64x2.floor(y23), lastY, padding);
    const bytes01 = offsetBits(left01, top01, W, pixelBytes);
    const bytes23 = offsetBits(left23, top23, W, pixelBytes);
    v128.store(offsets + ((<usize>item) << 4), v128.shuffle<i32>(bytes01, bytes23, 0, 2, 4, 6));

    const tx = demote(f64x2.sub(x01, f64x2.floor(x01)), f64x2.sub(x23, f64x2.floor(x23)));
    const ty = demote(f64x2.sub(y01, f64x2.floor(y01)), f64x2.sub(y23, f64x2.floor(y23)));
    const ux = f32x4.sub(f32x4.splat(1), tx);
    const uy = f32x4.sub(f32x4.splat(1), ty);
    const weight = weights + ((<usize>item) << 6);
    if (ofSlopes) {
      const sx = demote(slope(rawX01, x01, extentX, lastX, padding), slope(rawX23, x23, extentX, lastX, padding));
      const sy = demote(slope(rawY01, y01, extentY, lastY, padding), slope(rawY23, y23, extentY, lastY, padding));
      storeTransposed(weight, 16, f32x4.mul(uy, sx), f32x4.mul(ty, sx), f32x4.mul(ux, sy), f32x4.mul(tx, sy));
    } else {
      storeTransposed(weight, 16, f32x4.mul(ux, uy), f32x4.mul(tx, uy), f32x4.mul(ux, ty), f32x4.mul(tx, ty));
    }
  }
}

/** Positions in pixels of the two lower coordinates; infinite, or NaN, if their magnitude is at least 2^127. */
function rawPosition(g: v128, extent: f64, last: f64): v128 {
  const shift = f64x2.splat(extent - last);
  const twice = f64x2.sub(f64x2.mul(f64x2.add(f64x2.promote_low_f32x4(g), f64x2.splat(1)), f64x2.splat(extent)), shift);
  const p = f64x2.mul(twice, f64x2.splat(0.5));
  const usual = f64x2.lt(f64x2.abs(p), f64x2.splat(1.7014118346046923e38));
  return v128.bitselect(p, f64x2.mul(p, f64x2.splat(Infinity)), usual);
}

/** The positions that border and reflection read in place of p. */
function insidePosition(p: v128, extent: f64, last: f64, padding: i32): v128 {
  if (padding == 0) return p;
  if (padding == 2) {
    const way = mirrorWay(p, extent, last);
    const span = f64x2.splat(extent);
    const back = f64x2.sub(f64x2.splat(2 * extent), way);
    p = f64x2.add(f64x2.splat((last - extent) / 2), v128.bitselect(back, way, f64x2.ge(way, span)));
  }
  const end = f64x2.splat(last);
  const clipped = v128.and(end, f64x2.ge(p, end)); // NaN is 0
  return v128.bitselect(p, clipped, isInside(p, last));
}

function isInside(p: v128, last: f64): v128 {
  return v128.and(f64x2.gt(p, f64x2.splat(0)), f64x2.lt(p, f64x2.splat(last)));
}

/** Mirrors stand at (last - extent) / 2 and at every extent from there: how far p is from the former, modulo there and back. */
function mirrorWay(p: v128, extent: f64, last: f64): v128 {
  const distance = f64x2.abs(f64x2.sub(p, f64x2.splat((last - extent) / 2)));
  const period = f64x2.splat(2 * extent);
  return f64x2.sub(distance, f64x2.mul(f64x2.floor(f64x2.div(distance, period)), period));
}

/** d(position that is read)/dg, of raw positions and those that are read. */
function slope(raw: v128, p: v128, extent: f64, last: f64, padding: i32): v128 {
  const steady = f64x2.splat(extent / 2);
  if (padding == 0) return steady;
  let along = steady;
  if (padding == 2) {
    const returning = f64x2.ge(mirrorWay(raw, extent, last), f64x2.splat(extent));
    const behind = f64x2.lt(raw, f64x2.splat((last - extent) / 2));
    along = v128.bitselect(f64x2.neg(steady), steady, v128.xor(returning, behind));
  }
  return v128.and(along, isInside(p, last));
}

/** The first of two pixels: last + 1, where both are zeros, if it is not in -1..last. */
function readablePixel(pixel: v128, last: f64, padding: i32): v128 {
  if (padding != 0) return pixel;
  const end = f64x2.splat(last);
  const reads = v128.and(f64x2.ge(pixel, f64x2.splat(-1)), f64x2.le(pixel, end));
  return v128.bitselect(pixel, f64x2.add(end, f64x2.splat(1)), reads);
}

/** The byte offset of pixels in a block, as the lower half of each float64. */
function offsetBits(left: v128, top: v128, W: i32, pixelBytes: i32): v128 {
  const rowPixels = W + 2;
  const number = f64x2.add(f64x2.mul(top, f64x2.splat(rowPixels)), f64x2.add(left, f64x2.splat(rowPixels + 1)));
  return f64x2.add(f64x2.mul(number, f64x2.splat(pixelBytes)), f64x2.splat(INTEGER_BITS));
}

function upperHalf(v: v128): v128 {
  return v128.shuffle<f64>(v, v, 1, 1);
}

function demote(low: v128, high: v128): v128 {
  return v128.shuffle<f64>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 2);
}

/**
 * The taps of sampleAtOffsets. Whole pixels and the rest of an offset are kept apart, so nothing is rounded that the loops do not round. An
 * item is a row of samples, counted through the images, which are the groups of channels.
 *
 * @param moves - the offsets of all images.
 * @param first - the image of item 0.
 */
export function offsetTaps(
  from: i32,
  to: i32,
  offsets: usize,
  weights: usize,
  moves: usize,
  first: i32,
  G: i32,
  s: i32,
  H: i32,
  W: i32,
  ofSlopes: i32,
  pixelBytes: i32,
): void {
  const rows = H * s;
  const rowPixels = W + 2;
  const plane = (H * W) << 2;
  const lastX = f32x4.splat(<f32>(W - 1));
  const lastY = f32x4.splat(<f32>(H - 1));
  const one = f32x4.splat(1);
  for (let item = from; item < to; item++) {
    const image = item / rows;
    const p = item - image * rows;
    const h = p / s;
    const channel = offsetChannel(first + image, G, s, p - h * s);
    for (let j = 0; j < s; j++) {
      // Addresses run along: V8 would compute them anew, with the divisions, wherever they are used.
      let alongX = moves + (channel + j) * plane + ((h * W) << 2);
      let alongY = alongX + G * s * s * plane;
      let offset = offsets + ((item * W * s + j) << 2);
      let weight = weights + ((item * W * s + j) << 4);
      let columns = f32x4(0, 1, 2, 3);
      for (let count = W; count > 0; count -= 4) {
        const moveX = loadUpTo4(alongX, count);
        const moveY = loadUpTo4(alongY, count);
        const floorX = f32x4.floor(moveX);
        const floorY = f32x4.floor(moveY);
        let tx = f32x4.sub(moveX, floorX);
        let ty = f32x4.sub(moveY, floorY);
        let left = f32x4.add(columns, floorX);
        let top = f32x4.add(f32x4.splat(<f32>h), floorY);
        const insideX = isBetween(left, tx, lastX);
        const insideY = isBetween(top, ty, lastY);
        left = v128.bitselect(left, v128.and(lastX, f32x4.ge(left, lastX)), insideX);
        top = v128.bitselect(top, v128.and(lastY, f32x4.ge(top, lastY)), insideY);
        tx = v128.and(tx, insideX);
        ty = v128.and(ty, insideY);
        const ux = f32x4.sub(one, tx);
        const uy = f32x4.sub(one, ty);

        const number = i32x4.add(
          i32x4.mul(i32x4.trunc_sat_f32x4_s(top), i32x4.splat(rowPixels)),
          i32x4.add(i32x4.trunc_sat_f32x4_s(left), i32x4.splat(rowPixels + 1)),
        );
        storeLanes(offset, s << 2, i32x4.mul(number, i32x4.splat(pixelBytes)), count);
        if (ofSlopes) {
          const a = v128.and(uy, insideX);
          const b = v128.and(ty, insideX);
          storeWeights(weight, s << 4, a, b, v128.and(ux, insideY), v128.and(tx, insideY), count);
        } else {
          const a = f32x4.mul(ux, uy);
          const b = f32x4.mul(tx, uy);
          storeWeights(weight, s << 4, a, b, f32x4.mul(ux, ty), f32x4.mul(tx, ty), count);
        }
        alongX += 16;
        alongY += 16;
        offset += s << 4;
        weight += s << 6;
        columns = f32x4.add(columns, f32x4.splat(4));
      }
    }
  }
}

/** The weights of up to four samples, each sample's side by side, `step` bytes from sample to sample. */
function storeWeights(to: usize, step: usize, w0: v128, w1: v128, w2: v128, w3: v128, count: i32): void {
  if (count >= 4) {
    storeTransposed(to, step, w0, w1, w2, w3);
    return;
  }
  storeLanes(to, step, w0, count);
  storeLanes(to + 4, step, w1, count);
  storeLanes(to + 8, step, w2, count);
  storeLanes(to + 12, step, w3, count);
}

/** The channel of the offsets along x of an image, row i and column 0 of a cell. */
function offsetChannel(image: i32, G: i32, s: i32, i: i32): i32 {
  const n = image / G;
  return ((n * G + image) * s + i) * s; // 2 n G + (image - n G)
}

/** Whether 0 < floor + t < last, for whole numbers floor and 0 <= t < 1. False for NaN. */
function isBetween(floor: v128, t: v128, last: v128): v128 {
  const zero = f32x4.splat(0);
  const above = v128.or(f32x4.gt(floor, zero), v128.and(f32x4.eq(floor, zero), f32x4.gt(t, zero)));
  return v128.and(above, f32x4.lt(floor, last));
}

/**
 * Samples. An item is a block of channels of an image.
 *
 * @param scratch - TILE + (H + 3) (W + 2) + 4 pixels: a tile and a block.
 * @param offsets - of the taps, and their weights: as gridTaps and offsetTaps leave them.
 * @param area - samples of an image.
 * @param blockChannels - 4 or 8.
 */
export function sample(
  from: i32,
  to: i32,
  scratch: usize,
  y: usize,
  x: usize,
  offsets: usize,
  weights: usize,
  C: i32,
  H: i32,
  W: i32,
  area: i32,
  blockChannels: i32,
): void {
  if (blockChannels == 8) sampleBlocks<Pixel8>(from, to, scratch, y, x, offsets, weights, C, H, W, area);
  else sampleBlocks<Pixel4>(from, to, scratch, y, x, offsets, weights, C, H, W, area);
}

function sampleBlocks<P>(
  from: i32,
  to: i32,
  tile: usize,
  y: usize,
  x: usize,
  offsets: usize,
  weights: usize,
  C: i32,
  H: i32,
  W: i32,
  area: i32,
): void {
  const channels = <i32>(offsetof<P>() >> 2);
  const blocks = (C + channels - 1) / channels;
  const block = tile + TILE * offsetof<P>();
  const rowBytes = (W + 2) * offsetof<P>();
  clearBlock<P>(block, H, W);
  for (let item = from; item < to; item++) {
    const image = item / blocks;
    const c = (item - image * blocks) * channels;
    const plane = image * C + c;
    readBlock<P>(block, x + ((plane * H * W) << 2), C - c, H, W);
    let toY = y + ((plane * area) << 2);
    let offset = offsets + ((image * area) << 2);
    let weight = weights + ((image * area) << 4);
    for (let rest = area; rest > 0; rest -= TILE) {
      const count = min(TILE, rest);
      const end = tile + count * offsetof<P>();
      for (let at = tile; at < end; at += offsetof<P>(), offset += 4, weight += 16) {
        const upper = block + load<u32>(offset);
        const lower = upper + rowBytes;
        const w0 = v128.load32_splat(weight);
        const w1 = v128.load32_splat(weight, 4);
        const w2 = v128.load32_splat(weight, 8);
        const w3 = v128.load32_splat(weight, 12);
        const first = f32x4.add(
          f32x4.add(f32x4.mul(w0, v128.load(upper)), f32x4.mul(w1, v128.load(upper, offsetof<P>()))),
          f32x4.add(f32x4.mul(w2, v128.load(lower)), f32x4.mul(w3, v128.load(lower, offsetof<P>()))),
        );
        v128.store(at, first);
        if (offsetof<P>() > 16) {
          const second = f32x4.add(
            f32x4.add(f32x4.mul(w0, v128.load(upper, 16)), f32x4.mul(w1, v128.load(upper, offsetof<P>() + 16))),
            f32x4.add(f32x4.mul(w2, v128.load(lower, 16)), f32x4.mul(w3, v128.load(lower, offsetof<P>() + 16))),
          );
          v128.store(at, second, 16);
        }
      }
      pixelsToPlanes<P>(toY, area << 2, tile, count, C - c);
      toY += TILE << 2;
    }
  }
}

/** The transpose of `sample`: dx, from dy. Items and scratch memory as there. */
export function scatter(
  from: i32,
  to: i32,
  scratch: usize,
  dx: usize,
  dy: usize,
  offsets: usize,
  weights: usize,
  C: i32,
  H: i32,
  W: i32,
  area: i32,
  blockChannels: i32,
): void {
  if (blockChannels == 8) scatterBlocks<Pixel8>(from, to, scratch, dx, dy, offsets, weights, C, H, W, area);
  else scatterBlocks<Pixel4>(from, to, scratch, dx, dy, offsets, weights, C, H, W, area);
}

function scatterBlocks<P>(
  from: i32,
  to: i32,
  tile: usize,
  dx: usize,
  dy: usize,
  offsets: usize,
  weights: usize,
  C: i32,
  H: i32,
  W: i32,
  area: i32,
): void {
  const channels = <i32>(offsetof<P>() >> 2);
  const blocks = (C + channels - 1) / channels;
  const block = tile + TILE * offsetof<P>();
  const rowBytes = (W + 2) * offsetof<P>();
  for (let item = from; item < to; item++) {
    const image = item / blocks;
    const c = (item - image * blocks) * channels;
    const plane = image * C + c;
    clearBlock<P>(block, H, W);
    let fromY = dy + ((plane * area) << 2);
    let offset = offsets + ((image * area) << 2);
    let weight = weights + ((image * area) << 4);
    for (let rest = area; rest > 0; rest -= TILE) {
      const count = min(TILE, rest);
      planesToPixels<P>(tile, fromY, area << 2, count, C - c);
      fromY += TILE << 2;
      const end = tile + count * offsetof<P>();
      for (let at = tile; at < end; at += offsetof<P>(), offset += 4, weight += 16) {
        const upper = block + load<u32>(offset);
        const lower = upper + rowBytes;
        const w0 = v128.load32_splat(weight);
        const w1 = v128.load32_splat(weight, 4);
        const w2 = v128.load32_splat(weight, 8);
        const w3 = v128.load32_splat(weight, 12);
        const first = v128.load(at);
        v128.store(upper, f32x4.add(v128.load(upper), f32x4.mul(w0, first)));
        v128.store(upper, f32x4.add(v128.load(upper, offsetof<P>()), f32x4.mul(w1, first)), offsetof<P>());
        v128.store(lower, f32x4.add(v128.load(lower), f32x4.mul(w2, first)));
        v128.store(lower, f32x4.add(v128.load(lower, offsetof<P>()), f32x4.mul(w3, first)), offsetof<P>());
        if (offsetof<P>() > 16) {
          const second = v128.load(at, 16);
          const right = offsetof<P>() + 16;
          v128.store(upper, f32x4.add(v128.load(upper, 16), f32x4.mul(w0, second)), 16);
          v128.store(upper, f32x4.add(v128.load(upper, right), f32x4.mul(w1, second)), right);
          v128.store(lower, f32x4.add(v128.load(lower, 16), f32x4.mul(w2, second)), 16);
          v128.store(lower, f32x4.add(v128.load(lower, right), f32x4.mul(w3, second)), right);
        }
      }
    }
    writeBlock<P>(dx + ((plane * H * W) << 2), block, C - c, H, W);
  }
}

/**
 * Σ_c dy (slope along x) and Σ_c dy (slope along y) of each sample, side by side, of 16 channels: partial[item][area][2]. An item is as many
 * channels of an image. Scratch memory as for `sample`.
 */
export function slopes(
  from: i32,
  to: i32,
  scratch: usize,
  partial: usize,
  dy: usize,
  x: usize,
  offsets: usize,
  weights: usize,
  C: i32,
  H: i32,
  W: i32,
  area: i32,
  blockChannels: i32,
): void {
  if (blockChannels == 8) slopeBlocks<Pixel8>(from, to, scratch, partial, dy, x, offsets, weights, C, H, W, area);
  else slopeBlocks<Pixel4>(from, to, scratch, partial, dy, x, offsets, weights, C, H, W, area);
}

function slopeBlocks<P>(
  from: i32,
  to: i32,
  tile: usize,
  partial: usize,
  dy: usize,
  x: usize,
  offsets: usize,
  weights: usize,
  C: i32,
  H: i32,
  W: i32,
  area: i32,
): void {
  const channels = <i32>(offsetof<P>() >> 2);
  const perImage = (C + SLOPE_CHANNELS - 1) / SLOPE_CHANNELS;
  const block = tile + TILE * offsetof<P>();
  const rowBytes = (W + 2) * offsetof<P>();
  clearBlock<P>(block, H, W);
  for (let item = from; item < to; item++) {
    const image = item / perImage;
    const firstChannel = (item - image * perImage) * SLOPE_CHANNELS;
    const sums = partial + ((item * area) << 3);
    memory.fill(sums, 0, area << 3);
    for (let c = firstChannel; c < min(C, firstChannel + SLOPE_CHANNELS); c += channels) {
      const plane = image * C + c;
      readBlock<P>(block, x + ((plane * H * W) << 2), C - c, H, W);
      let fromY = dy + ((plane * area) << 2);
      let offset = offsets + ((image * area) << 2);
      let weight = weights + ((image * area) << 4);
      let sum = sums;
      for (let rest = area; rest > 0; rest -= TILE) {
        const count = min(TILE, rest);
        planesToPixels<P>(tile, fromY, area << 2, count, C - c);
        fromY += TILE << 2;
        const end = tile + count * offsetof<P>();
        for (let at = tile; at < end; at += offsetof<P>(), offset += 4, weight += 16, sum += 8) {
          const upper = block + load<u32>(offset);
          const lower = upper + rowBytes;
          const first = v128.load(at);
          let a = f32x4.mul(first, v128.load(upper));
          let b = f32x4.mul(first, v128.load(upper, offsetof<P>()));
          let c = f32x4.mul(first, v128.load(lower));
          let d = f32x4.mul(first, v128.load(lower, offsetof<P>()));
          if (offsetof<P>() > 16) {
            const second = v128.load(at, 16);
            a = f32x4.add(a, f32x4.mul(second, v128.load(upper, 16)));
            b = f32x4.add(b, f32x4.mul(second, v128.load(upper, offsetof<P>() + 16)));
            c = f32x4.add(c, f32x4.mul(second, v128.load(lower, 16)));
            d = f32x4.add(d, f32x4.mul(second, v128.load(lower, offsetof<P>() + 16)));
          }
          const alongX = f32x4.add(
            f32x4.mul(v128.load32_splat(weight), f32x4.sub(b, a)),
            f32x4.mul(v128.load32_splat(weight, 4), f32x4.sub(d, c)),
          );
          const alongY = f32x4.add(
            f32x4.mul(v128.load32_splat(weight, 8), f32x4.sub(c, a)),
            f32x4.mul(v128.load32_splat(weight, 12), f32x4.sub(d, b)),
          );
          // The sums over the lanes of both.
          const halves = f32x4.add(
            v128.shuffle<f32>(alongX, alongY, 0, 4, 1, 5),
            v128.shuffle<f32>(alongX, alongY, 2, 6, 3, 7),
          );
          const both = f32x4.add(halves, upperHalf(halves));
          v128.store_lane<f64>(sum, f32x4.add(v128.load64_zero(sum), both), 0);
        }
      }
    }
  }
}

/** Adds up the slopes of an image's items of `slopes`: dgrid[N, P, Q, 2]. An item is a sample, counted through the images. */
export function addGridSlopes(from: i32, to: i32, dgrid: usize, partial: usize, perImage: i32, area: i32): void {
  for (let item = from; item < to; item++) {
    const image = item / area;
    const at = partial + ((image * (perImage - 1) * area + item) << 3);
    v128.store_lane<f64>(dgrid + (item << 3), sumOfPartials(at, perImage, area), 0);
  }
}

/** The same in the layout of offsets. Items as in `offsetTaps`. */
export function addOffsetSlopes(
  from: i32,
  to: i32,
  doffsets: usize,
  partial: usize,
  perImage: i32,
  first: i32,
  G: i32,
  s: i32,
  H: i32,
  W: i32,
): void {
  const rows = H * s;
  const area = rows * W * s;
  const plane = (H * W) << 2;
  for (let item = from; item < to; item++) {
    const image = item / rows;
    const p = item - image * rows;
    const h = p / s;
    const channel = offsetChannel(first + image, G, s, p - h * s);
    for (let j = 0; j < s; j++) {
      let alongX = doffsets + (channel + j) * plane + ((h * W) << 2);
      let alongY = alongX + G * s * s * plane;
      let at = partial + ((image * perImage * area + p * W * s + j) << 3);
      for (let w = 0; w < W; w++) {
        const sum = sumOfPartials(at, perImage, area);
        v128.store_lane<f32>(alongX, sum, 0);
        v128.store_lane<f32>(alongY, sum, 1);
        alongX += 4;
        alongY += 4;
        at += s << 3;
      }
    }
  }
}

function sumOfPartials(at: usize, perImage: i32, area: i32): v128 {
  let sum = v128.load64_zero(at);
  for (let i = 1; i < perImage; i++) {
    at += area << 3;
    sum = f32x4.add(sum, v128.load64_zero(at));
  }
  return sum;
}

function clearBlock<P>(block: usize, H: i32, W: i32): void {
  memory.fill(block, 0, ((H + 3) * (W + 2) + 4) * offsetof<P>());
}

/** Copies planes into a block. Behind a row come zeros, which may reach into the next row: that one follows. */
function readBlock<P>(block: usize, x: usize, channels: i32, H: i32, W: i32): void {
  let to = block + (W + 3) * offsetof<P>();
  for (let h = 0; h < H; h++) {
    planesToPixels<P>(to, x, (H * W) << 2, W, channels);
    to += (W + 2) * offsetof<P>();
    x += W << 2;
  }
}

function writeBlock<P>(dx: usize, block: usize, channels: i32, H: i32, W: i32): void {
  let from = block + (W + 3) * offsetof<P>();
  for (let h = 0; h < H; h++) {
    pixelsToPlanes<P>(dx, (H * W) << 2, from, W, channels);
    from += (W + 2) * offsetof<P>();
    dx += W << 2;
  }
}

/** `count` pixels from `channels` planes, `plane` bytes apart; missing channels are 0, and so are up to 3 more pixels. */
function planesToPixels<P>(to: usize, planes: usize, plane: usize, count: i32, channels: i32): void {
  const zero = f32x4.splat(0);
  for (let part: usize = 0; part < offsetof<P>(); part += 16) {
    let from = planes;
    let pixel = to + part;
    let rest = count;
    if (channels >= 4) {
      for (; rest >= 4; rest -= 4) {
        const c = from + 2 * plane;
        const a = v128.load(from);
        const b = v128.load(from + plane);
        storeTransposed(pixel, offsetof<P>(), a, b, v128.load(c), v128.load(c + plane));
        from += 16;
        pixel += 4 * offsetof<P>();
      }
    }
    for (; rest > 0; rest -= 4) {
      const a = channels > 0 ? loadUpTo4(from, rest) : zero;
      const b = channels > 1 ? loadUpTo4(from + plane, rest) : zero;
      const c = channels > 2 ? loadUpTo4(from + 2 * plane, rest) : zero;
      const d = channels > 3 ? loadUpTo4(from + 3 * plane, rest) : zero;
      storeTransposed(pixel, offsetof<P>(), a, b, c, d);
      from += 16;
      pixel += 4 * offsetof<P>();
    }
    channels -= 4;
    planes += 4 * plane;
  }
}

/** The other way round. */
function pixelsToPlanes<P>(planes: usize, plane: usize, from: usize, count: i32, channels: i32): void {
  for (let part: usize = 0; part < offsetof<P>(); part += 16) {
    if (channels <= 0) return;
    let to = planes;
    let pixel = from + part;
    for (let rest = count; rest > 0; rest -= 4) {
      const a = v128.load(pixel);
      const b = v128.load(pixel, offsetof<P>());
      const c = v128.load(pixel, 2 * offsetof<P>());
      const d = v128.load(pixel, 3 * offsetof<P>());
      if (channels >= 4 && rest >= 4) {
        storeTransposed(to, plane, a, b, c, d);
      } else {
        storeLanes(to, plane, a, channels);
        if (rest > 1) storeLanes(to + 4, plane, b, channels);
        if (rest > 2) storeLanes(to + 8, plane, c, channels);
        if (rest > 3) storeLanes(to + 12, plane, d, channels);
      }
      to += 16;
      pixel += 4 * offsetof<P>();
    }
    channels -= 4;
    planes += 4 * plane;
  }
}

/** The first lanes of a vector, `step` bytes apart. */
function storeLanes(to: usize, step: usize, v: v128, count: i32): void {
  v128.store_lane<f32>(to, v, 0);
  if (count > 1) v128.store_lane<f32>(to + step, v, 1);
  if (count > 2) v128.store_lane<f32>(to + 2 * step, v, 2);
  if (count > 3) v128.store_lane<f32>(to + 3 * step, v, 3);
}

/** Four numbers; of fewer, the others are 0. */
function loadUpTo4(from: usize, count: i32): v128 {
  if (count >= 4) return v128.load(from);
  let v = v128.load32_zero(from);
  if (count > 1) v = v128.load_lane<f32>(from + 4, v, 1);
  if (count > 2) v = v128.load_lane<f32>(from + 8, v, 2);
  return v;
}
