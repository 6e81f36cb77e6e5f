import { expect, test } from "vitest";

import { placeLabels } from "./placeLabels.ts";

const area = { left: 0, right: 400, top: 0, bottom: 300 };

test("a label is to the right of its bubble, or to the left where there is no room", () => {
  const [free, atEdge] = placeLabels(
    [
      { label: "free", x: 100, y: 100, radius: 10 },
      { label: "edge", x: 390, y: 200, radius: 10 },
    ],
    area,
  );
  expect(free).toEqual({ x: 115, y: 100, align: "left" });
  expect(atEdge).toEqual({ x: 375, y: 200, align: "right" });
});

test("labels of bubbles at one place are at different places", () => {
  const bubbles = ["a", "b", "c", "d"].map((label) => ({ label, x: 200, y: 150, radius: 8 }));
  const places = placeLabels(bubbles, area);
  expect(new Set(places.map((place) => JSON.stringify(place))).size).toBe(4);
});
