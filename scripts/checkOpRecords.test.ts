import { describe, expect, test } from "vitest";

import { checkOpRecords, type OpRecord } from "./checkOpRecords.ts";

const record = { name: "double", shape: () => [], dtype: "float", vjp: () => [], loops: () => {}, gpu: () => 0 };
const double: OpRecord = { file: "double.ts", exportName: "doubleOp", record, isPublic: true };
const halve: OpRecord = { ...double, file: "halve.ts", exportName: "halveOp", record: { ...record, name: "halve" } };

describe("checkOpRecords", () => {
  test("is content with complete records of different names", () => {
    expect(checkOpRecords([double, halve])).toEqual([]);
  });

  test.each(["shape", "vjp", "loops", "gpu"])("misses the function %s", (member) => {
    const broken = { ...double, record: { ...record, [member]: null } };
    expect(checkOpRecords([broken])).toEqual([`double.ts: doubleOp must have the function ${member}`]);
  });

  test("misses a dtype rule", () => {
    expect(checkOpRecords([{ ...double, record: { ...record, dtype: "float32" } }]).join()).toMatchInlineSnapshot(
      `"double.ts: doubleOp must have a dtype rule: "float", "any" or a function"`,
    );
  });

  test("finds a record that is named otherwise than its export", () => {
    expect(checkOpRecords([{ ...double, exportName: "twiceOp" }]).join()).toMatchInlineSnapshot(
      `"double.ts: twiceOp must have the name "twice", got "double""`,
    );
  });

  test("finds two records of one name, whatever the packages", () => {
    expect(checkOpRecords([double, { ...double, file: "again.ts" }]).join()).toMatchInlineSnapshot(
      `"again.ts: doubleOp must have a name of its own, but double.ts has a record of the name double, too"`,
    );
  });

  test("finds a record that index.ts does not export", () => {
    expect(checkOpRecords([{ ...double, isPublic: false }]).join()).toMatchInlineSnapshot(
      `"double.ts: doubleOp must be exported by the package's index.ts, where devices find it"`,
    );
  });
});
