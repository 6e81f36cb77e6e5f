/** @file Golden folders with something changed: none passes whose numbers or descriptions are wrong, and each failure is told in a line. */

import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { decodeSafetensors } from "@gridgrad/core";
import { type CommandResult, runCommand } from "@gridgrad/lab/testing/runCommand";

import { checkPrototypes } from "../checkRefusal.ts";
import { checkCommand } from "../commands/checkCommand.ts";
import { pick } from "../draw.ts";
import { type Kind, Wrong } from "../kind.ts";
import { drawGolden, type GoldenFile } from "./drawGolden.ts";
import { whyNot } from "./mayPass.ts";

const goldens = fileURLToPath(new URL("../../../../goldens/", import.meta.url));

/** Cases of more bytes take longer, and have nothing in their descriptions that smaller ones have not. */
const mostBytes = 4096;

export interface GoldensOptions {
  /** Runs a command line. */
  readonly run?: (...args: string[]) => Promise<CommandResult>;
}

export function goldensKind({ run = runCommand }: GoldensOptions = {}): Kind {
  const cases = smallCases();
  const folder = mkdtempSync(join(tmpdir(), "gridgrad-fuzz-goldens-"));
  return {
    name: "goldens",
    unit: "folders",
    share: 2,

    async check(draw) {
      const { name, bytes, file } = pick(draw, cases);
      const drawn = drawGolden(draw, bytes);
      const dtype = pick(draw, ["float64", "float32"]);
      writeFileSync(join(folder, "case.safetensors"), drawn.bytes);
      writeFileSync(join(folder, "MANIFEST.json"), drawn.manifest);
      const input = `${name} as ${dtype}${drawn.changes.map((change) => `; ${change}`).join("")}`;
      const result = await run("goldens", folder, "--device", "reference", "--dtype", dtype);
      checkPrototypes("goldens", input);
      checkCommand("goldens", result, input);
      const why = whyNot(drawn, file);
      if (result.code === 0 && why !== null)
        throw new Wrong(`goldens: a case passes although ${why}`, result.out, input);
      if (result.code !== 0 && drawn.changes.length === 0)
        throw new Wrong("goldens: a case fails as it is", result.out, input);
    },

    close: () => rmSync(folder, { recursive: true }),
  };
}

function smallCases(): { name: string; bytes: Uint8Array; file: GoldenFile }[] {
  return ["arithmetic", "network"].flatMap((set) => {
    const manifest = JSON.parse(readFileSync(join(goldens, set, "MANIFEST.json"), "utf8")) as {
      files: { file: string }[];
    };
    const small = manifest.files.filter(({ file }) => statSync(join(goldens, set, file)).size <= mostBytes);
    return small.map(({ file }) => {
      const bytes = readFileSync(join(goldens, set, file));
      const { tensors, metadata } = decodeSafetensors(bytes);
      return { name: `${set}/${file}`, bytes, file: { tensors, metadata } };
    });
  });
}
