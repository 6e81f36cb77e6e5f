/**
 * @file Kernels of maxPool2d and avgPool2d with their gradients.
 *
 * Windows as src/windows.ts has them; elements of a window outside of the image do not exist, in the padding or beyond.
 * Windows that lie inside, one or two pixels apart, go four at a time; those of 2 by 2 that neither overlap nor reach
 * out (`halving`) read every pixel once.
 */

/** Windows of more pixels are added up in float64. */
const SMALL: i32 = 64;

/** The element of a window, counted from `start`, that is the first one inside: (k dilation + start) >= 0. */
function firstInside(start: i32, dilation: i32): i32 {
  return start >= 0 ? 0 : (dilation - 1 - start) / dilation;
}

/** Of the `kernel` elements of a window, one behind the last one that lies inside of `size` pixels. */
function endInside(start: i32, kernel: i32, dilation: i32, size: i32): i32 {
  return start >= size ? 0 : min(kernel, (size - 1 - start) / dilation + 1);
}

/**
 * The address of the largest pixel of a window, the first of equal ones, but the last NaN; 0 when the window holds none. `row` is its first
 * row, `rows` how many lie inside of the image, `rowStep` bytes apart.
 */
function findLargest(row: usize, rows: i32, rowStep: usize, left: i32, W: i32, KW: i32, dilation: i32): usize {
  let first = 0;
  let end = KW;
  if (left < 0 || left + (KW - 1) * dilation >= W) {
    first = firstInside(left, dilation);
    end = endInside(left, KW, dilation, W);
  }
  let at: usize = 0;
  let largest: f32 = -Infinity;
  const step = dilation << 2;
  for (row += (left + first * dilation) << 2; rows > 0; rows--, row += rowStep) {
    for (let here = row, k = first; k < end; k++, here += step) {
      const value = load<f32>(here);
      const isBetter = i32(value > largest) | i32(value != value) | i32(at == 0);
      largest = select(value, largest, isBetter);
      at = select(here, at, isBetter);
    }
  }
  return at;
}

/** Lanes in which b comes before a, the largest so far. */
function isLarger(b: v128, a: v128): v128 {
  return v128.or(f32x4.gt(b, a), f32x4.ne(b, b));
}

/** Eight pixels of a row: the even ones and the odd ones. */
function evens(at: usize): v128 {
  return v128.shuffle<f32>(v128.load(at), v128.load(at, 16), 0, 2, 4, 6);
}

function odds(at: usize): v128 {
  return v128.shuffle<f32>(v128.load(at), v128.load(at, 16), 1, 3, 5, 7);
}

/** Four neighbours, or every other of eight. */
function loadEvery(step: i32, at: usize): v128 {
  return step == 1 ? v128.load(at) : evens(at);
}

/** Four windows inside of a row, one or two pixels apart: what lies `distance` bytes from where x is largest. */
function takeFour(
  y: usize,
  row: usize,
  distance: usize,
  stride: i32,
  rows: i32,
  rowStep: usize,
  KW: i32,
  step: usize,
): void {
  let largest = loadEvery(stride, row);
  let taken = loadEvery(stride, row + distance);
  for (; rows > 0; rows--, row += rowStep) {
    for (let here = row, k = 0; k < KW; k++, here += step) {
      const value = loadEvery(stride, here);
      const isBetter = isLarger(value, largest);
      largest = v128.bitselect(value, largest, isBetter);
      taken = v128.bitselect(loadEvery(stride, here + distance), taken, isBetter);
    }
  }
  v128.store(y, taken);
}

