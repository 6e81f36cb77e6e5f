/**
 * @file Element-wise kernels, broadcasting ones included.
 *
 * What an op does to four numbers is the method of a class that has no objects: `changetype<F>(0).apply(x)` names the class of a type
 * parameter, and the loop around it is compiled once per class, with the method inside.
 *
 * One operand: an item is a cache line of 16 elements. Several: an item is a row of the result, `n` contiguous elements. Where the
 * rows of an operand are says a number beside its address: DENSE, where those of the result are; SINGLE, one number for all; else
 * the address of a table
 *
 *     [step, rank, then per axis, from the innermost one out: its size, the operand's stride in bytes]        int32
 *
 * whose step is 1 if a row is contiguous, and 0 if it repeats one number. Without tables neighbouring rows make one long row.
 */

import {
  ERF_NEAR,
  erfNearZero,
  erfRest,
  erfVector,
  expVector,
  log1pVector,
  logistic,
  logVector,
  powVector,
  sigmoidVector,
  tanhVector,
  withSign,
} from "./maths";

function splat(value: f32): v128 {
  return f32x4.splat(value);
}

/** 1 where a mask holds, else 0. */
function oneWhere(mask: v128): v128 {
  return v128.and(mask, splat(1));
}

// One operand.

/** y = F(x) with two numbers from the attributes. */
function unary<F>(from: i32, to: i32, y: usize, x: usize, p: f32, q: f32): void {
  const pVector = splat(p);
  const qVector = splat(q);
  const end = y + ((<usize>to) << 6);
  x += (<usize>from) << 6;
  for (y += (<usize>from) << 6; y < end; y += 32, x += 32) {
    // Two vectors a turn: they share the loads of what constants the registers have no room for. exp gains a third.
    const first = changetype<F>(0).apply(v128.load(x), pVector, qVector);
    const second = changetype<F>(0).apply(v128.load(x, 16), pVector, qVector);
    v128.store(y, first);
    v128.store(y, second, 16);
  }
}

class Neg {
  apply(x: v128, _p: v128, _q: v128): v128 {
    return f32x4.neg(x);
  }
}
class Abs {
  apply(x: v128, _p: v128, _q: v128): v128 {
    return f32x4.abs(x);
  }
}
class Sign {
  apply(x: v128, _p: v128, _q: v128): v128 {
    const hasOne = v128.or(f32x4.lt(x, splat(0)), f32x4.gt(x, splat(0))); // neither zeros nor NaN
    return v128.bitselect(withSign(splat(1), x), x, hasOne);
  }
}
class Sqrt {
  apply(x: v128, _p: v128, _q: v128): v128 {
    return f32x4.sqrt(x);
  }
}
class Floor {
  apply(x: v128, _p: v128, _q: v128): v128 {
    return f32x4.floor(x);
  }
}
class Exp {
  apply(x: v128, _p: v128, _q: v128): v128 {
    return expVector(x);
  }
}
class Log {
  apply(x: v128, _p: v128, _q: v128): v128 {
    return logVector(x);
  }
}
class Tanh {
  apply(x: v128, _p: v128, _q: v128): v128 {
    return tanhVector(x);
  }
}
class Sigmoid {
  apply(x: v128, _p: v128, _q: v128): v128 {
    return logistic(x, expVector(f32x4.neg(f32x4.abs(x))));
  }
}
class Erf {
  apply(x: v128, _p: v128, _q: v128): v128 {
    return erfVector(x);
  }
}
class Relu {
  apply(x: v128, _p: v128, _q: v128): v128 {
    return f32x4.add(f32x4.pmax(x, splat(0)), splat(0)); // NaN stays; -0 + 0 is 0
  }
}
class LeakyRelu {
  apply(x: v128, slope: v128, _q: v128): v128 {
    return v128.bitselect(x, f32x4.mul(x, slope), f32x4.gt(x, splat(0)));
  }
}
class Clamp {
  apply(x: v128, low: v128, high: v128): v128 {
    return f32x4.min(f32x4.max(x, low), high);
  }
}
class Silu {
  apply(x: v128, _p: v128, _q: v128): v128 {
    return f32x4.mul(x, logistic(x, expVector(f32x4.neg(f32x4.abs(x)))));
  }
}

