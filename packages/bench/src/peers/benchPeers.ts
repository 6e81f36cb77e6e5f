/**
 * @file Times gridgrad beside PyTorch, TensorFlow.js, jax-js and onnxruntime-web, in one run.
 *
 *     npm run setup:peers                      # once: the packages of the last three
 *     npm run bench:peers -- --threads 1
 *
 * Everybody gets the same values and the same number of threads, and everybody's results are compared before anything is timed. Each
 * contestant lives in a process of its own, which measures itself and sleeps while another one has its turn.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { deviceNames } from "@gridgrad/core";
import { writeFileAtomic } from "@gridgrad/nn/node";
import "@gridgrad/ops"; // makes its devices known
import { Command, InvalidArgumentError, Option } from "commander";

import { threeDigits } from "../statistics.ts";
import { DisagreementError } from "./agreement.ts";
import { Child } from "./child.ts";
import { nodeContestant, peerNames, startIfThere, startTorch } from "./contestants.ts";
import { lines } from "./lines.ts";
import { fasterOf, measureMachine } from "./machine.ts";
import { writeTensors } from "./protocol.ts";
import { fractionOf, inWasm, lineTable, overview, type Row } from "./resultTable.ts";
import type { Machine } from "./roofline.ts";
import { timeLine } from "./timeLine.ts";

interface Options {
  readonly threads: number;
  readonly only: string;
  readonly seconds: number;
  readonly devices: readonly string[];
  readonly out: string | false;
  readonly torch: boolean;
  readonly tfjs: boolean;
  readonly jax: boolean;
  readonly onnxruntime: boolean;
}

const resultsFolder = fileURLToPath(new URL("../../results", import.meta.url));

/** Cores that others may keep busy before the figures are called into question. */
const quiet = 0.1;

await command().parseAsync(process.argv.slice(2).filter((arg, i) => i > 0 || arg !== "--"), { from: "user" }); // prettier-ignore

function command(): Command {
  const threads = new Option("--threads <n>", "threads that everybody gets").default(availableParallelism(), "all");
  const devices = new Option("--devices <names>", "of gridgrad, the first of which is compared with the peers");
  return new Command("npm run bench:peers --")
    .description("Time gridgrad beside its peers.")
    .addOption(threads.argParser(atLeast(1, true)))
    .option("--only <text>", "only lines whose title contains this", "")
    .addOption(new Option("--seconds <s>", "per contestant and line").default(2).argParser(atLeast(0, false)))
    .addOption(devices.default(defaultDevices()).argParser(deviceList))
    .option("--no-torch", "without PyTorch")
    .option("--no-tfjs", "without TensorFlow.js")
    .option("--no-jax", "without jax-js")
    .option("--no-onnxruntime", "without onnxruntime-web")
    .option("--out <folder>", "where the results are written", resultsFolder)
    .option("--no-out", "write no results")
    .addHelpText("after", "\nExample:\n  npm run bench:peers -- --threads 1 --only gridSample")
    .action(run);
}

