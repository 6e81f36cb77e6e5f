/** @file The page around the sections: one HTML file that needs no network and no script. */

import { escapeHtml } from "./escapeHtml.ts";

const style = `
:root { color-scheme: light dark; --faint: color-mix(in srgb, currentColor 18%, transparent); }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 1100px; padding: 0 1rem; color: #222; background: #fff; }
h1 { font-size: 1.7rem; } h2 { font-size: 1.25rem; margin-top: 2.5rem; } h3 { font-size: 1.05rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { padding: 0.3rem 0.55rem; border-bottom: 1px solid var(--faint); text-align: right; vertical-align: bottom; }
td { white-space: nowrap; }
th[scope="row"], th:first-child { text-align: left; white-space: nowrap; }
.best { font-weight: bold; } .missing { opacity: 0.5; }
.swatch { display: inline-block; width: 0.75em; height: 0.75em; margin-right: 0.5em; border-radius: 2px; }
.note, figcaption, footer { font-size: 13px; opacity: 0.8; }
footer { margin-top: 2.5rem; border-top: 1px solid var(--faint); }
figure { margin: 1rem 0; } svg { max-width: 100%; height: auto; }
img { max-width: none; height: auto; image-rendering: pixelated; background: #fff; }
.row { display: flex; flex-wrap: wrap; gap: 1rem; }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #16181c; } }
@page { margin: 12mm; }
@media print {
  body { color: #000; background: #fff; margin: 0; max-width: none; padding: 0; } * { print-color-adjust: exact; }
  h1, h2, h3 { break-after: avoid; } figure, tr { break-inside: avoid; }
  .wide { overflow: visible; } table { font-size: 9px; } th, td { padding: 0.2rem 0.3rem; }
  img { width: auto; max-width: 100%; max-height: 230mm; }
}
`;

/** @param footer - below all sections, as HTML. */
export function page(title: string, sections: readonly string[], footer = ""): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
${sections.join("\n")}${footer === "" ? "" : `\n<footer>\n${footer}\n</footer>`}
</body>
</html>
`;
}
