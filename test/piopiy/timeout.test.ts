import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import {
  type BrokenGateway,
  fail,
  operations,
  startBrokenGateway,
} from "../support/gateway/broken-gateway.js";
import { until } from "../support/until.js";

const timeout = { code: "UPSTREAM_TIMEOUT", retryable: true };

describe("An upstream that is too slow", () => {
  let broken: BrokenGateway;
  beforeEach(async () => {
    broken = await startBrokenGateway({ PIOPIY_TIMEOUT_MS: "1000" });
    broken.upstream.respond({});
    await broken.gateway.execute(operations.list_sip);
  });
  afterEach(() => broken.close());

  it("causes UPSTREAM_TIMEOUT for a read after three attempts", async () => {
    broken.upstream.respond(() => {});
    expect(await fail(broken, "get_sip")).toEqual({ ...timeout, attempts: 3 });
  });

  it("causes the same when it stops after the headers, or within the body", async () => {
    broken.upstream.respond((response) => response.writeHead(200).flushHeaders());
    expect(await fail(broken, "get_sip")).toEqual({ ...timeout, attempts: 3 });
    broken.upstream.respond((response) => response.write('{"code":'));
    expect(await fail(broken, "get_sip")).toEqual({ ...timeout, attempts: 3 });
  });

  it("causes the same when it sends single bytes slowly", async () => {
    broken.upstream.respond((response) => {
      const drip = setInterval(() => response.write(" "), 10);
      response.once("close", () => clearInterval(drip));
    });
    expect(await fail(broken, "get_sip")).toEqual({ ...timeout, attempts: 3 });
  });

  it("causes no error when it is fast at the next attempt", async () => {
    broken.upstream.respond(() => {}, {});
    const { data } = await broken.gateway.execute(operations.get_sip);
    expect(data).toMatchObject({ sipEndpoint: { username: "alice" } });
    expect(broken.upstream.requests).toHaveLength(2);
  });

  it("leaves no connection open", async () => {
    broken.upstream.respond(() => {});
    await fail(broken, "get_sip");
    await until(() => broken.upstream.connections.open === 0);
  });
});

describe("The deadline of an operation", () => {
  let broken: BrokenGateway;
  beforeAll(async () => {
    broken = await startBrokenGateway({ PIOPIY_DEADLINE_MS: "1000", PIOPIY_MAX_CONCURRENCY: "1" });
    // The first operations take longer than later ones: code is loaded and compiled, and a connection is opened.
    broken.upstream.respond({});
    for (const operation of ["get_sip", "add_sip"] as const)
      await broken.gateway.execute(operations[operation]);
  });
  afterAll(() => broken.close());
  beforeEach(() => broken.upstream.respond(() => {}));

  it("ends a read in its first attempt", async () => {
    expect(await fail(broken, "get_sip")).toEqual({ ...timeout, attempts: 1 });
  });

  it("ends a write with OUTCOME_UNKNOWN", async () => {
    expect(await fail(broken, "add_sip")).toEqual({ code: "OUTCOME_UNKNOWN", retryable: true, attempts: 1 });
  });

  it("ends queued requests, which are not sent", async () => {
    const { errors } = await broken.gateway.execute(
      '{ a: sipEndpoint(username: "a") { type } b: sipEndpoint(username: "b") { type } c: sipEndpoint(username: "c") { type } }',
    );
    expect(errors?.map(({ extensions }) => extensions.code)).toEqual(Array(3).fill("UPSTREAM_TIMEOUT"));
    const waited = errors?.filter(({ message }) => message.startsWith("The deadline of this operation"));
    expect(waited?.map(({ path }) => path)).toEqual([["b"], ["c"]]);
    expect(broken.upstream.requests).toHaveLength(1);
  });

  it("leaves the gateway able to serve the next operation", async () => {
    await fail(broken, "get_sip");
    broken.upstream.respond({});
    expect(await broken.gateway.execute(operations.get_sip)).toMatchObject({
      data: { sipEndpoint: { username: "alice" } },
    });
  });
});
