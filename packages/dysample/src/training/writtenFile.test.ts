import { expect, test } from "vitest";

import {
  checkText,
  count,
  dictionary,
  either,
  list,
  number,
  numberOrNaN,
  record,
  same,
  text,
  WrittenFileError,
} from "./writtenFile.ts";

const check = record<{ kind: "a"; n: number; loss: number; by: Readonly<Record<string, string | readonly number[]>> }>({
  kind: same("a"),
  n: count,
  loss: numberOrNaN,
  by: dictionary(either(list(number), text)),
});

const read = (json: string): unknown => checkText(json, "run/x.json", check, "delete it");

test("what is as it was written comes back, without fields that nobody asked for", () => {
  const whole = read('{"kind":"a","n":3,"loss":null,"by":{"x":"y","z":[1,2.5],"__proto__":[]},"more":1}');
  expect(whole).toEqual({ kind: "a", n: 3, loss: NaN, by: { x: "y", z: [1, 2.5], ["__proto__"]: [] } });
});

test.each([
  ["", "it is no JSON"],
  ["{", "it is no JSON"],
  ["null", "all of it must be an object, got null"],
  ["[]", "all of it must be an object, got []"],
  ['{"n":3,"loss":1,"by":{}}', 'kind must be "a", got none'],
  ['{"kind":"b","n":3,"loss":1,"by":{}}', 'kind must be "a", got "b"'],
  ['{"kind":"a","n":-1,"loss":1,"by":{}}', "n must be an integer of at least 0, got -1"],
  ['{"kind":"a","n":1.5,"loss":1,"by":{}}', "n must be an integer of at least 0, got 1.5"],
  ['{"kind":"a","n":"3","loss":1,"by":{}}', 'n must be an integer of at least 0, got "3"'],
  ['{"kind":"a","n":3,"loss":"0.01","by":{}}', 'loss must be a number, got "0.01"'],
  ['{"kind":"a","n":3,"loss":1e999,"by":{}}', "loss must be a number, got Infinity"],
  ['{"kind":"a","n":3,"loss":1,"by":{"x":null}}', "by.x must be a text, got null"],
  ['{"kind":"a","n":3,"loss":1,"by":{"x":[1,"2"]}}', 'by.x must be a text, got [1, "2"]'],
  ['{"kind":"a","n":3,"loss":1,"by":{"' + "k".repeat(300) + '":7}}', `by.${"k".repeat(100)}... must be a text, got 7`],
])("%s is damaged: %s", (json, problem) => {
  const message = `run/x.json must be as it was written, but ${problem}; delete it`;
  expect(() => read(json)).toThrow(new WrittenFileError(message));
});
