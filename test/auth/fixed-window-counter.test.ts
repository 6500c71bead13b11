import { describe, expect, it } from "@jest/globals";
import { boundedKey, FixedWindowCounter } from "../../src/auth/fixed-window-counter.js";
import { until } from "../support/until.js";

describe("A fixed-window counter", () => {
  it("adds only units that fit, and returns the sum also when they do not fit", () => {
    const counter = new FixedWindowCounter(60_000);
    expect(counter.add("a", 6, 10).count).toBe(6);
    expect(counter.add("a", 5, 10).count).toBe(11);
    expect(counter.get("a").count).toBe(6);
    expect(counter.add("a", 4, 10).count).toBe(10);
    expect(counter.get("b").count).toBe(0);
  });

  it("starts a new window when one has ended, and not with each count", async () => {
    const counter = new FixedWindowCounter(200);
    const { msLeft } = counter.add("a");
    expect(msLeft).toBeGreaterThan(0);
    expect(msLeft).toBeLessThanOrEqual(200);
    await until(() => counter.get("a").count === 0 || counter.add("a").msLeft < msLeft);
    await until(() => counter.get("a").count === 0);
    expect(counter.add("a").count).toBe(1);
  });

  it("stores the 50,000 most recently used keys", () => {
    const counter = new FixedWindowCounter(60_000);
    counter.add("first");
    counter.add("used", 2);
    for (let n = 0; n < 60_000; n++) {
      counter.add(`other-${n}`);
      if (n % 1000 === 0) counter.get("used");
    }
    expect(counter.get("first").count).toBe(0);
    expect(counter.get("used").count).toBe(2);
  });

  it("distinguishes long keys, and stores only their hashes", () => {
    const counter = new FixedWindowCounter(60_000);
    const long = "x".repeat(10_000);
    counter.add(`${long}1`);
    expect([counter.get(`${long}1`).count, counter.get(`${long}2`).count]).toEqual([1, 0]);
    expect(boundedKey(long)).toHaveLength(43);
    expect(boundedKey(boundedKey(long))).not.toBe(boundedKey(long));
    expect(boundedKey("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff")).toBe(
      "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
    );
  });
});
