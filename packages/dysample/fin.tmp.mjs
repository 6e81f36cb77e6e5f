import fc from "fast-check";
import * as core from "@gridgrad/core";
import * as ops from "@gridgrad/ops";
const { Random, gradientsOf, leaf, openDevice, realize, readValues, withDevice } = core;
const R = (seed) => { let a = seed >>> 0; return () => { a = (a + 0x6d2b79f5) | 0; let t = Math.imul(a ^ (a >>> 15), 1 | a); t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t; return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32; }; };
const only = process.env.ONLY, runs = Number(process.env.RUNS ?? 40), seed0 = Number(process.env.SEED ?? 1);
const specials = [NaN, NaN, Infinity, -Infinity];
const int = (r, a, b) => a + Math.floor(r() * (b - a + 1));
const pick = (r, xs) => xs[int(r, 0, xs.length - 1)];
const pads = ["zeros", "border", "reflection"];
const gs = (mode) => (r) => {
  const [N, C, H, W, P, Q] = [int(r,1,2), int(r,1,3), int(r,1,5), int(r,1,5), int(r,1,4), int(r,1,4)];
  const o = { mode, paddingMode: pick(r, pads), alignCorners: r() < 0.5 };
  const whole = r() < 0.5 && [H, W].every((n) => [1, 2, 4].includes(n - (o.alignCorners && n > 1 ? 1 : 0)));
  return { shapes: [[N, C, H, W], [N, P, Q, 2]], f: (x, g) => ops.gridSample(x, g, o), tag: JSON.stringify(o) + " whole " + whole,
    draw: (k, i) => k === 1 ? (whole ? ((2 * int(r, -2, (i % 2 ? H : W) + 1) + (o.alignCorners ? 0 : 1)) / Math.max(1, (i % 2 ? H : W) - (o.alignCorners ? 1 : 0)) - 1) : (r() * 3 - 1.5)) : undefined };
};
const norm = (f) => (r) => { const s = [int(r,1,3), 2 * int(r,1,2), int(r,1,3), int(r,2,3)]; return { shapes: [s], f }; };
const un = (f) => (r) => ({ shapes: [[int(r,1,3), int(r,1,4)]], f });
const bin = (f) => (r) => ({ shapes: [[int(r,1,3), int(r,1,4)], r() < .5 ? [1] : [int(r,1,1), 1]], f });
const cases = {
  gridNearest: gs("nearest"), gridBilinear: gs("bilinear"), gridBicubic: gs("bicubic"),
  conv2d(r) { const g = int(r,1,2), [KH,KW] = [int(r,1,3),int(r,1,3)]; const o = { padding: [int(r,0,2), int(r,0,2)], stride: [int(r,1,2), int(r,1,2)], dilation: [int(r,1,2), int(r,1,2)], groups: g };
    return { shapes: [[int(r,1,2), g * int(r,1,2), int(r,5,7), int(r,5,7)], null, ], fix: (s) => { s[1] = [g * int(r,1,2), s[0][1] / g, KH, KW]; }, f: (x, w) => ops.conv2d(x, w, null, o), tag: JSON.stringify(o) }; },
  conv1x1(r) { const C = int(r,1,5); return { shapes: [[int(r,1,2), C, 2, 3], [int(r,1,3), C, 1, 1]], f: (x, w) => ops.conv1x1(x, w) }; },
  convT(r) { const g = int(r,1,2), C = g * int(r,1,2); const o = { padding: [int(r,0,1), int(r,0,1)], stride: [int(r,1,2), int(r,1,2)], groups: g };
    return { shapes: [[int(r,1,2), C, int(r,2,4), int(r,2,4)], [C, int(r,1,2), 3, int(r,2,3)]], f: (x, w) => ops.convTranspose2d(x, w, null, o), tag: JSON.stringify(o) }; },
  interpolate(r) { const mode = pick(r, ["nearest", "bilinear", "bicubic"]); const o = { mode, alignCorners: mode !== "nearest" && r() < .5, ...(r() < .7 ? { size: [int(r,1,12), int(r,1,12)] } : { scaleFactor: [pick(r,[.5,1,1.5,2,3,2.3]), pick(r,[1,2,4,.7,5])] }) };
    return { shapes: [[1, int(r,1,2), int(r,2,6), int(r,2,6)]], f: (x) => ops.interpolate(x, o), tag: JSON.stringify(o) }; },
  sampleAtOffsets(r) { const s = int(r,1,2), G = int(r,1,2), [H, W] = [int(r,1,4), int(r,1,4)]; const whole = r() < .4; return { shapes: [[int(r,1,2), 2 * G, H, W], null], fix: (sh) => { sh[1] = [sh[0][0], 2 * G * s * s, H, W]; }, f: (x, o) => ops.sampleAtOffsets(x, o, s), tag: "s " + s + " whole " + whole, draw: (k) => k === 1 && whole ? int(r, -1, 1) : undefined }; },
  carafe(r) { const s = int(r,1,2), k = pick(r,[1,3,5]), G = int(r,1,2), [N,H,W] = [int(r,1,2), int(r,1,3), int(r,1,3)]; return { shapes: [[N, 2 * G, H, W], [N, G*k*k, s*H, s*W]], f: (x, w) => ops.carafe(x, w, { kernelSize: k, groups: G }) }; },
  windowSimilarity(r) { const s = int(r,1,2), k = pick(r,[1,3,5]), G = int(r,1,2), [N,H,W] = [int(r,1,2), int(r,1,3), int(r,1,3)]; return { shapes: [[N, 2 * G, s*H, s*W], [N, 2*G, H, W]], f: (x, w) => ops.windowSimilarity(x, w, { kernelSize: k, groups: G }) }; },
  maxPool(r) { const k = int(r,2,3); const o = { stride: int(r,1,3), padding: int(r,0,1) }; return { shapes: [[1, 2, int(r,3,6), int(r,3,6)]], f: (x) => ops.maxPool2d(x, k, o) }; },
  avgPool(r) { const k = int(r,2,3); const o = { stride: int(r,1,3), padding: int(r,0,1), countIncludePad: r() < .5 }; return { shapes: [[1, 2, int(r,3,6), int(r,3,6)]], f: (x) => ops.avgPool2d(x, k, o) }; },
  groupNorm: norm((x) => ops.groupNorm(x, 2)),
  layerNorm: norm((x) => ops.layerNorm(x, x.shape.slice(2))),
  variance: norm((x) => ops.variance ? ops.variance(x, [0, 2]) : core.mul(x, 1)),
  batchNorm: norm((x) => ops.batchNorm2d(x, core.zeros([x.shape[1]]), core.ones([x.shape[1]]), { training: true }).y),
  softmax: norm((x) => ops.softmax(x, 1)), logSoftmax: norm((x) => ops.logSoftmax(x, -1)),
  matmul(r) { const [M,K,N] = [int(r,1,3),int(r,1,4),int(r,1,3)]; return { shapes: [[int(r,1,2), M, K], [K, N]], f: core.matmul }; },
  sum: norm((x) => core.sum(x, [1, 3])), mean: norm((x) => core.mean(x, 2)), max: norm((x) => core.max(x, [1, 2])), min: norm((x) => core.min(x, 3)),
  ce(r) { const [N,C,P] = [int(r,1,3), int(r,1,4), int(r,1,3)]; const t = leaf([N,P], "int32", Int32Array.from({length:N*P}, () => r() < .2 ? -100 : int(r,0,C-1))); const o = { labelSmoothing: pick(r,[0,.1]), reduction: pick(r,["mean","sum","none"]) }; return { shapes: [[N,C,P],[C]], f: (x, w) => ops.crossEntropy(x, t, { ...o, weight: w }), tag: JSON.stringify(o) }; },
  ...Object.fromEntries(["mseLoss","l1Loss","smoothL1Loss","bceWithLogits"].map((k) => [k, (r) => { const s = [int(r,1,3), int(r,1,3)]; return { shapes: [s, s], f: (a, b) => ops[k](a, b, { reduction: pick(R(s[0]), ["mean","none"]) }) }; }])),
  ...Object.fromEntries(["gelu","silu","erf"].map((k) => [k, un(ops[k])])),
  geluTanh: un((x) => ops.gelu(x, { approximate: "tanh" })),
  ...Object.fromEntries(["abs","exp","log","sqrt","relu","leakyRelu","floor","neg","sigmoid","tanh","sign"].map((k) => [k, un(core[k])])),
  clamp: un((x) => core.clamp(x, { min: -.5, max: .5 })),
  ...Object.fromEntries(["add","sub","mul","div","pow","maximum","minimum","less","equal","notEqual","greaterEqual"].map((k) => [k, bin(core[k])])),
  where(r) { const s = [int(r,1,3), int(r,1,3)]; return { shapes: [s, s, s], f: (c, a, b) => core.where(core.greater(c, 0), a, b) }; },
  pad: norm((x) => core.pad(x, [[0,0],[1,0],[0,2],[1,1]])), slice: norm((x) => core.slice(x, [null, [0,2]])), flip: norm((x) => core.flip(x, [1,2])), permute: norm((x) => core.permute(x, [3,1,0,2])), expand: norm((x)=>core.expand(x, [2, ...x.shape])),
  shuffle: (r) => ({ shapes: [[1, 4, 2, 3]], f: (x) => ops.pixelShuffle(x, 2) }), concat: norm((x) => core.concat([x, x], 1)),
};
const devices = (process.env.DEVICES ?? "gpu:cpu,gpu:webasm").split(",").map((d) => openDevice(d));
const ref = openDevice("reference");
let bad = 0;
for (const [name, make] of Object.entries(cases)) {
  if (only && !only.split(",").includes(name)) continue;
  let failed = {}, first = {};
  for (let run = 0; run < runs; run++) {
    const seed = seed0 * 100003 + run * 7919 + 17;
    const r = R(seed); for (let i = 0; i < 5; i++) r();
    const c = make(r); c.fix?.(c.shapes);
    const rate = pick(r, [0.02, 0.1, 0.4]); const where = int(r, 0, c.shapes.length + 1);
    const val = (k, n, shape) => Float32Array.from({ length: n }, (_, i) => { const special = (k === where || where > c.shapes.length) && r() < rate; const v = c.draw?.(k, i) ?? (r() * 4 - 2); return special ? pick(r, specials) : v; });
    const xs = c.shapes.map((s, k) => val(k, s.reduce((a, b) => a * b, 1)));
    let dyv = null;
    const go = (d) => withDevice(d, async () => {
      const ts = xs.map((v, k) => leaf(c.shapes[k], "float32", v));
      const y = c.f(...ts);
      dyv ??= val(c.shapes.length, y.size);
      const out = [y];
      if (["less","equal","notEqual","greaterEqual"].includes(name)) { await realize(y); return [await readValues(y)]; }
      const g = gradientsOf(y, ts, leaf(y.shape, "float32", dyv));
      g.forEach((t) => out.push(t));
      await realize(...out.filter(Boolean));
      const res = []; for (const t of out) res.push(t ? await readValues(t) : null);
      return res;
    });
    const want = await go(ref);
    for (const d of devices) {
      const got = await go(d);
      want.forEach((w, k) => { if (!w) return; for (let i = 0; i < w.length; i++) if ((!Number.isFinite(w[i]) && !Object.is(w[i], got[k][i])) || (Number.isFinite(w[i]) && !Number.isFinite(got[k][i])) || (Number.isFinite(w[i]) && Math.abs(w[i]-got[k][i]) > 1e-3*(1+Math.abs(w[i])))) {
        const key = d.name + " " + (k ? "d" + (k - 1) : "y"); failed[key] = (failed[key] ?? 0) + 1;
        first[key] ??= `run ${run} ${JSON.stringify(c.shapes)} ${c.tag ?? ""} special in ${where} [${i}]: ref ${w[i]} got ${got[k][i]}`; return; } });
    }
  }
  if (Object.keys(failed).length) { bad++; console.log(name); for (const k in failed) console.log("   ", k, failed[k], "of", runs, "  ", first[k]); }
  else console.log(name, "ok");
}
console.log("bad ops:", bad);
for (const d of devices) await d.close();
process.exit(0);
