import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { freePort } from "../support/redis.js";

let gateway: TestGateway;
beforeEach(async () => {
  const port = await freePort();
  const settings = {
    PORT: String(port),
    PUBLIC_URL: `http://127.0.0.1:${port}`,
    ANSWER_URL_SECRET: "made-up-secret-of-an-answer-url-that-is-long",
  };
  gateway = await startGateway({ gateway: settings });
});
afterEach(() => gateway.close());

interface Connected {
  connectAction: { answerUrl: string; userErrors: unknown[] };
}

const create =
  "mutation ($i: CreateSipEndpointInput!) { createSipEndpoint(input: $i) { userErrors { code } } }";
const connect = readFileSync("schema/operations/09-answer-url.graphql", "utf8");

/** Creates endpoints and returns the answer URL of a call to them. */
async function answerUrlOf(users: string[], more: Record<string, unknown>): Promise<string> {
  for (const username of users) await gateway.execute(create, { i: { username } });
  const input = { call: users.map((user) => ({ user })), ...more };
  const { data } = await gateway.execute<Connected>(connect, { input });
  expect(data.connectAction.userErrors).toEqual([]);
  return data.connectAction.answerUrl;
}

describe("Two new endpoints", () => {
  it("ring together; one answers, the other stops ringing, and the call ends after `duration`", async () => {
    const answerUrl = await answerUrlOf(["erin", "frank"], { ringType: "GROUP", timeout: 20, duration: 600 });
    const behaviours = { erin: { answersAfter: 3 }, frank: "never" };
    expect(await gateway.dial({ to: 914471000000, from: 919999900000, answerUrl, behaviours })).toMatchObject(
      {
        timeline: [
          { at: 0, event: "rings", endpoint: "erin" },
          { at: 0, event: "rings", endpoint: "frank" },
          { at: 3, event: "answers", endpoint: "erin" },
          { at: 3, event: "stops ringing", endpoint: "frank" },
          { at: 603, event: "ends", reason: "duration" },
        ],
        endedAt: 603,
        reason: "duration",
      },
    );
  });

  it("ring one after another, and the call ends when none answers", async () => {
    const answerUrl = await answerUrlOf(["erin", "frank"], { ringType: "SINGLE", timeout: 20 });
    expect(await gateway.dial({ to: 914471000000, from: 919999900000, answerUrl })).toMatchObject({
      timeline: [
        { at: 0, event: "rings", endpoint: "erin" },
        { at: 20, event: "stops ringing", endpoint: "erin" },
        { at: 20, event: "rings", endpoint: "frank" },
        { at: 40, event: "stops ringing", endpoint: "frank" },
        { at: 40, event: "nobody answers" },
        { at: 40, event: "ends", reason: "end of document" },
      ],
    });
  });

  it("do not ring when the answer URL is altered", async () => {
    const answerUrl = await answerUrlOf(["erin", "frank"], { ringType: "GROUP" });
    const call = { to: 914471000000, from: 919999900000, answerUrl: `${answerUrl}x` };
    expect(await gateway.dial(call)).toMatchObject({ reasons: [expect.stringContaining("404")] });
  });
});