/** y[p, q] = d where x is largest, or `empty`. An item is a row of y. */
export function takeLargest(
  from: i32,
  to: i32,
  y: usize,
  d: usize,
  x: usize,
  halving: i32,
  empty: f32,
  H: i32,
  W: i32,
  P: i32,
  Q: i32,
  KH: i32,
  KW: i32,
  strideH: i32,
  strideW: i32,
  paddingH: i32,
  paddingW: i32,
  dilationH: i32,
  dilationW: i32,
): void {
  for (let row = from; row < to; row++) {
    const channel = row / P;
    const top = (row - channel * P) * strideH - paddingH;
    const first = firstInside(top, dilationH);
    const rows = endInside(top, KH, dilationH, H) - first;
    const window = x + (((channel * H + top + first * dilationH) * W) << 2);
    const rowStep = (dilationH * W) << 2;
    const yRow = y + ((row * Q) << 2);
    let q = 0;
    if (halving) {
      for (let at = window; q + 4 <= Q; q += 4, at += 32) {
        const below = at + (W << 2);
        const x00 = evens(at);
        const x01 = odds(at);
        const x10 = evens(below);
        const x11 = odds(below);
        const is01 = isLarger(x01, x00);
        const upper = v128.bitselect(x01, x00, is01);
        const is10 = isLarger(x10, upper);
        const three = v128.bitselect(x10, upper, is10);
        const is11 = isLarger(x11, three);
        const to = yRow + (q << 2);
        if (d == x) {
          v128.store(to, v128.bitselect(x11, three, is11));
        } else {
          const dAt = at - x + d;
          const dBelow = below - x + d;
          const dUpper = v128.bitselect(odds(dAt), evens(dAt), is01);
          v128.store(to, v128.bitselect(odds(dBelow), v128.bitselect(evens(dBelow), dUpper, is10), is11));
        }
      }
    }
    for (; q < Q; q++) {
      const left = q * strideW - paddingW;
      if (strideW <= 2 && rows > 0 && left >= 0 && q + 4 <= Q && left + 3 * strideW + (KW - 1) * dilationW < W) {
        takeFour(yRow + (q << 2), window + (left << 2), d - x, strideW, rows, rowStep, KW, dilationW << 2);
        q += 3;
        continue;
      }
      const at = findLargest(window, rows, rowStep, left, W, KW, dilationW);
      store<f32>(yRow + (q << 2), at == 0 ? empty : load<f32>(at - x + d));
    }
  }
}

/** dx = dy where x is largest in a window, summed. An item is a channel. */
export function putLargest(
  from: i32,
  to: i32,
  dx: usize,
  dy: usize,
  x: usize,
  halving: i32,
  H: i32,
  W: i32,
  P: i32,
  Q: i32,
  KH: i32,
  KW: i32,
  strideH: i32,
  strideW: i32,
  paddingH: i32,
  paddingW: i32,
  dilationH: i32,
  dilationW: i32,
): void {
  for (let channel = from; channel < to; channel++) {
    memory.fill(dx + ((channel * H * W) << 2), 0, (H * W) << 2);
    for (let p = 0; p < P; p++) {
      const top = p * strideH - paddingH;
      const first = firstInside(top, dilationH);
      const rows = endInside(top, KH, dilationH, H) - first;
      const window = x + (((channel * H + top + first * dilationH) * W) << 2);
      const dyRow = dy + (((channel * P + p) * Q) << 2);
      let q = 0;
      if (halving) {
        for (let at = window; q + 4 <= Q; q += 4, at += 32) {
          const below = at + (W << 2);
          const x00 = evens(at);
          const x01 = odds(at);
          const x10 = evens(below);
          const x11 = odds(below);
          const is01 = isLarger(x01, x00);
          const upper = v128.bitselect(x01, x00, is01);
          const is10 = isLarger(x10, upper);
          const is11 = isLarger(x11, v128.bitselect(x10, upper, is10));
          const whole = v128.load(dyRow + (q << 2));
          const left = v128.andnot(whole, is11);
          const leftUpper = v128.andnot(left, is10);
          putPairs(at - x + dx, v128.andnot(leftUpper, is01), v128.and(leftUpper, is01));
          putPairs(below - x + dx, v128.and(left, is10), v128.and(whole, is11));
        }
      }
      for (; q < Q; q++) {
        const found = findLargest(window, rows, (dilationH * W) << 2, q * strideW - paddingW, W, KW, dilationW);
        if (found == 0) continue;
        const to = found - x + dx;
        store<f32>(to, load<f32>(to) + load<f32>(dyRow + (q << 2)));
      }
    }
  }
}

/** Eight pixels, from the even and the odd ones. */
function putPairs(to: usize, even: v128, odd: v128): void {
  v128.store(to, v128.shuffle<f32>(even, odd, 0, 4, 1, 5));
  v128.store(to, v128.shuffle<f32>(even, odd, 2, 6, 3, 7), 16);
}

/** Pixels that a window counts along one axis. Those up to `margin` outside of the image count. */
function countPixels(start: i32, kernel: i32, size: i32, margin: i32): i32 {
  return min(start + kernel, size + margin) - max(start, -margin);
}

