/** @file The public surface of @gridgrad/core. */

import "./methods.ts";

export { grad, type GradOptions, gradientsOf } from "./autograd.ts";
export { checkOptions, type OptionNames } from "./checkOptions.ts";
export { checkTensor, checkTensors, otherCopy } from "./checkTensor.ts";
export { countMacs, formatMacs } from "./countMacs.ts";
export {
  type Device,
  type DeviceBuffer,
  describeResult,
  deviceNames,
  getDevice,
  MemoryCounter,
  openDevice,
  ReferenceDevice,
  registerDevice,
  runLoops,
  setDevice,
  showDevice,
  withDevice,
} from "./device.ts";
export {
  allocate,
  bytesPerElement,
  checkDType,
  type DType,
  dtypeOf,
  isFloat,
  type Values,
  type ValuesOf,
} from "./dtype.ts";
export { eager, setEager } from "./eager.ts";
export { DTypeError, GraphError, OutOfMemoryError, ShapeError, showText, showValue, ValueError } from "./errors.ts";
export { explain, Explanation, profile, type Step } from "./explain.ts";
export { formatBytes } from "./formatBytes.ts";
export { elementwise } from "./gpu/elementwise.ts";
export { elementwiseStep, gather } from "./gpu/elementwiseStep.ts";
export { type GpuPlanner, gpuPlanner } from "./gpu/gpuPlanner.ts";
export {
  type GpuPlan,
  type GpuStep,
  type KernelFunction,
  kernelName,
  kernelSource,
  type KernelText,
  loadKernels,
  quotient,
  type ScalarFunction,
  type Thread,
} from "./gpu/kernel.ts";
export { reduceAxes, reduceMiddle, sumInParts } from "./gpu/reduction.ts";
export { powerSteps } from "./gpu/powerSteps.ts";
export { maxKernel, minKernel, sumKernel } from "./gpu/reductionKernels.ts";
export { dependencies } from "./graph.ts";
export { isRealized, takeAsLeaf } from "./held.ts";
export { lacksMemory, lessMemory, needsMemory } from "./needsMemory.ts";
export type { Op, OpInfo } from "./op.ts";
export * from "./ops/index.ts";
export { Random, type RandomOptions } from "./random.ts";
export { readValues, realize, release } from "./realize.ts";
export {
  decodeSafetensors,
  encodeSafetensors,
  entryToTensor,
  type SafetensorsDType,
  type SafetensorsEntry,
  SafetensorsError,
  type SafetensorsFile,
  showJson,
  valuesToEntry,
} from "./safetensors.ts";
export {
  broadcastShapes,
  checkShape,
  formatShape,
  normalizeAxes,
  normalizeAxis,
  sameShape,
  type Shape,
  size,
  stridesOf,
} from "./shape.ts";
export { suggest } from "./suggest.ts";
export { apply, operands, scalarLike } from "./apply.ts";
export { arange, full, leaf, ones, tensor, type TensorOptions, zeros } from "./leaf.ts";
export type { Methods } from "./methods.ts";
export { Shown } from "./shown.ts";
export { showTensor } from "./showTensor.ts";
export { type NestedNumbers, type Recipe, Tensor } from "./tensor.ts";
export { broadcastOperand, denseOperand, mergeAxes, type Operand, walk } from "./walk.ts";
export { importOptional } from "./importOptional.ts";
export { version } from "./version.ts";
