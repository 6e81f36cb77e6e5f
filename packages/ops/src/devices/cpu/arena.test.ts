import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { Arena, blockAlignment, type GrowableMemory } from "./arena.ts";

const base = 1024;

/** A memory that grows up to `mostPages`, without the bytes. */
function makeMemory(mostPages: number): GrowableMemory {
  let pages = 1;
  return {
    get buffer() {
      return { byteLength: pages * 65536 } as ArrayBuffer;
    },
    grow(more) {
      if (pages + more > mostPages) throw new RangeError("no more");
      pages += more;
      return pages - more;
    },
  };
}

describe("the arena", () => {
  test("gives blocks that lie apart, aligned and inside the memory, whatever is allocated and freed", () =>
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.nat(300_000), fc.nat(2000), fc.constant("free" as const)), { maxLength: 60 }),
        fc.nat(),
        (plan, seed) => {
          const memory = makeMemory(1000);
          const arena = new Arena(memory, base);
          const blocks: { start: number; end: number }[] = [];
          let picked = seed;
          for (const step of plan) {
            if (step === "free") {
              picked = (picked * 7919 + 1) % 104729;
              const [gone] = blocks.splice(picked % Math.max(1, blocks.length), 1);
              if (gone) arena.free(gone.start);
              continue;
            }
            const start = arena.allocate(step);
            expect(start % blockAlignment).toBe(0);
            expect(start).toBeGreaterThanOrEqual(base);
            expect(start + step).toBeLessThanOrEqual(memory.buffer.byteLength - blockAlignment);
            for (const other of blocks) expect(start >= other.end || start + step <= other.start).toBe(true);
            blocks.push({ start, end: start + Math.max(step, 1) });
          }
          const live = blocks.reduce((total, { start, end }) => total + roundUp(end - start), 0);
          expect(arena.liveBytes).toBe(live);
          expect(arena.peakBytes).toBeGreaterThanOrEqual(live);
        },
      ),
    ));

  test("is one whole again when everything was freed, in any order", () =>
    fc.assert(
      fc.property(fc.array(fc.nat(5000), { minLength: 1, maxLength: 30 }), fc.nat(), (sizes, seed) => {
        const memory = makeMemory(100);
        const arena = new Arena(memory, base);
        const starts = sizes.map((bytes) => arena.allocate(bytes));
        const whole = memory.buffer.byteLength;
        while (starts.length > 0) arena.free(starts.splice(seed % starts.length, 1)[0]);
        expect(arena.liveBytes).toBe(0);
        // Everything that the memory has fits into one block, without growing.
        expect(arena.allocate(whole - base - 2 * blockAlignment)).toBe(base);
        expect(memory.buffer.byteLength).toBe(whole);
      }),
    ));

  test("takes the smallest gap that is large enough", () => {
    const arena = new Arena(makeMemory(100), base);
    const [a, , c] = [640, 64, 128, 64].map((bytes) => arena.allocate(bytes));
    arena.free(a);
    arena.free(c);
    expect(arena.allocate(100)).toBe(c);
    expect(arena.allocate(100)).toBe(a);
  });

  test("measures its peak from the first block to the highest end, gaps included", () => {
    const arena = new Arena(makeMemory(100), base);
    const [a, b] = [arena.allocate(1000), arena.allocate(100)]; // 1024 and 128 bytes in whole lines
    expect(arena.peakBytes).toBe(1152);
    arena.free(a);
    arena.resetPeak();
    expect(arena.peakBytes).toBe(1152); // b is still behind the gap
    arena.free(b);
    arena.resetPeak();
    expect(arena.peakBytes).toBe(0);
  });

  test("grows by what is needed where it cannot grow by half, and gives 0 where that is too much", () => {
    const memory = makeMemory(5);
    const arena = new Arena(memory, base);
    expect(arena.allocate(4 * 65536 - base - blockAlignment)).toBe(base);
    expect(memory.buffer.byteLength).toBe(4 * 65536);
    const second = arena.allocate(65536);
    expect(second).toBe(4 * 65536 - blockAlignment);
    expect(arena.allocate(65536)).toBe(0);
    arena.free(second);
    expect(arena.allocate(65536)).toBe(second);
  });
});

function roundUp(bytes: number): number {
  return Math.max(blockAlignment, Math.ceil(bytes / blockAlignment) * blockAlignment);
}
