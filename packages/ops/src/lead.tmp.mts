import { gradientsOf, Random, realize, setDevice, type Tensor } from "@gridgrad/core";
import { CpuDevice, conv1x1, conv2d } from "@gridgrad/ops";
const random = new Random(0);
const threads = Number(process.argv[2] ?? 1);
const device = setDevice(new CpuDevice({ threads }));
console.log(await device.ready!());
async function time(title: string, macs: number, body: () => Promise<unknown>) {
  const ts: number[] = [];
  for (let i = 0; i < 25; i++) { const t = performance.now(); await body(); if (i > 4) ts.push(performance.now() - t); }
  ts.sort((a, b) => a - b);
  console.log(title.padEnd(40), ts[10].toFixed(2), (macs / ts[10] / 1e6).toFixed(1), "GMAC/s", `q ${ts[5].toFixed(2)}-${ts[15].toFixed(2)}`);
}
async function both(title: string, macs: number, xs: Tensor[], f: (...xs: Tensor[]) => Tensor) {
  await realize(...xs);
  const held = xs.map((x) => x.add(0)); await realize(...held);
  await time(title + " f", macs, async () => { const y = f(...held); await realize(y); const h = (y as any).held; h.device.free(h.buffer); });
  const y0 = f(...held); const dy = random.uniform(y0.shape).add(0); await realize(dy);
  await time(title + " f+b", 3 * macs, async () => { const y = f(...held); const all = [y, ...gradientsOf(y, held, dy).map((g) => g!)]; await realize(...all); for (const t of all) { const h = (t as any).held; h.device.free(h.buffer); } });
}
await both("conv1x1 256->32 120", 256 * 32 * 14400, [random.normal([1, 256, 120, 120]), random.normal([32, 256, 1, 1])], conv1x1);
await both("conv2d 16->32 8x64", 8 * 64 * 64 * 16 * 32 * 9, [random.normal([8, 16, 64, 64]), random.normal([32, 16, 3, 3])], (x, w) => conv2d(x, w, null, { padding: 1 }));
await both("conv2d s2 16->32 16x32", 16 * 16 * 16 * 16 * 32 * 9, [random.normal([16, 16, 32, 32]), random.normal([32, 16, 3, 3])], (x, w) => conv2d(x, w, null, { padding: 1, stride: 2 }));
await both("conv2d 48->48 16x8", 16 * 8 * 8 * 48 * 48 * 9, [random.normal([16, 48, 8, 8]), random.normal([48, 48, 3, 3])], (x, w) => conv2d(x, w, null, { padding: 1 }));
await both("conv1x1 32->32 16x32", 16 * 1024 * 1024, [random.normal([16, 32, 32, 32]), random.normal([32, 32, 1, 1])], conv1x1);
console.log([...device.onLoops!]);
await device.close();
