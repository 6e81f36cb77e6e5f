import fc from "fast-check";
import { expect } from "vitest";

import { grad } from "../autograd.ts";
import { tensor } from "../leaf.ts";
import { integers, shapes } from "../testing/arbitraries.ts";
import { describeOp } from "../testing/describeOp.ts";
import { add } from "./add.ts";
import { detach } from "./detach.ts";
import { div } from "./div.ts";
import { mul } from "./mul.ts";
import { reshape } from "./reshape.ts";
import { sqrt } from "./sqrt.ts";
import { sub } from "./sub.ts";
import { sum } from "./sum.ts";

describeOp(detach, {
  byHand: {
    "keeps the values and the element type": async () => {
      expect(await detach(tensor([1, 2])).array()).toEqual([1, 2]);
      expect(await detach(tensor([3], [1], { dtype: "int32" })).data()).toEqual(new Int32Array([3]));
    },
  },

  golden: {
    cases: ["arithmetic/norm/batch_norm2d_plain_eval"],
    run({ x, running_mean, running_var }, attrs) {
      attrs.repeats("training", false);
      attrs.number("momentum"); // of the running statistics, which stay as they are
      const perChannel = [1, x.shape[1], 1, 1];
      const centered = sub(x, reshape(detach(running_mean), perChannel));
      return div(centered, sqrt(add(reshape(detach(running_var), perChannel), attrs.number("eps"))));
    },
  },

  laws: {
    "is a constant to gradients: x detach(x) has the slope x, not 2 x": () =>
      fc.assert(
        fc.asyncProperty(
          shapes().chain((shape) => integers(shape)),
          async (x) => {
            const [dx] = grad(sum(mul(x, detach(x))), [x]);
            expect(await dx.array()).toEqual(await x.array());
          },
        ),
      ),
  },

  gradients: {
    none: "cutting it off is the purpose",
    cases: {
      "beside itself": {
        f: (x) => mul(x, detach(x)),
        inputs: shapes().chain((shape) => fc.tuple(integers(shape))),
      },
    },
  },

  errors: {
    "something that is no tensor": () => {
      expect(() => detach(1 as never)).toThrowErrorMatchingInlineSnapshot(
        `[ValueError: detach: argument 0 must be a Tensor, got 1; tensor(..) makes one of numbers]`,
      );
    },
  },
});
