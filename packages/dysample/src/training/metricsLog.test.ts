import { appendFile, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, test } from "vitest";

import { medianMs, MetricsLog, readSteps, readValidations, type StepMetrics } from "./metricsLog.ts";

const line = (step: number, ms = 1): StepMetrics => ({ step, loss: 1 / step, lr: 0.1, gradNorm: 2, ms });

async function newPath(): Promise<string> {
  return join(await mkdtemp(join(tmpdir(), "gridgrad-log-")), "metrics.jsonl");
}

test("lines that are written come back", async () => {
  const path = await newPath();
  const log = await MetricsLog.open(path, 0);
  await log.write(line(1));
  await log.write({ step: 1, evaluation: { mIoU: 0.5, iouPerClass: [1, NaN] } });
  await log.close();
  expect(await readFile(path, "utf8")).toBe(
    '{"step":1,"loss":1,"lr":0.1,"gradNorm":2,"ms":1}\n{"step":1,"evaluation":{"mIoU":0.5,"iouPerClass":[1,null]}}\n',
  );
  expect(await readSteps(path)).toEqual([line(1)]);
});

test("a loss that is NaN comes back as NaN, also after the log was opened again", async () => {
  const path = await newPath();
  const log = await MetricsLog.open(path, 0);
  await log.write({ ...line(1), loss: NaN });
  await log.write(line(2));
  await log.close();
  await (await MetricsLog.open(path, 2)).close();
  expect(await readSteps(path)).toEqual([{ ...line(1), loss: NaN }, line(2)]);
});

test("a log that is opened behind a step loses later steps, evaluations, and a line cut short by a kill", async () => {
  const path = await newPath();
  const log = await MetricsLog.open(path, 0);
  for (const step of [1, 2, 3, 4]) await log.write(line(step));
  await log.write({ step: 4, evaluation: {} });
  await log.close();
  await appendFile(path, '{"step":5,"lo');

  const again = await MetricsLog.open(path, 2);
  await again.write(line(3, 7));
  await again.close();
  expect(await readSteps(path)).toEqual([line(1), line(2), line(3, 7)]);
});

test("a whole line without its line end does not count: more of it may be missing", async () => {
  const path = await newPath();
  await writeFile(path, `${JSON.stringify(line(1))}\n${JSON.stringify(line(2))}`);
  expect(await readSteps(path)).toEqual([line(1)]);
});

test.each([
  ["", "it is no JSON"],
  ['{"step":2,"lo', "it is no JSON"],
  ["[]", "all of it must be an object, got []"],
  ['{"step":2,"loss":1,"lr":0.1,"gradNorm":2,"ms":"43"}', 'ms must be a number, got "43"'],
  ['{"step":2,"lr":0.1,"gradNorm":2,"ms":1}', "loss must be a number, got none"],
  ['{"step":"2","validation":{}}', 'step must be an integer of at least 0, got "2"'],
  ['{"step":2,"validation":{"mIoU":"high"}}', 'validation.mIoU must be a number, got "high"'],
  ['{"step":2,"evaluation":7}', "evaluation must be an object, got 7"],
])("a line in the middle that is not as it was written is named: %s", async (damaged, problem) => {
  const path = await newPath();
  await writeFile(path, `${JSON.stringify(line(1))}\n${damaged}\n${JSON.stringify(line(3))}\n`);
  const message = `${path}, line 2, must be as it was written, but ${problem}; delete that line`;
  for (const read of [readSteps, readValidations, (file: string) => MetricsLog.open(file, 3)]) {
    await expect(read(path)).rejects.toThrow(message);
  }
});

test("there are no steps where there is no file", async () => {
  expect(await readSteps(await newPath())).toEqual([]);
});

test("the median is the middle time, or the mean of the middle two", () => {
  expect(medianMs([9, 1, 5].map((ms) => line(1, ms)))).toBe(5);
  expect(medianMs([9, 1, 5, 6].map((ms) => line(1, ms)))).toBe(5.5);
  expect(medianMs([])).toBeNaN();
});
