import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { type BrokenGateway, startBrokenGateway } from "../support/gateway/broken-gateway.js";
import { alice, type UpstreamResponse } from "../support/upstream/broken-upstream.js";

let broken: BrokenGateway;
beforeAll(async () => {
  broken = await startBrokenGateway();
});
afterAll(() => broken.close());

const query =
  "query ($username: ID!) { sipEndpoint(username: $username) { username connectUrl sipUri audio video type password } }";
const endpoint = {
  username: "alice",
  connectUrl: "sbc.example.com",
  sipUri: "sip:alice@sbc.example.com",
  audio: true,
  video: false,
  type: "SIP",
  password: "made-up-1",
};

async function read(reply: UpstreamResponse, username = "alice"): Promise<unknown> {
  broken.upstream.respond(reply);
  const { data, errors } = await broken.gateway.execute<{ sipEndpoint: unknown }>(query, { username });
  expect(errors).toBeUndefined();
  expect(broken.upstream.requests).toHaveLength(1);
  return data.sipEndpoint;
}

describe("A response is a success", () => {
  it.each(["cmi-200", "cmi-2000", "200", 200, "2000", 2000])("with the code %j", async (code) => {
    expect(await read({ body: { ...alice, code } })).toEqual(endpoint);
  });

  it.each([200, 201, 202])("with HTTP %i", async (status) => {
    expect(await read({ status, body: alice })).toEqual(endpoint);
  });

  it.each<[string, UpstreamResponse]>([
    ["text/html", { headers: { "content-type": "text/html" } }],
    ["gzip", { headers: { "content-encoding": "gzip" }, body: gzipSync(JSON.stringify(alice)) }],
    ["a byte order mark", { body: `\uFEFF${JSON.stringify(alice)}` }],
    ["unknown fields", { body: { ...alice, sip_port: 5060, list: null } }],
    ["almost 1 MB", { body: JSON.stringify(alice).padEnd(999_999) }],
  ])("also with %s", async (_, reply) => {
    expect(await read(reply)).toEqual(endpoint);
  });
});

describe("A field", () => {
  it.each([
    [true, true],
    ["true", true],
    [1, true],
    [false, false],
    ["false", false],
    [0, false],
  ])("that is a boolean may be %j", async (written, meant) => {
    const body = { ...alice, audio: written, video: written };
    expect(await read({ body })).toMatchObject({ audio: meant, video: meant });
  });

  it.each([
    ["sip", "SIP"],
    ["Pstn", "PSTN"],
  ])("that is the type may be %s", async (written, meant) => {
    expect(await read({ body: { ...alice, type: written } })).toMatchObject({ type: meant });
  });

  it.each([
    ["sbc.example.com", "sip:alice@sbc.example.com"],
    ["sbc.example.com:5061", "sip:alice@sbc.example.com:5061"],
    ["https://sbc.example.com/", "sip:alice@sbc.example.com"],
    ["wss://sbc.example.com:8443/ws?x=1", "sip:alice@sbc.example.com:8443"],
    ["sip:sbc.example.com;transport=tls", "sip:alice@sbc.example.com;transport=tls"],
    ["127.0.0.1:5070;lr;transport=udp;x=1", "sip:alice@127.0.0.1:5070;transport=udp"],
    ["sbc.example.com/path;transport=udp", "sip:alice@sbc.example.com"],
    ["SIPS:sbc.example.com", "sip:alice@sbc.example.com"],
    ["[2001:db8::1]:5060", "sip:alice@[2001:db8::1]:5060"],
  ])("that is the SBC is returned as %s, and sipUri is %s", async (connect_URL, sipUri) => {
    expect(await read({ body: { ...alice, connect_URL } })).toMatchObject({
      connectUrl: connect_URL,
      sipUri,
    });
  });

  it.each([
    ["al.ice_1-2", "al.ice_1-2"],
    ["al ice", "al%20ice"],
    ["al@ice", "al%40ice"],
    ['a"<>%b', "a%22%3C%3E%25b"],
    ["आलिया", "%E0%A4%86%E0%A4%B2%E0%A4%BF%E0%A4%AF%E0%A4%BE"],
  ])("that is the username %s is escaped in sipUri", async (username, user) => {
    expect(await read({ body: { ...alice, username } }, username)).toMatchObject({
      username,
      sipUri: `sip:${user}@sbc.example.com`,
    });
  });
});