/** x Φ(x). For negative x, Φ(x) is half of what erf(|x|/√2) lacks to 1: 1 + erf would lose its digits. */
class Gelu {
  apply(x: v128, _p: v128, _q: v128): v128 {
    const rootHalf = splat(0.70710677);
    const scaled = f32x4.mul(x, rootHalf);
    const size = f32x4.abs(x);
    const a = f32x4.abs(scaled);
    const half = splat(0.5);
    const tail = f32x4.mul(half, erfRest(a, size, half)); // a² = x²/2
    const far = v128.bitselect(tail, f32x4.sub(splat(1), tail), f32x4.lt(x, splat(0)));
    const near = f32x4.add(half, f32x4.mul(half, erfNearZero(scaled)));
    return f32x4.mul(x, v128.bitselect(near, far, f32x4.le(a, splat(ERF_NEAR))));
  }
}

/** x (1 + tanh u) / 2 = x sigmoid(2u), which keeps the digits that 1 + tanh loses for negative u. 2u = x (p + q x²) */
class GeluTanh {
  apply(x: v128, p: v128, q: v128): v128 {
    return f32x4.mul(x, sigmoidVector(f32x4.mul(x, f32x4.add(p, f32x4.mul(q, f32x4.mul(x, x))))));
  }
}

/** max(x, 0) + ln(1 + e^-|x|) */
class Softplus {
  apply(x: v128, _p: v128, _q: v128): v128 {
    const e = expVector(f32x4.neg(f32x4.abs(x)));
    return f32x4.add(f32x4.max(x, splat(0)), log1pVector(e));
  }
}

/** d²/2beta where |d| < beta, else |d| - beta/2; d² may overflow. */
class SmoothL1 {
  apply(d: v128, beta: v128, _q: v128): v128 {
    const a = f32x4.abs(d);
    const half = splat(0.5);
    const near = f32x4.mul(f32x4.mul(a, half), f32x4.div(a, beta));
    return v128.bitselect(near, f32x4.sub(a, f32x4.mul(beta, half)), f32x4.lt(a, beta));
  }
}

/** From int32. */
class ToFloat {
  apply(x: v128, _p: v128, _q: v128): v128 {
    return f32x4.convert_i32x4_s(x);
  }
}

export function neg(from: i32, to: i32, y: usize, x: usize): void {
  unary<Neg>(from, to, y, x, 0, 0);
}
export function abs(from: i32, to: i32, y: usize, x: usize): void {
  unary<Abs>(from, to, y, x, 0, 0);
}
export function sign(from: i32, to: i32, y: usize, x: usize): void {
  unary<Sign>(from, to, y, x, 0, 0);
}
export function sqrt(from: i32, to: i32, y: usize, x: usize): void {
  unary<Sqrt>(from, to, y, x, 0, 0);
}
export function floor(from: i32, to: i32, y: usize, x: usize): void {
  unary<Floor>(from, to, y, x, 0, 0);
}
export function exp(from: i32, to: i32, y: usize, x: usize): void {
  unary<Exp>(from, to, y, x, 0, 0);
}
export function log(from: i32, to: i32, y: usize, x: usize): void {
  unary<Log>(from, to, y, x, 0, 0);
}
export function tanh(from: i32, to: i32, y: usize, x: usize): void {
  unary<Tanh>(from, to, y, x, 0, 0);
}
export function sigmoid(from: i32, to: i32, y: usize, x: usize): void {
  unary<Sigmoid>(from, to, y, x, 0, 0);
}
export function erf(from: i32, to: i32, y: usize, x: usize): void {
  unary<Erf>(from, to, y, x, 0, 0);
}
export function relu(from: i32, to: i32, y: usize, x: usize): void {
  unary<Relu>(from, to, y, x, 0, 0);
}
export function leakyRelu(from: i32, to: i32, y: usize, x: usize, slope: f32): void {
  unary<LeakyRelu>(from, to, y, x, slope, 0);
}
export function clamp(from: i32, to: i32, y: usize, x: usize, low: f32, high: f32): void {
  unary<Clamp>(from, to, y, x, low, high);
}
export function silu(from: i32, to: i32, y: usize, x: usize): void {
  unary<Silu>(from, to, y, x, 0, 0);
}
export function gelu(from: i32, to: i32, y: usize, x: usize): void {
  unary<Gelu>(from, to, y, x, 0, 0);
}
export function geluTanh(from: i32, to: i32, y: usize, x: usize, p: f32, q: f32): void {
  unary<GeluTanh>(from, to, y, x, p, q);
}
export function softplus(from: i32, to: i32, y: usize, x: usize): void {
  unary<Softplus>(from, to, y, x, 0, 0);
}
export function smoothL1(from: i32, to: i32, y: usize, d: usize, beta: f32): void {
  unary<SmoothL1>(from, to, y, d, beta, 0);
}

export function toFloat(from: i32, to: i32, y: usize, x: usize): void {
  unary<ToFloat>(from, to, y, x, 0, 0);
}

