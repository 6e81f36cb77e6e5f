/**
 * @file Lint rules: the recommended sets, and a few of our own, each with its reason.
 *
 * Plain JavaScript, since ESLint would compile TypeScript into a folder of the temporary one that all users of a machine share.
 *
 * Naming is left to the house style and not linted: fields such as `running_mean` equal the keys of PyTorch's state_dict.
 */
import js from "@eslint/js";
import { defineConfig, globalIgnores } from "eslint/config";
import tseslint from "typescript-eslint";

const tests = "**/*.test.ts";
const testKits = "packages/*/src/testing/**";

/** @typedef {import("eslint/config").Config} Config */

/** @typedef {{ regex: string, message: string }} Forbidden - a forbidden import, and what the author reads when it is tried. */

/** @type {Forbidden} */
const otherPackagesSource = {
  regex: "(^@gridgrad/[^/]+|/(core|ops|nn|dysample|lab|gridgrad|bench))/src(/|$)",
  message: "Packages import each other by name, so that what an index does not export stays free to change.",
};
/** @type {Forbidden} */
const testKit = {
  regex: "(^|/)testing(/|$)",
  message: "Test kits are for tests: they need fast-check, which a user of the package has not installed.",
};
/** @type {Forbidden} */
const nodeBuiltin = {
  regex: "^node:",
  message: "This package also runs in browsers: what only Node can do belongs in node.ts or a *.node.ts file.",
};

const noDefaultExport = {
  selector: "ExportDefaultDeclaration",
  message: "Export by name: a default export is called something else in every file that imports it.",
};

/**
 * Forbids package `name` everything of gridgrad but `below`, the packages under it.
 *
 * @param {string} name
 * @param {string[]} below
 * @returns {Forbidden}
 */
function notAbove(name, below) {
  return {
    regex: `^@gridgrad/(?!(${[name, ...below].join("|")})(/|$))`,
    message: `Layers keep the packages readable from the bottom up: ${name} may import ${below.join(", ") || "no package"}.`,
  };
}

/**
 * @param {string[]} files
 * @param {string[]} ignores
 * @param {Forbidden[]} patterns
 * @returns {Config}
 */
function forbidImports(files, ignores, patterns) {
  return { files, ignores, rules: { "no-restricted-imports": ["error", { patterns }] } };
}

/**
 * One package's imports: strict for what ships, and for tests and test commands only what keeps packages apart.
 *
 * @param {string} name
 * @param {string[]} below
 * @param {Forbidden[]} inShippedSource
 * @param {string[]} testCommands
 */
function layer(name, below, inShippedSource = [], testCommands = []) {
  const all = [`packages/${name}/**/*.ts`];
  const apart = [otherPackagesSource, notAbove(name, below)];
  const notShipped = [tests, testKits, "**/node.ts", "**/*.node.ts", ...testCommands];
  return [
    forbidImports(all, [], apart),
    // A later entry replaces an earlier one, so this one repeats what holds for all.
    forbidImports(all, notShipped, [...apart, testKit, ...inShippedSource]),
  ];
}

/**
 * A folder of a package that knows nothing of those `above` it. By a rule of its own, since entries of one rule replace each other.
 *
 * @param {string} name
 * @param {string} folder
 * @param {string[]} above
 * @returns {Config}
 */
function room(name, folder, above) {
  return {
    files: [`packages/${name}/src/${folder}/**/*.ts`],
    rules: {
      "no-restricted-syntax": [
        "error",
        {
          selector: `ImportDeclaration[source.value=/^\\.\\.\\/(${above.join("|")})\\//]`,
          message: `Folders keep ${name} readable from the bottom up: ${folder} knows nothing of ${above.join(", ")}.`,
        },
        noDefaultExport,
      ],
    },
  };
}

/** `gridgrad goldens` and `gridgrad gradcheck` run tests for a user, with those parts of the kits that need no fast-check. */
const testCommands = ["goldenRuns", "goldensCommand", "gradcheckCommand"].map((n) => `packages/lab/src/cli/${n}.ts`);

// eslint-disable-next-line no-restricted-syntax -- ESLint reads a config's default export
export default defineConfig(
  globalIgnores([
    "**/dist/",
    "coverage/",
    "runs/",
    "packages/*/assembly/", // AssemblyScript looks like TypeScript, but its types (f32, v128) are unknown to tsc
    "**/*.generated.ts",
  ]),
  js.configs.recommended,
  tseslint.configs.recommended,
  {
    linterOptions: { reportUnusedDisableDirectives: "error" },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // Kernels are asynchronous. A promise that nobody awaits loses its error, and a test that forgets one always passes.
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": "error",
      // `await` marks the places where values leave the graph; on anything else it misleads the reader.
      "@typescript-eslint/await-thenable": "error",
      // Closed sets are unions of string literals: a new member must show up in every switch over them.
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      // Type imports are erased, so they cost nothing and cannot close an import cycle: the reader should see which they are.
      "@typescript-eslint/consistent-type-imports": "error",
      // One name for one thing: a default export is renamed by every importer and is missed by a search.
      "no-restricted-syntax": ["error", noDefaultExport],
      // checkOptions shows the call that is meant, with arguments that no parameter has: `...rest` would put them into the signature.
      "prefer-rest-params": "off",
      // Both are held by tsc: unused names (noUnusedLocals, noUnusedParameters) and unknown ones, with their types.
      "@typescript-eslint/no-unused-vars": "off",
      "no-undef": "off",
    },
  },
  layer(
    "core",
    [],
    [
      {
        regex: "^[^.]",
        message: "core imports nothing but its own files: it has no dependencies and runs wherever JavaScript runs.",
      },
    ],
  ),
  layer("ops", ["core"], [nodeBuiltin]),
  layer("nn", ["core", "ops"], [nodeBuiltin]),
  layer("dysample", ["core", "ops", "nn"]),
  layer("lab", ["core", "ops", "nn", "dysample"], [], testCommands),
  layer("gridgrad", ["core", "ops", "nn", "dysample", "lab"], [], ["packages/gridgrad/src/testing.ts"]),
  room("lab", "compare", ["report", "queue", "cli"]),
  room("lab", "report", ["queue", "cli"]),
  room("lab", "queue", ["report", "cli"]),
  forbidImports(
    ["packages/bench/**/*.ts", "packages/fuzz/**/*.ts", "docs/**/*.ts", "examples/**/*.ts"],
    [],
    [otherPackagesSource],
  ),
);
