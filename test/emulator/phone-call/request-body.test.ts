import { afterEach, describe, expect, it } from "@jest/globals";
import { answerDocument, closeAnswerServers } from "../../support/emulator/answer-server.js";
import { closeEmulators, startClient } from "../../support/emulator/emulator-client.js";

afterEach(async () => {
  await closeEmulators();
  await closeAnswerServers();
});

describe("a request to simulate a call", () => {
  it.each([
    [{ to: undefined }, "to: expected a phone number"],
    [{ to: "914471000000" }, 'as a JSON number, such as 914471000000, got "914471000000"'],
    [{ from: 0 }, "from: expected a phone number"],
    [{ from: 1.5 }, "got 1.5"],
    [{ from: 1_000_000_000_000_000 }, "of up to 15 digits"],
    [{ answerUrl: undefined }, "answerUrl: expected a URL with the scheme http or https"],
    [{ answerUrl: "ftp://app.example/" }, 'got "ftp://app.example/"'],
    [{ answerUrl: "/answer" }, "answerUrl"],
    [{ answerUrl: "http://me:secret@app.example/" }, "without user and password"],
    [{ webhook: "xml" }, 'webhook: expected "strings" or "numbers" or "form", got "xml"'],
    [{ behaviours: [] }, "behaviours"],
    [{ behaviours: { alice: "asleep" } }, '(seconds; "hangsUpAfter" is optional), got "asleep"'],
    [{ behaviours: { alice: {} } }, 'behaviours.alice: expected "busy"'],
    [
      { behaviours: { alice: { answersAfter: -1 } } },
      "behaviours.alice.answersAfter: expected a whole number of seconds",
    ],
    [{ behaviours: { alice: { answersAfter: 1, hangsUpAfter: 0 } } }, "behaviours.alice.hangsUpAfter"],
    [{ behaviours: { alice: { answersAfter: 1, says: "hello" } } }, "says"],
    [{ real: "yes" }, 'real: expected true or false, got "yes"'],
    [{ real: true, behaviours: { alice: "busy" } }, "behaviours: expected no behaviours with real"],
    [{ wait: false }, "wait: expected true without real"],
    [{ colour: "red" }, "colour"],
  ])("is rejected with %j, and the answer URL is not requested", async (mistake, hint) => {
    const client = await startClient();
    const { url, requests } = await answerDocument([{ action: "hangup" }]);
    const { status, body } = await client.dial(url, mistake);
    expect(status).toBe(400);
    expect(body).toEqual({ error: expect.stringContaining(hint) });
    expect(requests).toEqual([]);
  });

  it("is rejected with all its problems together", async () => {
    const client = await startClient();
    const mistakes = { to: "1", webhook: "xml", behaviours: { alice: 3, bob: "asleep" }, colour: "red" };
    const { body } = await client.dial("nowhere", mistakes);
    for (const name of ["to", "answerUrl", "webhook", "behaviours.alice", "behaviours.bob", "colour"]) {
      expect(body.error).toContain(name);
    }
  });

  it("must be JSON", async () => {
    const client = await startClient();
    const { status, text } = await client.send("POST", "/_emulator/call", "{");
    expect([status, text]).toEqual([400, '{"error":"The body must be JSON, or empty."}']);
  });
});
