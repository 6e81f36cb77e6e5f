import { createHash } from "node:crypto";
import { cp, mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { decodeSafetensors, encodeSafetensors } from "@gridgrad/core";
import { beforeEach, describe, expect, test } from "vitest";

import { goldenRuns } from "./goldenRuns.ts";
import { runCommand } from "../testing/runCommand.ts";

const goldens = fileURLToPath(new URL("../../../../goldens", import.meta.url));

interface Manifest {
  format: string;
  cases: number;
  files: { file: string; op: string; sha256: string; bytes: number }[];
}

const readManifest = async (folder: string): Promise<Manifest> =>
  JSON.parse(await readFile(join(folder, "MANIFEST.json"), "utf8"));

describe.each(["network", "arithmetic", "upsamplers"])("%s", (set) => {
  test("all cases pass in both element types", async () => {
    const { cases, files } = await readManifest(join(goldens, set));
    expect(files).toHaveLength(cases);
    for (const dtype of ["float32", "float64"]) {
      const { code, out } = await runCommand("goldens", join(goldens, set), "--dtype", dtype);
      expect(out.split("\n")[0]).toBe(`${cases} passed, 0 failed`);
      expect(code).toBe(0);
    }
  });

  test("every operation has an adapter", async () => {
    const { files } = await readManifest(join(goldens, set));
    for (const { op } of files) expect(Object.hasOwn(goldenRuns, op), op).toBe(true);
  });
});

describe("a folder that was changed", () => {
  let manifest: Manifest;
  const save = (): Promise<void> => writeFile("set/MANIFEST.json", JSON.stringify(manifest));

  beforeEach(async () => {
    process.chdir(await mkdtemp(join(tmpdir(), "gridgrad-goldens-")));
    manifest = await readManifest(join(goldens, "arithmetic"));
    manifest.files = manifest.files.filter(({ op }) => op === "add");
    manifest.cases = manifest.files.length;
    for (const { file } of manifest.files) await cp(join(goldens, "arithmetic", file), join("set", file));
    await save();
    expect(await runCommand("goldens", "set")).toMatchObject({ code: 0, out: "4 passed, 0 failed" });
  });

  test("by a bit, an added byte, a lost file or an unknown operation fails case by case", async () => {
    const [flipped, longer, lost, unknown] = manifest.files;
    const bytes = await readFile(`set/${flipped.file}`);
    bytes[bytes.length - 1] ^= 1;
    await writeFile(`set/${flipped.file}`, bytes);
    await writeFile(`set/${longer.file}`, Buffer.concat([await readFile(`set/${longer.file}`), Buffer.of(0)]));
    await rm(`set/${lost.file}`);
    unknown.op = "ad";
    await save();
    const { code, out } = await runCommand("goldens", "set");
    expect(code).toBe(1);
    expect(out.replace(/[0-9a-f]{64}/g, "HASH")).toMatchInlineSnapshot(`
      "FAILED arithmetic/add_2x3x4_2x3x4.safetensors: the file must be the one in the manifest, of 1632 bytes with sha256 HASH, got 1632 bytes with HASH
      FAILED arithmetic/add_2x3x4_3x1.safetensors: the file must be the one in the manifest, of 1456 bytes with sha256 HASH, got 1457 bytes with HASH
      FAILED arithmetic/add_4x1x3_1x5x1.safetensors: ENOENT: no such file or directory, open 'set/arithmetic/add_4x1x3_1x5x1.safetensors'
      FAILED arithmetic/add_scalar_2x3.safetensors: op must be an operation that has an adapter, got "ad"
      0 passed, 4 failed"
    `);
  });

  test("so that a result is off fails with the tensor's name and how far it is off", async () => {
    manifest.files[0].op = "sub";
    await save();
    const wrong = await runCommand("goldens", "set");
    expect(wrong.code).toBe(1);
    expect(wrong.out).toMatchInlineSnapshot(`
      "FAILED arithmetic/add_2x3x4_2x3x4.safetensors: out is off by 2.13e+0, 1.92e+5 times its limit 1.11e-5; grad.b is off by 1.17e+0 and must be equal
      3 passed, 1 failed"
    `);
  });

  test("by a manifest that names files elsewhere is refused, and so is a link that leads out", async () => {
    const [entry, linked] = manifest.files;
    const inside = entry.file;
    const told = new Set<string>();
    for (const file of ["../set/a", "/etc/hostname", "a/../../b", "..\\b", "c:b", "./a", "a//b", "", "a\0"]) {
      entry.file = file;
      await save();
      const { code, out, err } = await runCommand("goldens", "set");
      expect([code, out]).toEqual([1, ""]);
      told.add(err.replace(JSON.stringify(file), "NAME"));
    }
    expect(told).toMatchInlineSnapshot(`
      Set {
        "gridgrad: set/MANIFEST.json: files[0].file must be the path of a file inside the folder, got NAME",
      }
    `);
    entry.file = inside;
    await save();
    await rename(`set/${linked.file}`, "outside.safetensors");
    await symlink("../../outside.safetensors", `set/${linked.file}`);
    await rm(`set/${inside}`);
    await mkdir(`set/${inside}`);
    expect((await runCommand("goldens", "set")).out).toMatchInlineSnapshot(`
      "FAILED arithmetic/add_2x3x4_2x3x4.safetensors: set/arithmetic/add_2x3x4_2x3x4.safetensors must be a file that can be read, but it is a folder; name a file
      FAILED arithmetic/add_2x3x4_3x1.safetensors: the file must be in the manifest's folder, but a link leads out of it
      2 passed, 2 failed"
    `);
    const json = await runCommand("goldens", "set", "--json");
    expect([json.code, json.err]).toEqual([1, expect.not.stringContaining("FAILED")]);
    const { cases, ...counts } = JSON.parse(json.out);
    expect(counts).toEqual({ device: "cpu", dtype: "float32", passed: 2, failed: 2 });
    expect(cases).toHaveLength(4);
    expect(cases).toContainEqual({
      file: linked.file,
      op: linked.op,
      ok: false,
      problem: "the file must be in the manifest's folder, but a link leads out of it",
    });
    expect(cases.find(({ ok }: { ok: boolean }) => ok)).toEqual({ file: expect.any(String), op: "add", ok: true });
  });

  test("in the manifest is refused, with the field that is wrong", async () => {
    const errors: string[] = [];
    const refused = async (text: string): Promise<void> => {
      await writeFile("set/MANIFEST.json", text);
      const { code, out, err } = await runCommand("goldens", "set");
      expect([code, out]).toEqual([1, ""]);
      errors.push(err.replace("gridgrad: set/MANIFEST.json", "..."));
    };
    for (const text of ["", "null", "[]", "{}", '"x"']) await refused(text);
    const changes = [
      { format: "golden-manifest-2" },
      { format: ["golden-manifest-1"] },
      { cases: 7 },
      { cases: "4" },
      { cases: 0, files: [] },
      { files: {} },
      { cases: 1, files: [null] },
      { cases: 2, files: [manifest.files[0], manifest.files[0]] },
    ];
    for (const change of changes) await refused(JSON.stringify({ ...manifest, ...change }));
    const [first, ...rest] = manifest.files;
    for (const change of [{ op: 7 }, { bytes: "1" }, { bytes: -0.5 }, { sha256: "0" }, { sha256: null }])
      await refused(JSON.stringify({ ...manifest, files: [{ ...first, ...change }, ...rest] }));
    expect(errors).toMatchInlineSnapshot(`
      [
        "... must be a manifest of golden cases, but Unexpected end of JSON input",
        "...: format must be "golden-manifest-1", got none",
        "...: format must be "golden-manifest-1", got none",
        "...: format must be "golden-manifest-1", got none",
        "...: format must be "golden-manifest-1", got none",
        "...: format must be "golden-manifest-1", got "golden-manifest-2"",
        "...: format must be "golden-manifest-1", got ["golden-manifest-1"]",
        "...: cases must be the number of files, 4, got 7",
        "...: cases must be the number of files, 4, got "4"",
        "...: files must be a list of at least one case, got []",
        "...: files must be a list of at least one case, got an object",
        "...: files[0].file must be the path of a file inside the folder, got none",
        "...: files[1].file must be a file that no other case names, got "arithmetic/add_2x3x4_2x3x4.safetensors"",
        "...: files[0].op must be the name of an operation, got 7",
        "...: files[0].bytes must be the size of the file, got "1"",
        "...: files[0].bytes must be the size of the file, got -0.5",
        "...: files[0].sha256 must be a checksum of 64 hexadecimal digits, got "0"",
        "...: files[0].sha256 must be a checksum of 64 hexadecimal digits, got null",
      ]
    `);
  });

  test.each([
    "../set/add.safetensors",
    "arithmetic/../../outside",
    "/etc/hostname",
    "",
    ".",
    "..",
    "arithmetic//add",
    "./add",
    "..\\outside",
    "C:add",
    "add\u001b[2J",
    "add\n",
    7,
    null,
  ])("to name the file %j outside of itself is refused and not read", async (file) => {
    await writeFile("outside", "");
    const [first, ...rest] = manifest.files;
    await writeFile("set/MANIFEST.json", JSON.stringify({ ...manifest, files: [...rest, { ...first, file }] }));
    const { code, out, err } = await runCommand("goldens", "set");
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toBe(
      `gridgrad: set/MANIFEST.json: files[3].file must be the path of a file inside the folder, got ${JSON.stringify(file)}`,
    );
  });

  test("in a case itself fails that case, with the field that is wrong", async () => {
    const changes: [field: string, change: (metadata: Record<string, string>) => void][] = [
      ["tolerance", (metadata) => (metadata.tolerance = metadata.tolerance.replace(/"atol": ?[^,]+/, '"atol":"x"'))],
      ["tolerance", (metadata) => delete metadata.tolerance],
      ["attrs", (metadata) => (metadata.attrs = '{"alpha": 2}')],
      ["roles", (metadata) => (metadata.roles = metadata.roles.replace('"cotangent"', '"cotangents"'))],
    ];
    for (const [i, [, change]] of changes.entries()) {
      const entry = manifest.files[i];
      const { tensors, metadata } = decodeSafetensors(await readFile(`set/${entry.file}`));
      const changed = { ...metadata };
      change(changed);
      const bytes = encodeSafetensors(tensors, changed);
      await writeFile(`set/${entry.file}`, bytes);
      entry.bytes = bytes.length;
      entry.sha256 = createHash("sha256").update(bytes).digest("hex");
    }
    await save();
    const { code, out } = await runCommand("goldens", "set");
    expect(code).toBe(1);
    expect(out).toMatchInlineSnapshot(`
      "FAILED arithmetic/add_2x3x4_2x3x4.safetensors: golden: tolerance.out.atol must be a finite number of at least 0, got "x"
      FAILED arithmetic/add_2x3x4_3x1.safetensors: golden: metadata tolerance must be a JSON object, got none
      FAILED arithmetic/add_4x1x3_1x5x1.safetensors: golden: add must use all of the case, got attrs.alpha unused
      FAILED arithmetic/add_scalar_2x3.safetensors: golden: roles.cot must be one of input, cotangent, output, grad, got "cotangents"
      0 passed, 4 failed"
    `);
  });
});
