import { expect, test } from "vitest";

import { suggest } from "./suggest.ts";

test("the nearest name is suggested, and none where no name is near", () => {
  const names = ["nearest", "bilinear", "dysample", "dysample+"];
  expect(suggest("dysampl", names)).toBe("dysample");
  expect(suggest("DySample+", names)).toBe("dysample+");
  expect(suggest("biliner", names)).toBe("bilinear");
  expect(suggest("bicubic", names)).toBeNull();
  expect(suggest("x", [])).toBeNull();
});