/** The mean of each window. An item is a row of y. */
export function averageWindows(
  from: i32,
  to: i32,
  y: usize,
  x: usize,
  halving: i32,
  H: i32,
  W: i32,
  P: i32,
  Q: i32,
  KH: i32,
  KW: i32,
  strideH: i32,
  strideW: i32,
  paddingH: i32,
  paddingW: i32,
  marginH: i32,
  marginW: i32,
  divisorOverride: i32,
): void {
  for (let row = from; row < to; row++) {
    const channel = row / P;
    const top = (row - channel * P) * strideH - paddingH;
    const plane = x + ((channel * H * W) << 2);
    const yRow = y + ((row * Q) << 2);
    let q = 0;
    if (halving) {
      let at = plane + ((top * W) << 2);
      for (; q + 4 <= Q; q += 4, at += 32) {
        const left = f32x4.add(v128.load(at), v128.load(at + (W << 2)));
        const right = f32x4.add(v128.load(at, 16), v128.load(at + (W << 2), 16));
        const even = v128.shuffle<f32>(left, right, 0, 2, 4, 6);
        const odd = v128.shuffle<f32>(left, right, 1, 3, 5, 7);
        v128.store(yRow + (q << 2), f32x4.mul(f32x4.add(even, odd), f32x4.splat(0.25)));
      }
    }
    const first = max(top, 0);
    const stop = min(top + KH, H);
    const rows = countPixels(top, KH, H, marginH);
    for (; q < Q; q++) {
      const left = q * strideW - paddingW;
      if (strideW <= 2 && KH * KW <= SMALL && left >= 0 && q + 4 <= Q && left + 3 * strideW + KW <= W) {
        let sum = f32x4.splat(0);
        for (let h = first; h < stop; h++) {
          const row = plane + ((h * W + left) << 2);
          for (let at = row; at < row + (KW << 2); at += 4) sum = f32x4.add(sum, loadEvery(strideW, at));
        }
        const count = divisorOverride != 0 ? divisorOverride : rows * KW;
        v128.store(yRow + (q << 2), f32x4.div(sum, f32x4.splat(<f32>count)));
        q += 3;
        continue;
      }
      let total: f64 = 0;
      for (let h = first; h < stop; h++) {
        const end = plane + ((h * W + min(left + KW, W)) << 2);
        for (let at = plane + ((h * W + max(left, 0)) << 2); at < end; at += 4) total += <f64>load<f32>(at);
      }
      const count = divisorOverride != 0 ? divisorOverride : rows * countPixels(left, KW, W, marginW);
      store<f32>(yRow + (q << 2), <f32>(total / <f64>count));
    }
  }
}

/** The transpose of `averageWindows`: each pixel adds up its shares of the windows that hold it. An item is a row of dx. */
export function spreadWindows(
  from: i32,
  to: i32,
  dx: usize,
  dy: usize,
  halving: i32,
  H: i32,
  W: i32,
  P: i32,
  Q: i32,
  KH: i32,
  KW: i32,
  strideH: i32,
  strideW: i32,
  paddingH: i32,
  paddingW: i32,
  marginH: i32,
  marginW: i32,
  divisorOverride: i32,
): void {
  for (let row = from; row < to; row++) {
    const channel = row / H;
    const h = row - channel * H;
    const plane = dy + ((channel * P * Q) << 2);
    const dxRow = dx + ((row * W) << 2);
    // Windows that span a pixel: from the first one that ends behind it to the last one that starts at or before it.
    const firstP = max(0, (h + paddingH - KH + strideH) / strideH);
    const lastP = min(P - 1, (h + paddingH) / strideH);
    let w = 0;
    if (halving && firstP <= lastP) {
      for (let at = plane + ((firstP * Q) << 2); w + 8 <= Q << 1; w += 8, at += 16) {
        const share = f32x4.mul(v128.load(at), f32x4.splat(0.25));
        putPairs(dxRow + (w << 2), share, share);
      }
    }
    for (; w < W; w++) {
      const firstQ = max(0, (w + paddingW - KW + strideW) / strideW);
      const lastQ = min(Q - 1, (w + paddingW) / strideW);
      let total: f64 = 0;
      for (let p = firstP; p <= lastP; p++) {
        const rows = countPixels(p * strideH - paddingH, KH, H, marginH);
        for (let q = firstQ; q <= lastQ; q++) {
          const columns = countPixels(q * strideW - paddingW, KW, W, marginW);
          const count = divisorOverride != 0 ? divisorOverride : rows * columns;
          total += <f64>load<f32>(plane + ((p * Q + q) << 2)) / <f64>count;
        }
      }
      store<f32>(dxRow + (w << 2), <f32>total);
    }
  }
}
