import { availableParallelism } from "node:os";

export default {
  testEnvironment: "node",
  testMatch: ["<rootDir>/test/**/*.test.ts"],
  globalSetup: "<rootDir>/test/support/global-setup.js",
  testRunner: "<rootDir>/test/support/runner/run-test-file.js",
  // The test runner compiles TypeScript.
  transform: {},
  // With `--watch`, files that the global setup writes would start the next run.
  watchPathIgnorePatterns: ["<rootDir>/dist/", "<rootDir>/test/generated/"],
  // With `--watch`, Jest finds the files that a test file imports.
  moduleNameMapper: { "^(\\.{1,2}/.*)\\.js$": "$1" },
  // Tests wait for conditions. Long enough for a busy machine, this ends a test whose condition never becomes true.
  testTimeout: 300_000,
  // Two for each core: many suites mostly wait, for timers, for child processes or for the browser.
  maxWorkers: 2 * availableParallelism(),
  workerIdleMemoryLimit: "600MB",
};
