import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import {
  CreateSipEndpointDocument,
  SipEndpointDocument,
  UpdateSipEndpointDocument,
} from "../generated/graphql.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

describe("A password", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(() => gateway.close());
  beforeEach(() => gateway.reset({ endpoints: [{ username: "alice" }] }));

  it.each([
    "x",
    "made up",
    "made\u00a0up",
    "mäde-üp",
    '"made\\up"',
    "🔑",
    "x".repeat(128),
    "🔑".repeat(128),
  ])("may be %j", async (password) => {
    const created = await gateway.ask(CreateSipEndpointDocument, { input: { username: "erin", password } });
    const updated = await gateway.ask(UpdateSipEndpointDocument, { input: { username: "alice", password } });
    expect(created.data.createSipEndpoint).toMatchObject({ password, userErrors: [] });
    expect(updated.data.updateSipEndpoint).toMatchObject({ password, userErrors: [] });
    for (const username of ["erin", "alice"]) {
      const { data } = await gateway.ask(SipEndpointDocument, { username });
      expect(data.sipEndpoint?.password).toBe(password);
    }
  });

  it.each([
    "",
    " ",
    " made-up",
    "made-up ",
    "\u00a0made-up",
    "made-up\u3000",
    "made\tup",
    "made-up\n",
    "made\u0000up",
    "made\u007fup",
    "made\u0085up",
    "x".repeat(129),
    "🔑".repeat(129),
  ])("may not be %j", async (password) => {
    const created = await gateway.ask(CreateSipEndpointDocument, { input: { username: "erin", password } });
    const updated = await gateway.ask(UpdateSipEndpointDocument, { input: { username: "alice", password } });
    const refusal = { password: null, userErrors: [{ code: "INVALID_PASSWORD", path: ["password"] }] };
    expect(created.data.createSipEndpoint).toMatchObject(refusal);
    expect(updated.data.updateSipEndpoint).toMatchObject(refusal);
    expect(await gateway.calls()).toEqual([]);
  });
});
