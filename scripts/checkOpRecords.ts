/** @file What the records of ops owe the devices that look them up: complete, and each under a name of its own. */

export interface OpRecord {
  /** Path of the source, relative to the root of the repository. */
  readonly file: string;
  /** The name under which the file exports it, such as `addOp`. */
  readonly exportName: string;
  readonly record: Readonly<Record<string, unknown>>;
  /** Whether the package exports it under the same name. */
  readonly isPublic: boolean;
}

/** What is wrong, a sentence each. */
export function checkOpRecords(records: readonly OpRecord[]): string[] {
  const firstFileOf = new Map<unknown, string>();
  return records.flatMap(({ file, exportName, record, isPublic }) => {
    const wrong: string[] = [];
    const wanted = exportName.replace(/Op$/, "");
    if (record.name !== wanted) wrong.push(`must have the name "${wanted}", got ${JSON.stringify(record.name)}`);
    const first = firstFileOf.get(record.name);
    if (first)
      wrong.push(`must have a name of its own, but ${first} has a record of the name ${String(record.name)}, too`);
    else firstFileOf.set(record.name, file);
    for (const member of ["shape", "vjp", "loops", "gpu"]) {
      if (typeof record[member] !== "function") wrong.push(`must have the function ${member}`);
    }
    if (typeof record.dtype !== "function" && record.dtype !== "float" && record.dtype !== "any") {
      wrong.push('must have a dtype rule: "float", "any" or a function');
    }
    if (!isPublic) wrong.push("must be exported by the package's index.ts, where devices find it");
    return wrong.map((what) => `${file}: ${exportName} ${what}`);
  });
}