/** Float32 to int32: fractions are cut off, and of what is left the lowest 32 bits stay. */
export function toInt(from: i32, to: i32, y: usize, x: usize): void {
  const end = y + ((<usize>to) << 6);
  x += (<usize>from) << 6;
  for (y += (<usize>from) << 6; y < end; y += 4, x += 4) {
    const value = load<f32>(x);
    // From 2^56 on a float32 is a multiple of 2^32. Infinities and NaN become 0, too.
    store<i32>(y, Mathf.abs(value) < 72057594037927936 ? <i32>(<i64>value) : 0);
  }
}

// Several operands.

const DENSE: usize = 0;
const SINGLE: usize = 1;

/** Where row `row` of an operand starts, in bytes behind its address. `dense`: where that of the result does. */
function rowOffset(rows: usize, row: i32, dense: usize): usize {
  if (rows == DENSE) return dense;
  return rows == SINGLE ? 0 : offsetIn(rows + 8, load<i32>(rows, 4), row);
}

/** The same from the innermost one of `axes` axes on. A recursion, which the compiler does not copy into every kernel. */
function offsetIn(axis: usize, axes: i32, row: i32): usize {
  if (axes == 1) return row * load<i32>(axis, 4);
  const outer = row / load<i32>(axis);
  return (row - outer * load<i32>(axis)) * load<i32>(axis, 4) + offsetIn(axis + 8, axes - 1, outer);
}

/** Elements from one element of a row to the next: 1 or 0. */
function stepOf(rows: usize): i32 {
  return rows > SINGLE ? load<i32>(rows) : rows == DENSE ? 1 : 0;
}

/** y = F(a, b) */
function binary<F>(from: i32, to: i32, y: usize, n: i32, a: usize, aRows: usize, b: usize, bRows: usize): void {
  const aStep = stepOf(aRows);
  const bStep = stepOf(bRows);
  const together = max(aRows, bRows) <= SINGLE ? to - from : 1;
  for (let row = from; row < to; row += together) {
    const start = (<usize>row * n) << 2;
    let at = y + start;
    let aAt = a + rowOffset(aRows, row, start);
    let bAt = b + rowOffset(bRows, row, start);
    const end = at + ((<usize>together * n) << 2);
    const last = end - 15; // a vector that starts below it ends in the row
    if (bStep == 0) {
      const bVector = v128.load32_splat(bAt);
      for (; at < last; at += 16, aAt += 16) v128.store(at, changetype<F>(0).apply(v128.load(aAt), bVector));
    } else if (aStep == 0) {
      const aVector = v128.load32_splat(aAt);
      for (; at < last; at += 16, bAt += 16) v128.store(at, changetype<F>(0).apply(aVector, v128.load(bAt)));
    } else {
      for (; at < last; at += 16, aAt += 16, bAt += 16) {
        v128.store(at, changetype<F>(0).apply(v128.load(aAt), v128.load(bAt)));
      }
    }
    for (; at < end; at += 4, aAt += aStep << 2, bAt += bStep << 2) {
      v128.store32_lane(at, changetype<F>(0).apply(v128.load32_splat(aAt), v128.load32_splat(bAt)), 0);
    }
  }
}

class Add {
  apply(a: v128, b: v128): v128 {
    return f32x4.add(a, b);
  }
}
class Sub {
  apply(a: v128, b: v128): v128 {
    return f32x4.sub(a, b);
  }
}
class Mul {
  apply(a: v128, b: v128): v128 {
    return f32x4.mul(a, b);
  }
}
class Div {
  apply(a: v128, b: v128): v128 {
    return f32x4.div(a, b);
  }
}
class Maximum {
  apply(a: v128, b: v128): v128 {
    return f32x4.max(a, b);
  }
}
class Minimum {
  apply(a: v128, b: v128): v128 {
    return f32x4.min(a, b);
  }
}
class Equal {
  apply(a: v128, b: v128): v128 {
    return oneWhere(f32x4.eq(a, b));
  }
}
class NotEqual {
  apply(a: v128, b: v128): v128 {
    return oneWhere(f32x4.ne(a, b));
  }
}
class Less {
  apply(a: v128, b: v128): v128 {
    return oneWhere(f32x4.lt(a, b));
  }
}
class LessEqual {
  apply(a: v128, b: v128): v128 {
    return oneWhere(f32x4.le(a, b));
  }
}
class Pow {
  apply(a: v128, b: v128): v128 {
    return powVector(a, b);
  }
}

