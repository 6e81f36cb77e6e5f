import { expect, test } from "vitest";

import { onnxModel } from "./onnxModel.ts";

test("onnxModel writes the node, its attributes and its values by the numbers of onnx.proto", () => {
  const model = onnxModel({
    type: "Exp",
    inputs: [{ name: "x", shape: [300] }],
    outShape: [300],
    attributes: { axis: 1 },
    opset: 13,
  });
  const node = [0x0a, 1, 120, 0x12, 1, 121, 0x22, 3, 69, 120, 112, 0x2a, 11, 0x0a, 4, 97, 120, 105, 115, 0x18, 1]; // x, y, Exp, axis 1
  const kind = [0xa0, 0x01, 2]; // field 20: INT
  const bytes = Array.from(model);
  const at = bytes.indexOf(0x0a, 4);
  expect(bytes.slice(0, 2)).toEqual([8, 8]); // ir_version 8
  expect(bytes.slice(at + 2, at + 2 + node.length + kind.length)).toEqual([...node, ...kind]);
  expect(bytes.slice(-4)).toEqual([0x42, 2, 0x10, 13]); // opset_import of version 13
  expect(bytes.join()).toContain([0x08, 0xac, 0x02].join()); // a dimension of 300, as a varint
});
