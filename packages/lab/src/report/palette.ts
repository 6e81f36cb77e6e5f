/** @file Colours: one for each contestant, the same in every chart, legible on white and on black. */

/** Of about one lightness and far apart in hue; neighbours in the list, which are often compared, are farthest. */
const colours = [
  "#3b7dd8",
  "#e07b1a",
  "#2f9e57",
  "#c9463d",
  "#8a63c9",
  "#9b6a4a",
  "#d4609f",
  "#7f8a1f",
  "#1a9ba8",
  "#b08a00",
  "#6b7f99",
  "#5f9f00",
];

/** The colour of the i-th contestant. From the 13th on they repeat, and only labels tell. */
export function colourOf(i: number): string {
  return colours[i % colours.length];
}
