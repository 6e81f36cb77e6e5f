import { Random, gradientsOf, openDevice, realize, readValues, withDevice } from "@gridgrad/core";
import * as ops from "@gridgrad/ops";
const N = (s, k) => new Random(k).normal(s);
const works = {
  conv3: [[[1,32,48,48],[32,32,3,3]], (x,w)=>ops.conv2d(x,w,null,{padding:1})],
  conv3s2: [[[1,32,48,48],[32,32,3,3]], (x,w)=>ops.conv2d(x,w,null,{padding:1,stride:2})],
  convT: [[[1,32,24,24],[32,16,4,4]], (x,w)=>ops.convTranspose2d(x,w,null,{padding:1,stride:2})],
  gridBil: [[[1,32,48,48],[1,96,96,2]], (x,g)=>ops.gridSample(x,g,{paddingMode:"border"})],
  gridNear: [[[1,32,48,48],[1,96,96,2]], (x,g)=>ops.gridSample(x,g,{mode:"nearest",paddingMode:"border"})],
  gridCub: [[[1,16,24,24],[1,48,48,2]], (x,g)=>ops.gridSample(x,g,{mode:"bicubic",paddingMode:"border"})],
  offsets: [[[1,32,48,48],[1,8,48,48]], (x,o)=>ops.sampleAtOffsets(x,o,2)],
  interBil: [[[1,32,48,48]], (x)=>ops.interpolate(x,{scaleFactor:2,mode:"bilinear"})],
  interBil4: [[[1,16,32,32]], (x)=>ops.interpolate(x,{scaleFactor:4,mode:"bilinear"})],
  interNear: [[[1,32,48,48]], (x)=>ops.interpolate(x,{scaleFactor:2})],
  interCub: [[[1,32,48,48]], (x)=>ops.interpolate(x,{scaleFactor:2,mode:"bicubic"})],
  ...(ops.windowSimilarity ? {} : {}),
};
const d = openDevice(process.env.DEVICE ?? "gpu:webasm");
const only = process.env.ONLY?.split(",");
const out = {};
for (const [name, [shapes, f]] of Object.entries(works)) {
  if (only && !only.includes(name)) continue;
  await withDevice(d, async () => {
    let xs = shapes.map((s, k) => N(s, k + 1));
    if (name.startsWith("grid")) { // near the regular grid
      const [, P, Q] = shapes[1]; const r = new Random(9); const v = [];
      for (let p = 0; p < P; p++) for (let q = 0; q < Q; q++) v.push((2*(q+.5))/Q-1 + (r.next()-.5)*2/(Q/2), (2*(p+.5))/P-1 + (r.next()-.5)*2/(P/2));
      const { tensor } = await import("@gridgrad/core"); xs[1] = tensor(v, shapes[1]);
    }
    if (name === "offsets") xs[1] = new Random(3).uniform(shapes[1], { low: -.4, high: .4 });
    const dy = N(f(...xs).shape, 7);
    const one = async (which) => { const y = f(...xs); const ts = which === 0 ? [y] : [gradientsOf(y, xs, dy)[which - 1]]; const t0 = process.cpuUsage(); await realize(...ts); await readValues(ts[0]); const u = process.cpuUsage(t0); return (u.user + u.system) / 1000; };
    for (let which = 0; which <= xs.length; which++) {
      await one(which); await one(which);
      const times = []; for (let i = 0; i < 9; i++) times.push(await one(which));
      times.sort((a, b) => a - b); out[name + (which ? " d" + (which - 1) : " y")] = [times[0], times[4]];
    }
  });
}
for (const k in out) console.log(k.padEnd(16), out[k].map((t) => t.toFixed(1).padStart(8)).join(" "));
await d.close(); process.exit(0);
