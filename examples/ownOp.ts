/** @file An op of one's own: a record with its formula, its gradient and its loop, and a check that the gradient is right. */

import { abs, add, apply, div, mul, type Op, pow, tensor, type Tensor } from "gridgrad";
import { checkGradients } from "gridgrad/testing";

/** y = x / (1 + |x|): squeezes any number between -1 and 1. */
const softsignOp: Op = {
  name: "softsign",
  shape: ([x]) => x, // the output has the shape of x
  dtype: "float",
  // dy/dx = 1 / (1 + |x|)², times the gradient dy that arrives. It is made of ops, so it has a gradient, too.
  vjp: (dy, [x]) => [div(dy, pow(add(abs(x), 1), 2))],
  loops(y, [x]) {
    for (let i = 0; i < y.length; i++) y[i] = x[i] / (1 + Math.abs(x[i]));
  },
};
const softsign = (x: Tensor) => apply(softsignOp, [x], {});

const [a, b, c] = await softsign(tensor([-3, 0, 1])).data();
console.log(a, b, c); // -0.75 0 0.5

// Finite differences agree with the gradient, and with the gradient of the gradient. They need the digits of float64.
const x = tensor([-3, 0.5, 1], [3], { dtype: "float64" });
const checks = await checkGradients(softsign, [x], { order: 2 });
console.log("right:", checks.map(({ order }) => `order ${order}`).join(", "));
// right: order 1, order 2

// The square is forgotten: the check finds it.
const wrongOp: Op = { ...softsignOp, vjp: (dy, [x]) => [div(dy, add(abs(x), 1))] };
const wrong = (x: Tensor) => apply(wrongOp, [x], {});
await checkGradients(wrong, [x]).catch((error: Error) => console.log(error.message));
// gradient of input 0, order 1: autograd says -0.20108745437365896, finite differences say -0.12689991576164683 (error 7.4e-2 > 0.000001)

// An op is used as any other: the slope of softsign(x)² by x.
const leaf = tensor([1], [1], { requiresGrad: true });
mul(softsign(leaf), softsign(leaf)).sum().backward();
console.log(await leaf.grad?.item()); // 0.25
