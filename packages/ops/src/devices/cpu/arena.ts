/**
 * @file The arena: hands out blocks of one WebAssembly memory, and takes them back.
 *
 * A new block gets the smallest free one that is large enough, cut to size; a freed block melts with free neighbours. So what one
 * step of training frees, the next one uses, and the memory stops growing after the first.
 *
 * Source: best fit with immediate coalescing; Knuth, "The Art of Computer Programming", volume 1, section 2.5.
 */

/** Addresses and sizes are multiples of it: a cache line. */
export const blockAlignment = 64;

/** Bytes behind the last block: kernels may read a vector or two beyond the end of a block, and must not meet the end of the memory. */
const slack = 64;

/** Bytes of a WebAssembly page. */
export const pageBytes = 65536;

/** Pages of the largest memory. */
const mostPages = 65536;

/** What the arena needs of `WebAssembly.Memory`. */
export interface GrowableMemory {
  readonly buffer: ArrayBufferLike;
  /** Throws a RangeError when there is no more. */
  grow(pages: number): number;
}

interface FreeBlock {
  start: number;
  end: number;
}

export class Arena {
  /** Bytes that are handed out, rounded up to whole blocks. */
  liveBytes = 0;
  /** One behind the highest byte that was ever handed out, less where the arena starts: what it has needed of the memory. */
  peakBytes = 0;
  readonly #memory: GrowableMemory;
  readonly #base: number;
  readonly #sizes = new Map<number, number>();
  /** In the order of their addresses, never two that touch. The last one reaches to the end, and may be empty. */
  readonly #free: FreeBlock[];

  /** @param base - where it starts; what is below belongs to others. */
  constructor(memory: GrowableMemory, base: number) {
    this.#memory = memory;
    this.#base = base;
    this.#free = [{ start: base, end: memory.buffer.byteLength - slack }];
  }

  /**
   * The address of a block of at least `bytes` bytes of any content.
   *
   * @returns 0 when the memory cannot grow enough.
   */
  allocate(bytes: number): number {
    const size = Math.max(blockAlignment, Math.ceil(bytes / blockAlignment) * blockAlignment);
    const block = this.#bestFit(size) ?? this.#grow(size);
    if (!block) return 0;
    const { start } = block;
    block.start += size;
    // The last block stays, also when it is empty: it is where the memory grows.
    if (block.start === block.end && block !== this.#free.at(-1)) this.#free.splice(this.#free.indexOf(block), 1);
    this.#sizes.set(start, size);
    this.liveBytes += size;
    this.peakBytes = Math.max(this.peakBytes, start + size - this.#base);
    return start;
  }

  /** Takes back a block that `allocate` gave. */
  free(start: number): void {
    const size = this.#sizes.get(start)!;
    this.#sizes.delete(start);
    this.liveBytes -= size;
    const end = start + size;
    const next = this.#indexAbove(start);
    const before = this.#free[next - 1];
    const after = this.#free[next];
    if (before?.end === start && after.start === end) {
      before.end = after.end;
      this.#free.splice(next, 1);
    } else if (before?.end === start) {
      before.end = end;
    } else if (after.start === end) {
      after.start = start;
    } else {
      this.#free.splice(next, 0, { start, end });
    }
  }

  /** Starts a new measurement of `peakBytes`, from what is handed out now. */
  resetPeak(): void {
    const last = this.#free.at(-1)!;
    this.peakBytes = last.start - this.#base;
  }

  #bestFit(size: number): FreeBlock | undefined {
    let best: FreeBlock | undefined;
    for (const block of this.#free) {
      const room = block.end - block.start;
      if (room >= size && (!best || room < best.end - best.start)) best = block;
    }
    return best;
  }

  /** Makes the last block large enough. */
  #grow(size: number): FreeBlock | null {
    const last = this.#free.at(-1)!;
    const pages = this.#memory.buffer.byteLength / pageBytes;
    const needed = Math.ceil((last.start + size + slack) / pageBytes) - pages;
    // Half as much again, so that growing is rare. Pages that nobody touches cost address space only.
    const wanted = Math.min(Math.max(needed, Math.ceil(pages / 2)), mostPages - pages);
    for (const more of wanted > needed ? [wanted, needed] : [needed]) {
      if (more > mostPages - pages) continue;
      try {
        this.#memory.grow(more);
      } catch {
        continue; // a smaller request may still succeed
      }
      last.end = this.#memory.buffer.byteLength - slack;
      return last;
    }
    return null;
  }

  /** The index of the first free block above an address. */
  #indexAbove(address: number): number {
    let low = 0;
    let high = this.#free.length - 1; // the last one is above everything that is handed out
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#free[middle].start > address) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
