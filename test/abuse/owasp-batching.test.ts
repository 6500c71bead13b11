import { afterEach, describe, expect, it } from "@jest/globals";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { limitsOf, post, production, send, times } from "./production.js";

let gateway: TestGateway;
afterEach(() => gateway.close());

async function start(settings: Record<string, string> = {}): Promise<void> {
  gateway = await startGateway({ gateway: { ...production, ...settings } });
}

describe("Batching attacks", () => {
  const change = (password: string) =>
    `updateSipEndpoint(input: { username: "alice", password: "${password}" }) { username: password }`;

  it("many operations in one request are not executed", async () => {
    await start();
    const query = `mutation { ${change("made-up-1")} }`;
    const { status, text } = await send(`${gateway.origin}/graphql`, post(Array(50).fill({ query })));
    expect(status).toBe(422);
    expect(text).not.toContain('"data"');
    expect(await gateway.upstreamRequests()).toEqual([]);
  });

  it.each([
    [
      "with many aliases",
      `{ ${times(65, (index) => `try${index}: ${change(`made-up-${index}`)}`)} }`,
      "MAX_ALIASES",
    ],
    [
      "in fragments",
      `{ ...A } fragment A on Mutation { ${times(65, (index) => `try${index}: ${change(`made-up-${index}`)}`)} }`,
      "MAX_ROOT_FIELDS",
    ],
  ])("many guesses in one operation are not executed: %s", async (_, selection, limit) => {
    await start();
    const { data, errors } = await gateway.execute(`mutation ${selection}`);
    expect(data).toBeUndefined();
    expect(limitsOf(errors)).toContain(limit);
    expect(await gateway.upstreamRequests()).toEqual([]);
  });

  it("each guess in one operation counts towards the rate limit", async () => {
    await start({ RATE_LIMIT_PER_MINUTE: "19" });
    const { status, errors } = await gateway.execute(
      `mutation { ${times(10, (index) => `try${index}: ${change(`made-up-${index}`)}`)} }`,
    );
    expect(status).toBe(422);
    expect(errors?.map(({ extensions }) => extensions.code)).toEqual(["RATE_LIMITED"]);
    expect(await gateway.upstreamRequests()).toEqual([]);
  });
});
