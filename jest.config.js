import { availableParallelism } from "node:os";

export default {
  testEnvironment: "node",
  testMatch: ["<rootDir>/test/**/*.test.ts"],
  globalSetup: "<rootDir>/test/support/global-setup.js",
  // With `--watch`, files that the global setup writes would start the next run.
  watchPathIgnorePatterns: ["<rootDir>/dist/", "<rootDir>/test/generated/"],
  extensionsToTreatAsEsm: [".ts"],
  moduleNameMapper: { "^(\\.{1,2}/.*)\\.js$": "$1" },
  // Tests wait for conditions. Long enough for a busy machine, this ends a test whose condition never becomes true.
  testTimeout: 300_000,
  // Two for each core: many suites mostly wait, for timers, for child processes or for the browser.
  maxWorkers: 2 * availableParallelism(),
  // A worker keeps the modules of all its suites in memory. Without a limit, garbage collection takes most of its time.
  workerIdleMemoryLimit: "600MB",
  transform: {
    "^.+\\.ts$": [
      "@swc/jest",
      {
        jsc: {
          target: "es2022",
          parser: { syntax: "typescript", decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
        },
        module: { type: "es6" },
      },
    ],
  },
};
