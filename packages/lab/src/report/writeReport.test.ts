import { mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { beforeAll, describe, expect, test } from "vitest";

import { resolveConfig } from "@gridgrad/dysample";
import { readPng, train } from "@gridgrad/dysample/node";

import { type Comparison, runPath, runsOf } from "../compare/comparison.ts";
import type { ComparisonResults, ContestantResults, RunResults } from "../compare/results.ts";
import { madeFooter } from "./madeFooter.ts";
import { writeReport } from "./writeReport.ts";

const common = { steps: 4, batch: 1, warmup: 1, evalImages: 2, evalEvery: 2 };
const sections = ["results", "quality", "cost", "training", "predictions", "boundaries", "points"];

const newFolder = () => mkdtemp(join(tmpdir(), "gridgrad-report-"));

function done(seed: number, mIoU: number): RunResults {
  const metrics = { mIoU, boundaryIoU: mIoU / 2, pixelAccuracy: 0.9, loss: 0.3 };
  return { seed, status: "complete", metrics, losses: [2, 1, 1, 0.5], validations: [{ step: 2, metrics }] };
}

function contestant(label: string, runs: RunResults[], own: Partial<ContestantResults> = {}): ContestantResults {
  const counts = { parameters: 44822, upsamplerParameters: 0, macs: 2e7, upsamplerMacs: 3e5 };
  return { label, config: { upsampler: "bilinear" }, ...counts, msPerStep: 12, peakBytes: 2 ** 20, runs, ...own };
}

/** Writes the report of contestants whose runs left no weights, unless `folder` has some. */
async function report(contestants: ContestantResults[], title = "A comparison", folder?: string) {
  const into = folder ?? (await newFolder());
  const seeds = [...new Set(contestants.flatMap(({ runs }) => runs.map(({ seed }) => seed)))];
  const { seed: _, ...config } = resolveConfig(common);
  const comparison: Comparison = { title, contestants, seeds, config: common };
  const results: ComparisonResults = { format: "gridgrad-comparison-1", title, config, seeds, contestants };
  const path = await writeReport(comparison, results, into);
  const html = await readFile(path, "utf8");
  expectWellFormed(html);
  for (const id of sections) expect(html).toContain(`<section id="${id}">`);
  return { html, folder: into, path };
}

const void_ = new Set(["meta", "img", "br", "!doctype"]);

/** Every element is closed in its order, and every id is there once. */
function expectWellFormed(html: string): void {
  const open: string[] = [];
  const markup = html.replace(/<style[\s\S]*?<\/style>/g, "");
  for (const [, closing, name, selfClosing] of markup.matchAll(/<(\/?)([!\w]+)(?:[^<>"]|"[^"<]*")*?(\/?)>/g)) {
    if (closing) expect(open.pop()).toBe(name);
    else if (!selfClosing && !void_.has(name.toLowerCase())) open.push(name);
  }
  expect(open).toEqual([]);
  const texts = markup.replace(/<\/?[!\w]+(?:[^<>"]|"[^"<]*")*>/g, "");
  expect(texts).not.toMatch(/[<>]|&(?!amp;|lt;|gt;|quot;|#)/);
  const ids = [...markup.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
  expect(ids).toEqual([...new Set(ids)]);
}

describe("a report of whatever there is", () => {
  test("of nothing yet has all sections and says what is missing", async () => {
    const { html, path, folder } = await report([]);
    expect(path).toBe(join(folder, "report.html"));
    expect(html).toContain("Nothing is compared yet.");
    expect(html).not.toContain("<svg");
  });

  test("of runs that have not begun has a table without numbers", async () => {
    const waiting: RunResults = { seed: 0, status: "unfinished", metrics: null, losses: [], validations: [] };
    const { html } = await report([contestant("a", [waiting], { msPerStep: null, peakBytes: null })]);
    expect(html).toContain('<td class="missing">–</td>');
    expect(html).toContain("<td>0 of 1</td>");
    expect(html).toContain("No run is complete yet.");
  });

  test("of one contestant with one seed has no deviation", async () => {
    const { html } = await report([contestant("a", [done(0, 0.5)])]);
    expect(html).toContain("<td>0.5000</td>");
    expect(html).not.toMatch(/±|NaN/);
  });

  test("names failed runs with their reason", async () => {
    const failed: RunResults = { ...done(1, 0), status: "failed", metrics: null, error: "loss > 1e30 & rising" };
    const { html } = await report([contestant("a", [done(0, 0.5), failed])]);
    expect(html).toContain("<li>a, seed 1: loss &gt; 1e30 &amp; rising</li>");
    expect(html).toContain("<td>1 of 2</td>");
  });

  test("says why there is no chart of times before they are measured", async () => {
    const { html } = await report([contestant("a", [done(0, 0.5)], { msPerStep: null })]);
    expect(html).toContain("Left out until the time of a training step is measured.");
  });
});

test("the table has mean and sample deviation, and marks the best", async () => {
  const { html } = await report([
    contestant("a", [done(0, 0.5), done(1, 0.7)]),
    contestant("b", [done(0, 0.8), done(1, 0.8)]),
  ]);
  expect(html).toContain("<td>0.6000 ± 0.1414</td>");
  expect(html).toContain('<td class="best">0.8000 ± 0.0000</td>');
});

test("the foot says how it was made, and where times were measured, as far as that is known", async () => {
  const made = {
    gridgrad: "0.1.0",
    node: "20.19.0",
    cpu: "A <fast> one",
    threads: 4,
    date: "2026-03-01T12:34:56.789Z",
  };
  expect(madeFooter({} as ComparisonResults)).toBe("");
  const results = {
    made: { ...made, command: "gridgrad compare --out 'a & b'" },
    measured: { ...made, threads: 1, device: "WebAssembly with SIMD, 1 thread", date: "2026-03-02T00:00:00.000Z" },
  } as ComparisonResults;
  expect(madeFooter(results)).toMatchInlineSnapshot(`
    "<p>Made by gridgrad 0.1.0 with <code>gridgrad compare --out 'a &amp; b'</code>, in Node 20.19.0 on A &lt;fast&gt; one, 4 threads, 2026-03-01 12:34 UTC.</p>
    <p>Time and memory of a step were measured by gridgrad 0.1.0, in Node 20.19.0 on A &lt;fast&gt; one, 1 thread (WebAssembly with SIMD, 1 thread), 2026-03-02 00:00 UTC.</p>"
  `);
});

test("titles and labels are escaped", async () => {
  const { html } = await report([contestant("a<i>&", [done(0, 0.5)])], '<script>"x" & y');
  expect(html).not.toMatch(/<script|a<i>/);
  expect(html).toContain("<h1>&lt;script&gt;&quot;x&quot; &amp; y</h1>");
});

test("charts have a text for each contestant, and are files, too", async () => {
  const labels = ["first", "second", "third"];
  const { folder } = await report(labels.map((label, i) => contestant(label, [done(0, 0.4 + i / 10)])));
  const charts = join(folder, "charts");
  expect((await readdir(charts)).sort()).toEqual(["accuracy-latency.svg", "iou.svg", "loss.svg", "validation.svg"]);
  for (const name of await readdir(charts)) {
    const svg = await readFile(join(charts, name), "utf8");
    const texts = [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text);
    expect(texts).toEqual(expect.arrayContaining(labels));
    expect(svg).toMatch(/^<svg [^>]*aria-label="[^"]*first/);
  }
  expect(await readFile(join(charts, "iou.svg"), "utf8")).toContain(">0.600</text>");
});

test("more contestants than lines in one panel have a panel each, in a chart for each metric", async () => {
  const labels = ["a1", "b2", "c3", "d4", "e5", "f6"];
  const { folder, html } = await report(labels.map((label) => contestant(label, [done(0, 0.5)])));
  const metrics = ["mIoU", "boundaryIoU", "loss"].map((metric) => `validation-${metric}.svg`);
  expect(await readdir(join(folder, "charts"))).toEqual(expect.arrayContaining(metrics));
  const svg = await readFile(join(folder, "charts", metrics[0]), "utf8");
  for (const label of labels) expect(svg.split(`>${label}</text>`)).toHaveLength(2);
  expect(html).toContain("Validation boundary IoU: evaluations on the way");
});

describe("with the weights of a run", () => {
  const dysample = { label: "points", config: { upsampler: "dysample", groups: 2 } };
  let folder: string;
  const contestants = () => [contestant("points", [done(0, 0.5)], dysample)];

  beforeAll(async () => {
    folder = await newFolder();
    const comparison = { title: "", contestants: [dysample], seeds: [0], config: common };
    for (const run of runsOf(comparison)) await train(run.config, runPath(folder, run));
  });

  test("the same results give the same bytes, that load nothing", async () => {
    const [first, second] = [
      await report(contestants(), "Twice", folder),
      await report(contestants(), "Twice", folder),
    ];
    expect(second.html === first.html).toBe(true); // their difference would be long
    const loads = first.html.replace(/ xmlns(:\w+)?="[^"]*"/g, "");
    expect(loads).not.toMatch(/https?:|<script|<link|@import|(?:src|href)="(?!data:|#)|url\((?!#)/);
  });

  test("predictions, bands and points are drawn, and are files, too", async () => {
    const { html } = await report(contestants(), "Pictures", folder);
    expect(html.match(/<img src="data:image\/png;base64,/g)).toHaveLength(2);
    expect((await readPng(join(folder, "strip.png"))).channels).toBe(3);
    const points = await readFile(join(folder, "points-points.svg"), "utf8");
    expect(points.match(/>(Start|After \d steps): moved by/g)).toHaveLength(3);
    expect(points.match(/>group \d</g)).toEqual([">group 1<", ">group 2<"]);
    const errors = await readFile(join(folder, "charts", "boundary-errors.svg"), "utf8");
    expect(errors).toContain(">points</text>");
  });

  test("the points of the start are those of a bilinear resize, nearly", async () => {
    await report(contestants(), "Start", folder);
    const points = await readFile(join(folder, "points-points.svg"), "utf8");
    const mean = (stage: string) => Number(points.match(new RegExp(`>${stage}: moved by ([\\d.]+)`))![1]);
    expect(mean("Start")).toBeLessThan(0.01);
    expect(mean("After 4 steps")).toBeGreaterThan(mean("Start"));
  });

  test("a damaged file of weights is named", async () => {
    const damaged = await newFolder();
    const [run] = runsOf({ title: "", contestants: [dysample], seeds: [0], config: common });
    await train({ ...run.config, steps: 1, warmup: 0 }, runPath(damaged, run));
    const file = join(runPath(damaged, run), "weights.safetensors");
    await writeFile(file, "no weights");
    await expect(report(contestants(), "Damaged", damaged)).rejects.toThrow(file);
  });
});
