/**
 * @file Content-aware reassembly: each fine pixel is a sum of the coarse pixels around it, with a kernel of its own. And its
 * two companions. All three are partial derivatives of one form, trilinear in a fine image dy, kernels w and a coarse image x:
 *
 *     T(dy, w, x) = Σ_n,c,p,q,i,j  dy[n, c, p, q]  w[n, (g k + i) k + j, p, q]  x[n, c, floor(p/s) + i - r, floor(q/s) + j - r]
 *
 *     y  = ∂T/∂dy     carafe                            r = (k - 1) / 2; g is the group of channel c
 *     dx = ∂T/∂x      carafeInput                       what lies outside of x counts as 0
 *     dw = ∂T/∂w      carafeKernels: windowSimilarity
 *
 * So the gradients of each are the other two, to every order. Windows of k by k coarse pixels become simple in X, x enlarged to the
 * fine pixels by repeating each s times: floor(q/s) + j - r is pixel q + (j - r) s of X, so that along a row of fine pixels everything
 * lies side by side.
 *
 * Source: Wang et al., "CARAFE: Content-Aware ReAssembly of FEatures", ICCV 2019, arXiv:1905.02188; mmcv.ops.carafe, whose order
 * of channels this is. Lu et al., "SAPA: Similarity-Aware Point Affiliation for Feature Upsampling", NeurIPS 2022, arXiv:2209.12866,
 * for the similarities, which its `sim` has with channels last.
 */

import {
  apply,
  type Op,
  sameShape,
  type Shape,
  ShapeError,
  type Tensor,
  ValueError,
  type Values,
} from "@gridgrad/core";

export interface CarafeOptions {
  /** k, the rows and the columns of a window, in coarse pixels: odd. */
  readonly kernelSize: number;
  /** G, into which the channels fall; each has kernels of its own. Default 1. */
  readonly groups?: number;
}

interface Attrs {
  readonly kernelSize: number;
  readonly groups: number;
}

/**
 * Upsamples images by kernels that are given for each pixel of the result: the weights of the k by k pixels of `x` around it.
 *
 * The kernels are taken as they are; CARAFE normalises them beforehand, by softmax over the k*k weights.
 *
 * @param x - `[N, C, H, W]`, floating.
 * @param kernels - `[N, G*k*k, s*H, s*W]`, with an integer s of at least 1: of each group of C/G channels the rows of its
 *   kernel, one after the other.
 * @param options - `kernelSize` k in pixels of `x`, and `groups` G, which divides C.
 * @returns `[N, C, s*H, s*W]`
 * @throws {ShapeError} when the shapes do not fit each other, or an image has no pixels.
 * @throws {ValueError} when `kernelSize` is not an odd integer of at least 1, or `groups` not an integer of at least 1.
 * @throws {DTypeError} when the element types differ or are int32.
 *
 * @example
 * ```ts
 * const x = tensor([1, 2, 4], [1, 1, 1, 3]);
 * await carafe(x, ones([1, 9, 1, 3]), { kernelSize: 3 }).data(); // [3, 7, 6], sums of neighbours
 * await carafe(x, ones([1, 1, 2, 6]), { kernelSize: 1 }).array(); // [[[[1, 1, 2, 2, 4, 4], [1, 1, 2, 2, 4, 4]]]]
 * ```
 */
export function carafe(x: Tensor, kernels: Tensor, { kernelSize, groups = 1 }: CarafeOptions): Tensor {
  return apply(carafeOp, [x, kernels], { kernelSize, groups });
}

/**
 * How much each pixel of `query` resembles the k by k pixels of `key` around it: dot products over the channels of each group, 0 with
 * what lies outside. Softmax over the k*k makes them kernels for `carafe`: that is SAPA.
 *
 * @param query - `[N, C, s*H, s*W]`, floating, with an integer s of at least 1.
 * @param key - `[N, C, H, W]`
 * @param options - `kernelSize` k in pixels of `key`, and `groups` G, which divides C.
 * @returns `[N, G*k*k, s*H, s*W]`, the layout of `carafe`'s kernels.
 * @throws {ShapeError} when the shapes do not fit each other, or an image has no pixels.
 * @throws {ValueError} when `kernelSize` is not an odd integer of at least 1, or `groups` not an integer of at least 1.
 * @throws {DTypeError} when the element types differ or are int32.
 *
 * @example
 * ```ts
 * const query = tensor([1, 2, 3], [1, 1, 1, 3]);
 * const key = tensor([10, 100, 1000], [1, 1, 1, 3]);
 * const similarity = windowSimilarity(query, key, { kernelSize: 3 });
 * similarity.shape; // [1, 9, 1, 3]
 * await slice(similarity, [null, [3, 6]]).data(); // [0, 20, 300, 10, 200, 3000, 100, 2000, 0], with the left, own and right one
 * ```
 */
