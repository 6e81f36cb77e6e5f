/** @file The arbitrary of lists of whole numbers of one length: quick to draw, and to make smaller. */

import fc from "fast-check";

/** As many whole numbers in [min, max]. They shrink to 0, or what is next to it, in long stretches before one by one. */
export class Numbers extends fc.Arbitrary<readonly number[]> {
  readonly #count: number;
  readonly #min: number;
  readonly #max: number;
  /** What a number shrinks to. */
  readonly #calm: number;

  constructor(count: number, min: number, max: number) {
    super();
    this.#count = count;
    this.#min = min;
    this.#max = max;
    this.#calm = Math.min(Math.max(0, min), max);
  }

  override generate(random: fc.Random): fc.Value<readonly number[]> {
    const values = Array.from({ length: this.#count }, () => random.nextInt(this.#min, this.#max));
    return new fc.Value(values, undefined);
  }

  override canShrinkWithoutContext(value: unknown): value is readonly number[] {
    return Array.isArray(value) && value.length === this.#count;
  }

  override shrink(values: readonly number[]): fc.Stream<fc.Value<readonly number[]>> {
    return fc.stream(this.#smaller(values)).map((smaller) => new fc.Value(smaller, undefined));
  }

  *#smaller(values: readonly number[]): IterableIterator<readonly number[]> {
    const calm = this.#calm;
    for (let length = values.length; length >= 1; length = length === 1 ? 0 : Math.ceil(length / 2)) {
      for (let from = 0; from < values.length; from += length) {
        const inside = (i: number): boolean => i >= from && i < from + length;
        if (values.every((value, i) => !inside(i) || value === calm)) continue;
        yield values.map((value, i) => (inside(i) ? calm : value));
      }
    }
    for (let at = 0; at < values.length; at++) {
      const half = calm + Math.trunc((values[at] - calm) / 2);
      if (half !== calm) yield values.with(at, half);
    }
  }
}
