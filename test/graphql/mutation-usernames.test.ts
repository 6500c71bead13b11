import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import {
  CreateSipEndpointDocument,
  RemoveSipEndpointDocument,
  SipEndpointDocument,
  UpdateSipEndpointDocument,
} from "../generated/graphql.js";
import { idOf } from "../support/gateway/ids.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());

describe("The username of a new endpoint", () => {
  beforeEach(() => gateway.reset({ count: 0 }));

  it.each([
    "a",
    "Z",
    "7",
    "1001",
    "alice",
    "Alice.B_c-9",
    "a.",
    "a..b",
    "a-",
    "constructor",
    "a".repeat(64),
  ])("may be %j", async (username) => {
    const { data, errors } = await gateway.execute(CreateSipEndpointDocument, { input: { username } });
    expect(errors).toBeUndefined();
    expect(data.createSipEndpoint).toMatchObject({ sipEndpoint: { username }, userErrors: [] });
    const read = await gateway.execute(SipEndpointDocument, { username });
    expect(read.data.sipEndpoint?.username).toBe(username);
  });

  it.each([
    "",
    " ",
    ".alice",
    "_alice",
    "-alice",
    " alice",
    "alice ",
    "alice\n",
    "al ice",
    "al\u0000ice",
    "alice@example.com",
    "a/b",
    "a+b",
    "a%20b",
    "jürgen",
    "аlice",
    "名",
    "😀",
    "a\u0301",
    "a".repeat(65),
    "a".repeat(10_000),
  ])("may not be %j", async (username) => {
    const { data, errors } = await gateway.execute(CreateSipEndpointDocument, { input: { username } });
    expect(errors).toBeUndefined();
    expect(data.createSipEndpoint).toMatchObject({
      sipEndpoint: null,
      password: null,
      userErrors: [{ code: "INVALID_USERNAME", path: ["username"] }],
    });
    expect(await gateway.upstreamRequests()).toEqual([]);
  });
});

describe("The username of an existing endpoint", () => {
  it.each([
    "a@b",
    "a/b",
    ".",
    "-x",
    "jürgen",
    "名",
    "😀",
    "%20",
    " ",
    "a b",
    " a",
    "a ",
    "a\u00a0b",
    "a\u3000b",
    "a\u200bb",
    "__proto__",
    "x".repeat(256),
    "名".repeat(85),
  ])("may be %j, if it was not created by the gateway", async (username) => {
    await gateway.reset({ endpoints: [{ username }] });
    const updated = await gateway.execute(UpdateSipEndpointDocument, {
      input: { username, password: "made-up-2" },
    });
    expect(updated.data.updateSipEndpoint).toMatchObject({
      sipEndpoint: { username },
      password: "made-up-2",
      userErrors: [],
    });
    const removed = await gateway.execute(RemoveSipEndpointDocument, { input: { username } });
    expect(removed.data).toEqual({
      removeSipEndpoint: { removedId: idOf(username), username, userErrors: [] },
    });
  });

  it.each([
    "",
    "a\tb",
    "a\n",
    "a\u0000",
    "\u007f",
    "\u0085",
    "x".repeat(257),
    "名".repeat(86),
    "x".repeat(90_000),
  ])("may not be %j", async (username) => {
    await gateway.reset();
    const updated = await gateway.execute(UpdateSipEndpointDocument, {
      input: { username, password: "made-up-1" },
    });
    const removed = await gateway.execute(RemoveSipEndpointDocument, { input: { username } });
    const userErrors = [{ code: "INVALID_USERNAME", path: ["username"] }];
    expect(updated.data.updateSipEndpoint).toMatchObject({ sipEndpoint: null, password: null, userErrors });
    expect(removed.data.removeSipEndpoint).toMatchObject({ username: null, userErrors });
    expect(await gateway.upstreamRequests()).toEqual([]);
  });
});
