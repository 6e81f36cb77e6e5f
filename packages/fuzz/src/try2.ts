import { checkCase, shrinkCase } from "./checkCase.ts";
import { openKinds } from "./allKinds.ts";
const k = openKinds([process.argv[2]])![0];
let t = performance.now();
let c0 = process.cpuUsage();
const N = Number(process.argv[3] ?? 1000);
let f = 0;
let fail: any,
  fi = 0;
for (let i = 0; i < N; i++) {
  const x = await checkCase(k, { seed: 5, index: i });
  if (x) {
    f++;
    fail ??= x;
    fi ||= i;
  }
}
let c = process.cpuUsage(c0);
console.log(
  process.argv[2],
  N,
  "fail",
  f,
  "wall/case",
  ((performance.now() - t) / N).toFixed(2),
  "ms cpu/case",
  ((c.user + c.system) / 1000 / N).toFixed(2),
);
if (fail && process.argv[4]) {
  c0 = process.cpuUsage();
  t = performance.now();
  await shrinkCase(k, { seed: 5, index: fi }, fail);
  c = process.cpuUsage(c0);
  console.log("shrink ms", (performance.now() - t).toFixed(0), "cpu", ((c.user + c.system) / 1000).toFixed(0));
}
await k.close?.();