export function windowSimilarity(query: Tensor, key: Tensor, { kernelSize, groups = 1 }: CarafeOptions): Tensor {
  return apply(carafeKernelsOp, [query, key], { kernelSize, groups });
}

export const carafeOp: Op<Attrs> = {
  name: "carafe",

  shape([x, kernels], attrs) {
    checkAttrs("carafe", attrs);
    const { kernelSize: k, groups: G } = attrs;
    const fine = [kernels[0], x[1], ...kernels.slice(2)];
    if (kernels[1] !== G * k * k || !areFineAndCoarse(fine, x, G)) {
      const rule = `x must be [N, C, H, W] with at least one pixel and a C that groups = ${G} divides, and kernels [N, G*k*k, s*H, s*W] with G*k*k = ${G * k * k}`;
      throw new ShapeError("carafe", rule, { x, kernels });
    }
    return fine;
  },

  dtype: "float",

  vjp: (dy, [x, kernels], attrs) => [
    apply(carafeInputOp, [dy, kernels], { ...attrs, scale: scaleOf(x, dy) }),
    apply(carafeKernelsOp, [dy, x], attrs),
  ],

  loops(y, [x, kernels], { attrs, inShapes: [coarse], outShape: fine }) {
    const sizes = sizesOf(coarse, fine, attrs);
    const weights = new Float64Array(kernels);
    const row = enlargedRow(sizes);
    const total = new Float64Array(y.length); // rows of windows come one by one: their sum is rounded once
    visitRows(sizes, (fineAt, kernelAt, coarseAt) => {
      enlarge(row, x, coarseAt, sizes);
      for (let j = 0; j < sizes.k; j++) {
        addProducts(total, fineAt, weights, kernelAt + j * sizes.area, row, j * sizes.s, sizes.Q);
      }
    });
    y.set(total);
  },
};

/** `dx` from `dy` and the kernels: every fine pixel gives its dy back to the pixels of its window. */
export const carafeInputOp: Op<Attrs & { readonly scale: number }> = {
  name: "carafeInput",

  shape: ([dy], { scale: s }) => [dy[0], dy[1], dy[2] / s, dy[3] / s],

  dtype: "float",

  vjp: (v, [dy, kernels], { scale: _, ...attrs }) => [
    apply(carafeOp, [v, kernels], attrs),
    apply(carafeKernelsOp, [dy, v], attrs),
  ],

  loops(dx, [dy, kernels], { attrs, inShapes: [fine], outShape: coarse }) {
    const sizes = sizesOf(coarse, fine, attrs);
    const weights = new Float64Array(kernels);
    const gradients = new Float64Array(dy);
    const row = enlargedRow(sizes);
    const total = new Float64Array(dx.length);
    visitRows(sizes, (fineAt, kernelAt, coarseAt) => {
      row.fill(0);
      for (let j = 0; j < sizes.k; j++) {
        addProducts(row, j * sizes.s, weights, kernelAt + j * sizes.area, gradients, fineAt, sizes.Q);
      }
      addShrunk(total, coarseAt, row, sizes);
    });
    dx.set(total);
  },
};

/** `dw` from `dy` and `x`, which are also a query and its key. */
export const carafeKernelsOp: Op<Attrs> = {
  name: "carafeKernels",

  shape([query, key], attrs) {
    checkAttrs("windowSimilarity", attrs);
    const { kernelSize: k, groups: G } = attrs;
    if (!areFineAndCoarse(query, key, G)) {
      const rule = `query must be [N, C, s*H, s*W] and key [N, C, H, W], with at least one pixel and a C that groups = ${G} divides`;
      throw new ShapeError("windowSimilarity", rule, { query, key });
    }
    return [query[0], G * k * k, query[2], query[3]];
  },

  dtype: "float",

  vjp: (v, [dy, x], attrs) => [
    apply(carafeOp, [x, v], attrs),
    apply(carafeInputOp, [dy, v], { ...attrs, scale: scaleOf(x, dy) }),
  ],

  loops(dw, [dy, x], { attrs, inShapes: [fine, coarse] }) {
    const sizes = sizesOf(coarse, fine, attrs);
    const gradients = new Float64Array(dy);
    const row = enlargedRow(sizes);
    const total = new Float64Array(dw.length);
    visitRows(sizes, (fineAt, kernelAt, coarseAt) => {
      enlarge(row, x, coarseAt, sizes);
      for (let j = 0; j < sizes.k; j++) {
        addProducts(total, kernelAt + j * sizes.area, gradients, fineAt, row, j * sizes.s, sizes.Q);
      }
    });
    dw.set(total);
  },
};