async function run(options: Options): Promise<void> {
  const chosen = lines.filter(({ title }) => title.includes(options.only));
  if (chosen.length === 0) {
    const titles = lines.map(({ title }) => `\n  ${title}`).join("");
    return fail(`--only must be part of a line's title, got "${options.only}"; the titles are${titles}`);
  }
  const folder = mkdtempSync(join(tmpdir(), "gridgrad-bench-"));
  const children: Child[] = [];
  const started = (child: Child | null): Child | null => {
    if (child) children.push(child);
    return child;
  };
  try {
    for (const name of options.devices) started(await Child.start(nodeContestant(`gridgrad:${name}`, options.threads)));
    const missing: string[] = [];
    const torch = options.torch
      ? await startTorch(options.threads, (child) => trial(child, folder)).catch((error: Error) => {
          missing.push(error.message);
          return null;
        })
      : null;
    started(torch);
    for (const key of ["tfjs", "jax", "onnxruntime"] as const) {
      if (!options[key]) continue;
      for (const name of peerNames[key]) {
        const make = (): ReturnType<typeof nodeContestant> => nodeContestant(name, options.threads);
        started(await startIfThere(make, (why) => missing.push(why)));
      }
    }
    const contestants = [...children];
    const meter = started(await Child.start(nodeContestant("machine", options.threads)))!;

    const cpu = cpus()[0].model.trim();
    console.log(`${cpu}, ${cpus().length} cores; Node ${process.version}; ${options.threads} thread(s) asked for`);
    for (const { name, version, threads } of contestants) console.log(`  ${name}: ${version}; threads: ${threads}`);
    for (const why of missing) console.log(`  missing: ${why}`);
    const meters = torch ? [meter, torch] : [meter];
    const before = await measureMachine(meters, folder);

    const rows: Row[] = [];
    for (const line of chosen) {
      try {
        const row = { title: line.title, macs: line.macs, ...(await timeLine(line, contestants, options.seconds)) };
        rows.push(row);
        const times = row.figures.map(({ contestant, medianMs }) => `${contestant} ${threeDigits(medianMs)} ms`);
        console.error(`${line.title}: ${times.join(", ") || "nobody has it"}`);
      } catch (error) {
        const { message } = error as Error;
        if (!(error instanceof DisagreementError)) throw new Error(`${line.title}: ${message}`, { cause: error });
        fail(message);
      }
    }

    const machine = fasterOf(before, await measureMachine(meters, folder)); // others may have kept it busy the first time
    for (const line of describeMachine(machine)) console.log(`  ${line}`);
    for (const row of rows) {
      console.log(`\n${lineTable(row, machine)}`);
      const disturbed = Math.max(...row.figures.map(({ coresOfOthers }) => coresOfOthers));
      if (disturbed > quiet) console.log(`  (something else kept up to ${disturbed.toFixed(1)} cores busy meanwhile)`);
    }
    console.log(`\n${overview(rows)}`);
    if (process.exitCode) return console.error("bench:peers: no results are written where contestants disagree");
    if (options.out === false) return;
    const date = new Date().toISOString();
    const figures = rows.map(({ title, macs, bytes, figures, lacking }) => ({
      title,
      macs,
      bytes,
      figures: figures.map((each) => ({
        ...each,
        ofMachine: fractionOf({ macs, bytes }, each, machine),
        ofWasm: fractionOf({ macs, bytes }, each, inWasm(machine)),
      })),
      lacking,
    }));
    const results = {
      date,
      cpu,
      cores: cpus().length,
      node: process.version,
      platform: `${process.platform} ${process.arch}`,
      threads: options.threads,
      secondsEach: options.seconds,
      contestants: contestants.map(({ name, version, threads }) => ({ name, version, threads })),
      missing: missing.map((why) => ({ why })),
      machine,
      lines: figures,
    };
    const name = `${date.slice(0, 16).replaceAll(":", "")}-threads${options.threads}.json`;
    const path = join(resolve(options.out), name);
    await writeFileAtomic(path, `${JSON.stringify(results, null, 2)}\n`);
    console.log(`\nwritten: ${path}`);
  } catch (error) {
    fail((error as Error).message);
  } finally {
    for (const child of children) await child.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Work of many short parallel loops and of few long ones, in milliseconds each. */
async function trial(child: Child, folder: string): Promise<number> {
  let total = 0;
  for (const part of ["softmax", "conv1x1"]) {
    const { task, inputs } = lines.find(({ task: { work } }) => work === part)!;
    const files = writeTensors(folder, part, await inputs());
    await child.ask({ do: "prepare", task, inputs: files, folder });
    await child.ask({ do: "run", ms: 100, least: 2 });
    const { ms } = await child.ask({ do: "run", ms: 200, least: 5 });
    total += ms!.reduce((sum, each) => sum + each, 0) / ms!.length;
    await child.ask({ do: "release" });
  }
  return total;
}

function describeMachine({ copies, macs }: Machine): string[] {
  const megabytes = (bytes: number): string => `${threeDigits(bytes / 2 ** 20)} MiB`;
  const meters = [...new Set(copies.map(({ by }) => by))];
  return meters.map((by) => {
    const how = by === "machine" ? "JavaScript's TypedArray.set and WebAssembly's SIMD" : `${by}'s copy_ and sgemm`;
    const each = copies
      .filter((copy) => copy.by === by)
      .map(({ bytes, gigabytesPerSecond }) => `${threeDigits(gigabytesPerSecond)} GB/s (${megabytes(bytes)})`);
    const rate = macs.find((one) => one.by === by)!.gigamacsPerSecond;
    return `machine, by ${how}: copies ${each.join(", ")}; ${threeDigits(rate)} G multiply-adds/s`;
  });
}

function fail(message: string): void {
  console.error(`bench:peers: ${message}`);
  process.exitCode = 1;
}

function defaultDevices(): string[] {
  return [deviceNames().includes("cpu") ? "cpu" : "reference"];
}

function deviceList(text: string): string[] {
  const names = text.split(",").map((name) => name.trim());
  const unknown = names.find((name) => !deviceNames().includes(name));
  if (unknown === undefined) return names;
  throw new InvalidArgumentError(`It must be among ${deviceNames().join(", ")}.`);
}

function atLeast(least: number, whole: boolean): (text: string) => number {
  return (text) => {
    const value = Number(text);
    const fits = whole ? /^\d+$/.test(text) && value >= least : text.trim() !== "" && value > least && value < Infinity;
    if (fits) return value;
    throw new InvalidArgumentError(
      whole ? `It must be an integer of at least ${least}.` : `It must be above ${least}.`,
    );
  };
}
