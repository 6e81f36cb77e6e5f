/**
 * @file A WebAssembly module that multiplies and adds in registers only, `acc = acc * a + b`, to find out how often a machine can do so.
 *
 * Twelve accumulators of four float32 each wait for nobody: a multiplication and an addition of four cycles' latency each, begun twice
 * a cycle, need about so many, and with `a` and `b` they just fit the sixteen vector registers of x64.
 *
 * Source: the WebAssembly core specification, binary format; its SIMD instructions.
 */

export const accumulators = 12;

/** Multiply-adds of one turn of the loop. */
export const macsPerTurn = accumulators * 4;

/** Exports `run(turns: i32): f32`, whose result depends on everything, so that nothing is left out. */
export function multiplyAddModule(): Uint8Array<ArrayBuffer> {
  const [I32, F32, V128] = [0x7f, 0x7d, 0x7b];
  const [a, b, first] = [1, 2, 3]; // locals; 0 is the number of turns
  const get = (local: number): number[] => [0x20, local];
  const set = (local: number): number[] => [0x21, local];
  const f32 = (value: number): number[] => [0x43, ...new Uint8Array(Float32Array.of(value).buffer)];
  const [splat, extractLane0, add, mul] = [simd(0x13), [...simd(0x1f), 0], simd(0xe4), simd(0xe6)];
  const all = Array.from({ length: accumulators }, (_, i) => first + i);

  const body = [
    [...f32(0.999), ...splat, ...set(a), ...f32(0.001), ...splat, ...set(b)], // 1 stays 1: no overflow, no denormals
    ...all.map((acc) => [...f32(1), ...splat, ...set(acc)]),
    [0x03, 0x40], // loop
    ...all.map((acc) => [...get(acc), ...get(a), ...mul, ...get(b), ...add, ...set(acc)]),
    [...get(0), 0x41, 1, 0x6b, 0x22, 0, 0x0d, 0], // turns -= 1, again while it is not 0
    [0x0b], // end of the loop
    get(first),
    ...all.slice(1).map((acc) => [...get(acc), ...add]),
    [...extractLane0, 0x0b],
  ].flat();

  const code = [1, 2 + accumulators, V128, ...body]; // one group of locals
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0], // magic and version
    ...section(1, [1, 0x60, 1, I32, 1, F32]), // one type: i32 to f32
    ...section(3, [1, 0]), // one function, of that type
    ...section(7, [1, 3, ...new TextEncoder().encode("run"), 0, 0]), // its export
    ...section(10, [1, ...leb128(code.length), ...code]), // its code
  ]);
}

function simd(opcode: number): number[] {
  return [0xfd, ...leb128(opcode)];
}

function section(id: number, bytes: readonly number[]): number[] {
  return [id, ...leb128(bytes.length), ...bytes];
}

function leb128(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...leb128(Math.floor(value / 128))];
}