function checkAttrs(op: string, { kernelSize, groups }: Attrs): void {
  if (!Number.isInteger(kernelSize) || kernelSize < 1 || kernelSize % 2 === 0) {
    throw new ValueError(op, "kernelSize must be an odd integer of at least 1", String(kernelSize));
  }
  if (!Number.isInteger(groups) || groups < 1) {
    throw new ValueError(op, "groups must be an integer of at least 1", String(groups));
  }
}

/** Whether they are [N, C, s H, s W] and [N, C, H, W] with an integer s, pixels, and groups of channels. */
function areFineAndCoarse(fine: Shape, coarse: Shape, groups: number): boolean {
  const [N, C, H, W] = coarse;
  const s = fine[2] / H;
  const wanted = [N, C, s * H, s * W];
  return coarse.length === 4 && Number.isInteger(s) && s * W > 0 && C % groups === 0 && sameShape(fine, wanted);
}

/** s, fine pixels per coarse pixel along each axis. */
function scaleOf(coarse: Tensor, fine: Tensor): number {
  return fine.shape[2] / coarse.shape[2];
}

/** x is [N, C, H, W], dy [N, C, P, Q], a kernel k by k; it reaches r pixels far. */
function sizesOf([N, C, H, W]: Shape, [, , P, Q]: Shape, { kernelSize: k, groups: G }: Attrs) {
  return { N, C, H, W, P, Q, G, k, r: (k - 1) / 2, s: P / H, area: P * Q };
}

type Sizes = ReturnType<typeof sizesOf>;

/**
 * Visits the products of rows that T consists of: row i of the windows of a row of fine pixels, in one channel. They are in fine images from element
 * `fineAt` on, and in a coarse image they see the row from `coarseAt` on, with weights from `kernelAt` on for j = 0, and a plane of
 * kernels further on for each other j. Rows outside of the image are not visited.
 */
function visitRows(
  { N, C, H, W, P, Q, G, k, r, s }: Sizes,
  visit: (fineAt: number, kernelAt: number, coarseAt: number) => void,
): void {
  for (let n = 0; n < N; n++)
    for (let c = 0; c < C; c++) {
      const g = Math.floor((c * G) / C);
      for (let p = 0; p < P; p++)
        for (let i = 0; i < k; i++) {
          const h = Math.floor(p / s) + i - r;
          if (h < 0 || h >= H) continue;
          const plane = (n * G + g) * k * k + i * k;
          visit(((n * C + c) * P + p) * Q, (plane * P + p) * Q, ((n * C + c) * H + h) * W);
        }
    }
}

/** A row of an enlarged image, with r s zeros at either end. */
function enlargedRow({ Q, k, s }: Sizes): Float64Array {
  return new Float64Array(Q + (k - 1) * s);
}

/** Repeats each pixel of the row from `at` on s times. */
function enlarge(row: Float64Array, x: Values, at: number, { W, r, s }: Sizes): void {
  for (let w = 0, q = r * s; w < W; w++) for (let b = 0; b < s; b++, q++) row[q] = x[at + w];
}

/** The transpose: each pixel of the row from `at` on gets the s that stand for it. */
function addShrunk(total: Float64Array, at: number, row: Float64Array, { W, r, s }: Sizes): void {
  for (let w = 0, q = r * s; w < W; w++) for (let b = 0; b < s; b++, q++) total[at + w] += row[q];
}

/** y += a b, element by element, of stretches of `count`. */
function addProducts(
  y: Float64Array,
  yAt: number,
  a: Float64Array,
  aAt: number,
  b: Float64Array,
  bAt: number,
  count: number,
): void {
  for (let q = 0; q < count; q++) y[yAt + q] += a[aAt + q] * b[bAt + q];
}
