import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { SipEndpointDocument } from "../generated/graphql.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

describe("An endpoint that was not created by the gateway", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(() => gateway.close());

  it.each([
    ["alice", "alice"],
    ["A.b_c-9", "A.b_c-9"],
    ["!~*'()", "!~*'()"],
    ["a/b", "a/b"],
    ["a;b?c", "a;b?c"],
    ["a&b=c+d$e,f", "a&b=c+d$e,f"],
    ["a b", "a%20b"],
    [" ", "%20"],
    ["a@b", "a%40b"],
    ["a:b", "a%3Ab"],
    ["%", "%25"],
    ["100%25", "100%2525"],
    ["a#b", "a%23b"],
    ['a"b', "a%22b"],
    ["a\\b", "a%5Cb"],
    ["<a>", "%3Ca%3E"],
    ["[a]{b}|^`", "%5Ba%5D%7Bb%7D%7C%5E%60"],
    ["jürgen", "j%C3%BCrgen"],
    ["名", "%E5%90%8D"],
    ["😀", "%F0%9F%98%80"],
    ["__proto__", "__proto__"],
    ["constructor", "constructor"],
  ])("is found by its username %j and has the SIP user %s", async (username, user) => {
    await gateway.reset({ endpoints: [{ username }] });
    const { data, errors } = await gateway.execute(SipEndpointDocument, { username });
    expect(errors).toBeUndefined();
    expect(data.sipEndpoint).toMatchObject({ username, sipUri: `sip:${user}@sbc.emulator.example` });
    expect(await gateway.upstreamRequests()).toMatchObject([{ operation: "get_sip", username }]);
  });

  it("has a SIP user of unreserved and escaped characters that decodes to its username, for any username", async () => {
    const names = fc.uniqueArray(fc.string({ unit: "binary", minLength: 1, maxLength: 20 }), {
      minLength: 1,
      maxLength: 40,
    });
    await fc.assert(
      fc.asyncProperty(names, async (usernames) => {
        await gateway.reset({ endpoints: usernames.map((username) => ({ username })) });
        const { data } = await gateway.execute<{
          sipEndpoints: { nodes: { username: string; sipUri: string }[] };
        }>("{ sipEndpoints(first: 40) { nodes { username sipUri } } }");
        expect(data.sipEndpoints.nodes.map(({ username }) => username)).toEqual(usernames);
        for (const { username, sipUri } of data.sipEndpoints.nodes) {
          const [, user = ""] = /^sip:([^@]+)@sbc\.emulator\.example$/.exec(sipUri) ?? [];
          expect(user).toMatch(/^([A-Za-z0-9\-_.!~*'()&=+$,;?/]|%[0-9A-F]{2})+$/);
          expect(decodeURIComponent(user)).toBe(username);
        }
      }),
      { seed: 20, numRuns: 25 },
    );
  });

  it.each([
    ["sbc.example.com", "sip:alice@sbc.example.com"],
    ["sbc.example.com:5061", "sip:alice@sbc.example.com:5061"],
    ["203.0.113.7", "sip:alice@203.0.113.7"],
    ["sip:sbc.example.com", "sip:alice@sbc.example.com"],
    ["sips:sbc.example.com:5061;transport=tls", "sip:alice@sbc.example.com:5061;transport=tls"],
    ["https://sbc.example.com/", "sip:alice@sbc.example.com"],
    ["wss://sbc.example.com:7443/ws?x=1", "sip:alice@sbc.example.com:7443"],
  ])("with the SBC %s has the SIP URI %s", async (connect_URL, sipUri) => {
    await gateway.reset({ endpoints: [{ username: "alice", connect_URL }] });
    const { data } = await gateway.execute(SipEndpointDocument, { username: "alice" });
    expect(data.sipEndpoint).toMatchObject({ connectUrl: connect_URL, sipUri });
  });
});
