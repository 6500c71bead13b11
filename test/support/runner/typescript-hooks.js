// Hooks of Node.js for the imports in a process that runs tests.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { compile } from "./compile.js";

const TESTS = new URL("../../", import.meta.url).href;
const JEST_GLOBALS = new URL("jest-globals.js", import.meta.url).href;

/**
 * Resolves the names of JavaScript files to TypeScript files. The modules in `test` that a test file imports get the query of the
 * test file, so that no two test files share them.
 */
export async function resolve(specifier, context, next) {
  const { parentURL = "" } = context;
  const query = parentURL.startsWith(TESTS) ? new URL(parentURL).search : "";
  if (specifier === "@jest/globals") return { url: JEST_GLOBALS + query, shortCircuit: true };
  if (!specifier.startsWith(".") || parentURL.includes("/node_modules/")) return next(specifier, context);
  const url = new URL(specifier, parentURL);
  const source = new URL(url.href.replace(/\.js$/, ".ts"));
  const { href } = existsSync(source) ? source : url;
  return next(href.startsWith(TESTS) ? href + query : href, context);
}

/** Compiles TypeScript files. */
export async function load(url, context, next) {
  const { pathname } = new URL(url);
  if (!pathname.endsWith(".ts")) return next(url, context);
  return { format: "module", source: compile(fileURLToPath(url)).code, shortCircuit: true };
}
