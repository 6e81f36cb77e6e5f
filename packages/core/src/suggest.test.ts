import { expect, test } from "vitest";

import { suggest } from "./suggest.ts";

test("PyTorch's spelling and other words for the same are found", () => {
  expect(suggest("weight_decay", ["lr", "betas", "eps", "weightDecay"])).toBe("weightDecay");
  expect(suggest("padding_mode", ["padding", "paddingMode"])).toBe("paddingMode");
  expect(suggest("learning_rate", ["lr", "momentum"])).toBe("lr");
  expect(suggest("Epsilon", ["lr", "eps"])).toBe("eps");
});

test("a name is found by a part of it, or with a letter or two too many", () => {
  expect(suggest("pad", ["stride", "padding", "paddingMode"])).toBe("padding");
  expect(suggest("strides", ["padding", "stride"])).toBe("stride");
  expect(suggest("type", ["requiresGrad", "dtype"])).toBe("dtype");
  expect(suggest("pa", ["padding"])).toBeNull(); // in too many words
  expect(suggest("padding_mode", ["stride", "padding"])).toBeNull(); // another option, not that one misspelt
});

test("of several misspelt names the nearest comes first, and none where no name is near", () => {
  expect(suggest("strude", ["stripe", "stride"])).toBe("stride");
  const upsamplers = ["nearest", "bilinear", "dysample", "dysample+"];
  expect(suggest("dysampl", upsamplers)).toBe("dysample");
  expect(suggest("DySample+", upsamplers)).toBe("dysample+");
  expect(suggest("biliner", upsamplers)).toBe("bilinear");
  expect(suggest("bicubic", upsamplers)).toBeNull();
  expect(suggest("x", [])).toBeNull();
});
