/**
 * @file Affine grid: the positions that an affine map of the image's plane reads, for gridSample.
 *
 *     grid[n, h, w, :] = theta[n] · [x_w, y_h, 1]
 *
 * where x_w and y_h are the pixels' own normalised centres: (2 i + 1) / size - 1, or from -1 to 1 with alignCorners.
 *
 * Source: torch.nn.functional.affine_grid; Jaderberg et al. 2015, arXiv:1506.02025, eq. 1.
 */

import {
  allocate,
  checkOptions,
  checkShape,
  checkTensor,
  DTypeError,
  isFloat,
  leaf,
  matmul,
  reshape,
  type Shape,
  ShapeError,
  type Tensor,
  transpose,
  ValueError,
} from "@gridgrad/core";

const affineGridOptions = { alignCorners: 1 } as const;

/**
 * Makes a grid for `gridSample` out of affine maps.
 *
 * @param theta - `[N, 2, 3]`, floating: rows (for x and for y) of a map from the output's positions to the input's, both from -1 to 1.
 * @param size - `[N, C, H, W]`, the shape that sampling with the grid shall give.
 * @param options.alignCorners - whether -1 and 1 are the centres of the outermost pixels, not their outer edges. Give the same
 *   to `gridSample`. An axis of one pixel lies at 0 either way. Default false.
 * @returns `[N, H, W, 2]`
 * @throws {ShapeError} when `theta` is not `[N, 2, 3]`.
 * @throws {DTypeError} when `theta` is int32.
 * @throws {OutOfMemoryError} when there is no memory for so many points.
 * @throws {ValueError} when `size` is not four sizes with the N of `theta`.
 *
 * @example
 * ```ts
 * const theta = tensor([[[1, 0, 0.25], [0, 1, 0]]]); // reads 0.25 of half a width further to the right
 * await affineGrid(theta, [1, 1, 1, 2]).array(); // [[[[-0.25, 0], [0.75, 0]]]]
 * ```
 */
export function affineGrid(theta: Tensor, size: Shape, options?: { alignCorners?: boolean }): Tensor {
  checkTensor("affineGrid", "theta", theta);
  const { alignCorners = false } = checkOptions("affineGrid(theta, size)", affineGridOptions, options, arguments);
  checkShape("affineGrid", size);
  if (theta.shape.length !== 3 || theta.shape[1] !== 2 || theta.shape[2] !== 3) {
    throw new ShapeError("affineGrid", "theta must be [N, 2, 3]", { theta: theta.shape });
  }
  if (!isFloat(theta.dtype)) {
    throw new DTypeError(
      "affineGrid",
      'theta must be float32 or float64 (theta.cast("float32") converts)',
      theta.dtype,
    );
  }
  const [N, , H, W] = size;
  if (size.length !== 4 || N !== theta.shape[0]) {
    throw new ValueError(
      "affineGrid",
      `size must be [N, C, H, W] with the N of theta, ${theta.shape[0]}`,
      `[${size.join(", ")}]`,
    );
  }
  const points = allocate(theta.dtype, 3 * H * W, () => `affineGrid: a grid of ${H} by ${W} points in ${theta.dtype}`);
  for (let h = 0, at = 0; at < points.length; h++)
    for (let w = 0; w < W; w++, at += 3) points.set([centre(w, W, alignCorners), centre(h, H, alignCorners), 1], at);
  const base = leaf([H * W, 3], theta.dtype, points);
  return reshape(matmul(base, transpose(theta, 1, 2)), [N, H, W, 2]);
}

/** The normalised position of the centre of pixel i along an axis. */
function centre(i: number, size: number, alignCorners: boolean): number {
  if (size === 1) return 0;
  return (alignCorners ? (2 * i) / (size - 1) : (2 * i + 1) / size) - 1;
}
