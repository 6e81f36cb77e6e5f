/** @file Where the labels of a chart's bubbles go: beside them, and on no other label or bubble where that can be had. */

export interface Bubble {
  readonly label: string;
  /** Of the centre, in pixels, y downwards. */
  readonly x: number;
  readonly y: number;
  readonly radius: number;
}

/** Of a label: its middle line begins, is centred or ends at x. */
export interface PlacedLabel {
  readonly x: number;
  readonly y: number;
  readonly align: "left" | "center" | "right";
}

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** Of a label of 12 px, with some room. */
const letterWidth = 7;
const lineHeight = 16;

/** Between a bubble and its label. */
const distance = 5;

/**
 * One place for each bubble, in order: right, left, above, below or at a corner of it, and each of these further away where all
 * are taken. A label that can be nowhere without covering something is where it covers least.
 *
 * @param area - in which labels must lie.
 */
export function placeLabels(bubbles: readonly Bubble[], area: Box): PlacedLabel[] {
  const taken: Box[] = bubbles.map(({ x, y, radius }) => ({
    left: x - radius,
    right: x + radius,
    top: y - radius,
    bottom: y + radius,
  }));
  return bubbles.map((bubble, i) => {
    let best: { place: PlacedLabel; box: Box; cost: number } | undefined;
    for (const place of places(bubble)) {
      const box = boxOf(place, bubble.label);
      const covered = taken.reduce((sum, other, k) => sum + (k === i ? 0 : overlap(box, other)), 0);
      const cost = covered + (lineHeight * letterWidth * bubble.label.length - overlap(box, area));
      if (!best || cost < best.cost) best = { place, box, cost };
      if (cost === 0) break;
    }
    taken.push(best!.box);
    return best!.place;
  });
}

function* places({ x, y, radius }: Bubble): Generator<PlacedLabel> {
  for (const away of [0, 14, 28]) {
    const reach = radius + distance + away;
    const aside = reach * Math.SQRT1_2;
    const over = reach + lineHeight / 2;
    yield { x: x + reach, y, align: "left" };
    yield { x: x - reach, y, align: "right" };
    yield { x, y: y - over, align: "center" };
    yield { x, y: y + over, align: "center" };
    for (const dy of [-1, 1]) {
      yield { x: x + aside, y: y + dy * (aside + lineHeight / 4), align: "left" };
      yield { x: x - aside, y: y + dy * (aside + lineHeight / 4), align: "right" };
    }
  }
}

function boxOf({ x, y, align }: PlacedLabel, label: string): Box {
  const width = label.length * letterWidth;
  const left = align === "left" ? x : align === "right" ? x - width : x - width / 2;
  return { left, right: left + width, top: y - lineHeight / 2, bottom: y + lineHeight / 2 };
}

/** Shared pixels. */
function overlap(a: Box, b: Box): number {
  const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
  const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
  return width > 0 && height > 0 ? width * height : 0;
}
