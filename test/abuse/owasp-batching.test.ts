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

  it("many operations in one request do not run", async () => {
    await start();
    const query = `mutation { ${change("made-up-1")} }`;
    const { status, text } = await send(`${gateway.origin}/graphql`, post(Array(50).fill({ query })));
    expect(status).toBe(400);
    expect(text).not.toContain('"data"');
    expect(await gateway.calls()).toEqual([]);
  });

  it.each([
    [
      "under many names",
      `{ ${times(65, (index) => `try${index}: ${change(`made-up-${index}`)}`)} }`,
      "MAX_ALIASES",
    ],
    [
      "in fragments",
      `{ ...A } fragment A on Mutation { ${times(65, (index) => `try${index}: ${change(`made-up-${index}`)}`)} }`,
      "MAX_ROOT_FIELDS",
    ],
  ])("many guesses in one operation do not run: %s", async (_, selection, limit) => {
    await start();
    const { data, errors } = await gateway.ask(`mutation ${selection}`);
    expect(data).toBeUndefined();
    expect(limitsOf(errors)).toContain(limit);
    expect(await gateway.calls()).toEqual([]);
  });

  it("each guess of one operation counts towards the budget", async () => {
    await start({ RATE_LIMIT_PER_MINUTE: "19" });
    const { status, errors } = await gateway.ask(
      `mutation { ${times(10, (index) => `try${index}: ${change(`made-up-${index}`)}`)} }`,
    );
    expect(status).toBe(429);
    expect(errors?.map(({ extensions }) => extensions.code)).toEqual(["RATE_LIMITED"]);
    expect(await gateway.calls()).toEqual([]);
  });
});
