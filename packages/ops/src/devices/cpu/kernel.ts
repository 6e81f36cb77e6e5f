/**
 * @file How an op gets kernels on the `cpu` device: a function that starts kernels of the WebAssembly module, compiled from
 * packages/ops/assembly, on the blocks of memory that hold its inputs and its result.
 *
 * A kernel is a function `(from, to, ...arguments)` that computes the items [from, to) of its work: pixels, rows, channels. Threads take
 * parts of the items in any order, so an item must not touch what another item writes, and the parts must not change a result:
 * then it is the same, to the bit, for any number of threads.
 */

import type { Op, OpInfo } from "@gridgrad/core";

import type { KernelName } from "./module.generated.ts";

/** What a kernel has to do. */
export interface Work {
  /** Independent pieces, such as rows or channels. */
  readonly items: number;
  /** Scalar operations per item, about: from them follows how many parts the work is cut into, and whether threads are worth waking. */
  readonly cost: number;
  /** Bytes of memory that each thread gets for itself. The kernel gets their address as its third argument. Default: none. */
  readonly scratch?: number;
}

/** What starts kernels. All addresses are of bytes, and multiples of 64. */
export interface Launcher {
  /** Runs a kernel to its end. `args` are addresses, integers and float32 numbers, as the kernel declares them behind `from`, `to`. */
  launch(kernel: KernelName, work: Work, ...args: number[]): void;
  /** The address of `floats` float32 numbers, of any value, until the op is done. */
  scratch(floats: number): number;
  /** Int32 or float32 values of a block, to read small ones or to write them. Valid until the next call. */
  int32(address: number, length: number): Int32Array;
  float32(address: number, length: number): Float32Array;
}

/**
 * Starts the kernels that compute a float32 result into `y` from `inputs`, in blocks of whole cache lines: reading and writing behind
 * the last element, up to a multiple of 64 bytes, is harmless. `y` holds any values before. `"loops"` leaves it to the plain loops, and
 * `"not finite"` does when values are not finite and the kernels are right only for numbers.
 */
export type Launch<Attrs extends object> = (
  cpu: Launcher,
  y: number,
  inputs: readonly number[],
  info: OpInfo<Attrs>,
) => "loops" | "not finite" | void;

/** A word of memory that kernels raise, as assembly/finite.ts tells. */
export interface Flag {
  readonly address: number;
  isRaised(): boolean;
}

/** A flag that is not raised, until the op is done. */
export function makeFlag(cpu: Launcher): Flag {
  const address = cpu.scratch(1);
  cpu.int32(address, 1)[0] = 0;
  return { address, isRaised: () => cpu.int32(address, 1)[0] !== 0 };
}

/** The kernels of one op. */
export interface CpuKernel {
  /** The name of the op. */
  readonly op: string;
  readonly launch: Launch<object>;
  /** Whether it takes int32 inputs, or gives int32. Otherwise the device leaves those to the loops. */
  readonly integers: boolean;
}

type AttrsOf<O> = O extends Op<infer Attrs> ? Attrs : never;

/**
 * One entry of a list of kernels, `kernelOf<typeof mulOp>("mul", ..)`. The type ties the attributes of the op to those that `launch` gets.
 * The record itself stays out, since a page that loads the device would load the loops of all ops with it.
 */
export function kernelOf<O extends Op<never> = Op>(
  op: string,
  launch: Launch<AttrsOf<O>>,
  { integers = false }: { readonly integers?: boolean } = {},
): CpuKernel {
  return { op, launch: launch as Launch<object>, integers };
}
