// Test files import this module as `@jest/globals`. Each test file has its own.
export const { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } =
  globalThis[Symbol.for("jest-globals")];
