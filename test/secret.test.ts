import { inspect } from "node:util";
import { describe, expect, it } from "@jest/globals";
import { GraphQLObjectType, GraphQLSchema, GraphQLString, graphqlSync } from "graphql";
import { pino } from "pino";
import { Secret } from "../src/secret.js";
import { startGateway } from "./support/gateway/test-gateway.js";

const text = "made-up-password";
const secret = new Secret(text);

/** Returns the log after an object was logged. */
function logged(object: object): string {
  const lines: string[] = [];
  pino({ level: "trace" }, { write: (line: string) => lines.push(line) }).info(object, `about ${secret}`);
  return lines.join();
}

/** Returns the response of a GraphQL field of type String whose resolver returns this value. */
function serialized(value: unknown): string {
  const query = new GraphQLObjectType({
    name: "Query",
    fields: { field: { type: GraphQLString, resolve: () => value } },
  });
  return JSON.stringify(graphqlSync({ schema: new GraphQLSchema({ query }), source: "{ field }" }));
}

describe("A secret", () => {
  it.each<[string, string]>([
    ["JSON", JSON.stringify({ secret, more: [secret] })],
    ["a template string", `${secret}`],
    ["a concatenation", `a${String(secret)}${[secret].join()}`],
    ["a number", String(Number(secret))],
    ["util.inspect", inspect({ secret }, { depth: 9, showHidden: true, getters: true })],
    ["an error", inspect(new Error(`bad ${secret}`, { cause: secret }), { showHidden: true })],
    ["its properties", JSON.stringify([Object.getOwnPropertyDescriptors(secret), { ...secret }])],
    ["pino", logged({ secret, err: Object.assign(new Error("bad"), { secret }) })],
    ["a GraphQL field", serialized(secret)],
    ["a GraphQL error", serialized([secret])],
  ])("is not shown by %s", (_, print) => {
    expect(print).not.toContain(text);
    expect(print).toMatch(/\*\*\*|NaN|\{\}|cannot represent/);
  });

  it("returns its text only by reveal()", () => {
    expect(secret.reveal()).toBe(text);
    expect([secret.equals(new Secret(text)), secret.equals(new Secret("***"))]).toEqual([true, false]);
  });

  it("is plain text in the password fields of a response, generated or given", async () => {
    const gateway = await startGateway();
    try {
      const fields = "{ password sipEndpoint { password } }";
      const { data } = await gateway.execute<Record<string, { password: string; sipEndpoint: unknown }>>(
        `mutation {
          given: createSipEndpoint(input: { username: "a", password: "${text}" }) ${fields}
          generated: createSipEndpoint(input: { username: "b" }) ${fields}
          rotated: rotateSipEndpointPassword(input: { username: "a" }) ${fields}
        }`,
      );
      expect(data.given).toEqual({ password: text, sipEndpoint: { password: text } });
      for (const name of ["generated", "rotated"]) {
        const { password, sipEndpoint } = data[name] ?? {};
        expect(password).toMatch(/^\w{22}$/);
        expect(sipEndpoint).toEqual({ password });
      }
      const read = await gateway.execute('{ sipEndpoint(username: "b") { password } }');
      expect(read.data).toEqual({ sipEndpoint: { password: data.generated?.password } });
      expect(gateway.log.join()).not.toContain(text);
    } finally {
      await gateway.close();
    }
  });
});
