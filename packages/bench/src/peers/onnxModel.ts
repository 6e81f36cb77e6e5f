/**
 * @file An ONNX model of one node, as bytes: for each op that onnxruntime is timed on.
 *
 * Source: onnx.proto of github.com/onnx/onnx, whose field numbers stand beside the fields; the wire format of Protocol Buffers.
 */

import type { HostTensor } from "./task.ts";

export interface OnnxNode {
  readonly type: string;
  /** In the node's order. One with values is part of the model, `null` stands for an optional input that is left out. */
  readonly inputs: readonly (OnnxInput | null)[];
  readonly outShape: readonly number[];
  readonly attributes?: Readonly<Record<string, string | number | readonly number[]>>;
  /** Version of the op set. */
  readonly opset: number;
}

export interface OnnxInput {
  readonly name: string;
  readonly shape: readonly number[];
  /** Values that never change, such as weights. */
  readonly constant?: HostTensor["values"];
}

const FLOAT = 1; // TensorProto.DataType

/** The model's inputs are those without values, its output is `y`. All values are float32. */
export function onnxModel({ type, inputs, outShape, attributes = {}, opset }: OnnxNode): Uint8Array {
  const present = inputs.filter((input) => input !== null);
  const node = [
    ...inputs.map((input) => text(1, input?.name ?? "")), // input
    text(2, "y"), // output
    text(4, type), // op_type
    ...Object.entries(attributes).map(([name, value]) => message(5, attribute(name, value))),
  ];
  const graph = [
    message(1, node), // node
    text(2, type), // name
    ...present.filter(({ constant }) => constant).map((input) => message(5, initializer(input))),
    ...present.filter(({ constant }) => !constant).map((input) => message(11, valueInfo(input))), // input
    message(12, valueInfo({ name: "y", shape: outShape })), // output
  ];
  const irVersion = 8; // the first with op set 15 and later
  return Uint8Array.from([...integer(1, irVersion), ...message(7, graph), ...message(8, [integer(2, opset)])]);
}

function attribute(name: string, value: string | number | readonly number[]): number[][] {
  const [INT, STRING, INTS] = [2, 3, 7]; // AttributeProto.AttributeType
  if (typeof value === "string") return [text(1, name), text(4, value), integer(20, STRING)];
  if (typeof value === "number") return [text(1, name), integer(3, value), integer(20, INT)];
  return [text(1, name), ...value.map((n) => integer(8, n)), integer(20, INTS)];
}

function initializer({ name, shape, constant }: OnnxInput): number[][] {
  const bytes = new Uint8Array(constant!.buffer, constant!.byteOffset, constant!.byteLength);
  return [...shape.map((n) => integer(1, n)), integer(2, FLOAT), text(8, name), field(9, [...bytes])];
}

function valueInfo({ name, shape }: OnnxInput): number[][] {
  const dimensions = message(2, shape.map((n) => message(1, [integer(1, n)]))); // prettier-ignore
  return [text(1, name), message(2, [message(1, [integer(1, FLOAT), dimensions])])];
}

// The wire format: a tag of field number and kind, then a varint, or a length and bytes.

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return [...bytes, rest];
}

function integer(number: number, value: number): number[] {
  return [...varint(number * 8), ...varint(value)];
}

function field(number: number, bytes: readonly number[]): number[] {
  return [...varint(number * 8 + 2), ...varint(bytes.length), ...bytes];
}

function text(number: number, value: string): number[] {
  return field(number, [...new TextEncoder().encode(value)]);
}

function message(number: number, fields: readonly (readonly number[])[]): number[] {
  return field(number, fields.flat());
}
