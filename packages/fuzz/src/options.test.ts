import { expect, test } from "vitest";

import { readOptions } from "./options.ts";

const read = (line: string) => readOptions(line === "" ? [] : line.split(" "), () => 12345);

test("a campaign takes a minute and another seed each time, unless something else is asked for", () => {
  const usual = { seconds: 60, cases: undefined, seed: 12345, from: undefined, only: [], warn: false };
  expect(read("")).toEqual(usual);
  expect(read("--seconds 5 --seed 1 --warn")).toEqual({ ...usual, seconds: 5, seed: 1, warn: true });
  expect(read("--cases 100 --only files,ops")).toEqual({
    ...usual,
    seconds: undefined,
    cases: 100,
    only: ["files", "ops"],
  });
  expect(read("--only ops --seed 1 --case 7")).toEqual({
    ...usual,
    ...{ seconds: undefined, cases: 1, seed: 1, from: 7, only: ["ops"] },
  });
});

test("what makes no sense is refused", () => {
  const lines = ["--seconds x", "--seconds 0", "--seed -1", "--cases 1.5", "--only nothing", "--more"];
  const messages = lines.map((line) => {
    try {
      return `${line}: ${JSON.stringify(read(line))}`;
    } catch (error) {
      return `${line}: ${(error as Error).message}`;
    }
  });
  expect(messages).toMatchInlineSnapshot(`
    [
      "--seconds x: --seconds must be a whole number of at least 1, got "x"",
      "--seconds 0: --seconds must be a whole number of at least 1, got "0"",
      "--seed -1: Option '--seed' argument is ambiguous.
    Did you forget to specify the option argument for '--seed'?
    To specify an option argument starting with a dash use '--seed=-XYZ'.",
      "--cases 1.5: --cases must be a whole number of at least 1, got "1.5"",
      "--only nothing: --only must name files, safetensors, png, goldens, ops, calls, commands, got "nothing"",
      "--more: Unknown option '--more'",
    ]
  `);
});
