export default {
  testEnvironment: "node",
  testMatch: ["<rootDir>/test/**/*.test.ts"],
  globalSetup: "<rootDir>/test/support/global-setup.js",
  // The setup of a run that `--watch` starts would start the next one.
  watchPathIgnorePatterns: ["<rootDir>/dist/", "<rootDir>/test/generated/"],
  extensionsToTreatAsEsm: [".ts"],
  moduleNameMapper: { "^(\\.{1,2}/.*)\\.js$": "$1" },
  // Tests wait for conditions. This ends one that never comes, also on a machine that is busy with other work.
  testTimeout: 300_000,
  maxWorkers: "100%",
  // A process that runs one suite after another keeps what each has loaded, and ends up collecting garbage for most of its time.
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