export function add(from: i32, to: i32, y: usize, n: i32, a: usize, aRows: usize, b: usize, bRows: usize): void {
  binary<Add>(from, to, y, n, a, aRows, b, bRows);
}
export function sub(from: i32, to: i32, y: usize, n: i32, a: usize, aRows: usize, b: usize, bRows: usize): void {
  binary<Sub>(from, to, y, n, a, aRows, b, bRows);
}
export function mul(from: i32, to: i32, y: usize, n: i32, a: usize, aRows: usize, b: usize, bRows: usize): void {
  binary<Mul>(from, to, y, n, a, aRows, b, bRows);
}
export function div(from: i32, to: i32, y: usize, n: i32, a: usize, aRows: usize, b: usize, bRows: usize): void {
  binary<Div>(from, to, y, n, a, aRows, b, bRows);
}
export function maximum(from: i32, to: i32, y: usize, n: i32, a: usize, aRows: usize, b: usize, bRows: usize): void {
  binary<Maximum>(from, to, y, n, a, aRows, b, bRows);
}
export function minimum(from: i32, to: i32, y: usize, n: i32, a: usize, aRows: usize, b: usize, bRows: usize): void {
  binary<Minimum>(from, to, y, n, a, aRows, b, bRows);
}
export function equal(from: i32, to: i32, y: usize, n: i32, a: usize, aRows: usize, b: usize, bRows: usize): void {
  binary<Equal>(from, to, y, n, a, aRows, b, bRows);
}
export function notEqual(from: i32, to: i32, y: usize, n: i32, a: usize, aRows: usize, b: usize, bRows: usize): void {
  binary<NotEqual>(from, to, y, n, a, aRows, b, bRows);
}
export function less(from: i32, to: i32, y: usize, n: i32, a: usize, aRows: usize, b: usize, bRows: usize): void {
  binary<Less>(from, to, y, n, a, aRows, b, bRows);
}
export function lessEqual(from: i32, to: i32, y: usize, n: i32, a: usize, aRows: usize, b: usize, bRows: usize): void {
  binary<LessEqual>(from, to, y, n, a, aRows, b, bRows);
}
export function pow(from: i32, to: i32, y: usize, n: i32, a: usize, aRows: usize, b: usize, bRows: usize): void {
  binary<Pow>(from, to, y, n, a, aRows, b, bRows);
}

/** Four elements of a row. */
function loadStep(at: usize, step: i32): v128 {
  return step == 0 ? v128.load32_splat(at) : v128.load(at);
}

/** y = a where c is not 0, else b. */
export function where(
  from: i32,
  to: i32,
  y: usize,
  n: i32,
  c: usize,
  cRows: usize,
  a: usize,
  aRows: usize,
  b: usize,
  bRows: usize,
): void {
  const cStep = stepOf(cRows);
  const aStep = stepOf(aRows);
  const bStep = stepOf(bRows);
  const together = max(cRows, max(aRows, bRows)) <= SINGLE ? to - from : 1;
  for (let row = from; row < to; row += together) {
    const start = (<usize>row * n) << 2;
    let at = y + start;
    let cAt = c + rowOffset(cRows, row, start);
    let aAt = a + rowOffset(aRows, row, start);
    let bAt = b + rowOffset(bRows, row, start);
    const end = at + ((<usize>together * n) << 2);
    const last = end - 15;
    for (; at < last; at += 16, cAt += cStep << 4, aAt += aStep << 4, bAt += bStep << 4) {
      const taken = f32x4.ne(loadStep(cAt, cStep), splat(0)); // for NaN, too
      v128.store(at, v128.bitselect(loadStep(aAt, aStep), loadStep(bAt, bStep), taken));
    }
    for (; at < end; at += 4, cAt += cStep << 2, aAt += aStep << 2, bAt += bStep << 2) {
      store<f32>(at, load<f32>(load<f32>(cAt) != 0 ? aAt : bAt));
    }
  }
}

/** y = x, repeated. It copies 32 bits, whatever they mean. */
export function expand(from: i32, to: i32, y: usize, n: i32, x: usize, rows: usize): void {
  const step = stepOf(rows);
  const together = rows <= SINGLE ? to - from : 1;
  for (let row = from; row < to; row += together) {
    const start = (<usize>row * n) << 2;
    let at = y + start;
    let xAt = x + rowOffset(rows, row, start);
    const end = at + ((<usize>together * n) << 2);
    const last = end - 15;
    for (; at < last; at += 16, xAt += step << 4) v128.store(at, loadStep(xAt, step));
    for (; at < end; at += 4, xAt += step << 2) store<i32>(at, load<i32>(xAt));
  }
}
