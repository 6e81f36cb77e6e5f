/** @file A Python that has PyTorch 2. */

import { spawnSync } from "node:child_process";

/**
 * The interpreter in `GRIDGRAD_PYTHON`, or `python3` or `python`.
 *
 * @throws {Error} with the remedy, when none of them can import torch 2.
 */
export function findPython(env: NodeJS.ProcessEnv = process.env): string {
  const chosen = env.GRIDGRAD_PYTHON;
  const tried: string[] = [];
  for (const python of chosen ? [chosen] : ["python3", "python"]) {
    const program = "import torch; print(torch.__version__)";
    const { stdout, stderr, error, status } = spawnSync(python, ["-c", program], { encoding: "utf8", env });
    const version = (stdout ?? "").trim();
    if (status === 0 && version.startsWith("2.")) return python;
    const why = status === 0 ? `has torch ${version}` : (stderr ?? "").trim().split("\n").at(-1) || error?.message;
    tried.push(`${python}: ${why ?? "fails"}`);
  }
  throw new Error(
    `PyTorch must be version 2 in ${chosen ? "GRIDGRAD_PYTHON" : "python3"}, got ${tried.join("; ")}: ` +
      "pip install torch, or set GRIDGRAD_PYTHON to a Python that has it",
  );
}
