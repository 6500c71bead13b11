import { readFileSync } from "node:fs";
import { transformSync } from "@swc/core";

/** Compiles a TypeScript file for Node.js. Returns the code and its source map. */
export function compile(path) {
  return transformSync(readFileSync(path, "utf8"), {
    filename: path,
    sourceFileName: path,
    sourceMaps: true,
    jsc: {
      target: "es2022",
      parser: { syntax: "typescript", decorators: true },
      transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
    },
    module: { type: "es6" },
  });
}
