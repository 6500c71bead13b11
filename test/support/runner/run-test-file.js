import { createRequire, register } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import circus from "jest-circus/runner";
import { compile } from "./compile.js";

register("./typescript-hooks.js", import.meta.url);
const sourceMaps = new Map();
let files = 0;

/**
 * Runs a test file with Jest's own test runner, but loads modules with Node.js. Jest's module loader would load all modules again
 * for each test file, which takes some seconds. Here, the test files that run in the same process share the modules of packages
 * and of `src`. So the modules of `src` must have no state that a test changes.
 */
export default function runTestFile(globalConfig, config, environment, runtime, path, sendMessage) {
  runtime.requireInternalModule = loadCopy;
  runtime.unstable_shouldLoadAsEsm = () => true;
  runtime.unstable_importModule = (file) => {
    globalThis[Symbol.for("jest-globals")] = runtime.requireModuleOrMock(file, "@jest/globals");
    return import(`${pathToFileURL(file)}?${++files}`);
  };
  runtime.getSourceMaps().get = sourceMapOf;
  // Logs belong to the results of the file. A log after its end is an error.
  globalThis.console = environment.global.console;
  return circus.default(globalConfig, config, environment, runtime, path, sendMessage);
}

/** Loads a new copy of a module of Jest, because its state is that of one test file. */
function loadCopy(module) {
  const require = createRequire(import.meta.url);
  delete require.cache[module];
  delete globalThis[Symbol.for("EVENT_HANDLERS")];
  return require(module);
}

/** Returns the source map of a TypeScript file as a `data:` URL. Jest reads it when it formats the stack of an error. */
function sourceMapOf(url) {
  if (!/^file:.+\.ts(\?\d+)?$/.test(url)) return undefined;
  const path = fileURLToPath(url);
  if (!sourceMaps.has(path)) {
    const map = Buffer.from(compile(path).map).toString("base64");
    sourceMaps.set(path, `data:application/json;base64,${map}`);
  }
  return sourceMaps.get(path);
}
