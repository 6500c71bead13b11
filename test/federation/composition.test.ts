import { readFileSync } from "node:fs";
import { composeServices } from "@apollo/composition";
import { ApolloGateway } from "@apollo/gateway";
import { describe, expect, it } from "@jest/globals";
import { composeServices as composeByGuild } from "@theguild/federation-composition";
import { type ASTNode, buildSchema, parse, print } from "graphql";
import { compose, subgraphs } from "./supergraph.js";

const schemas = ["schema/subgraph.graphql", "schema/subgraph.without-security.graphql"];
const parts = (schema: string) => subgraphs("http://gateway.example", "http://employees.example", schema);
/** Returns only the messages: errors and hints contain whole schemas. */
const messages = (findings: readonly { message: string }[] = []) => findings.map(({ message }) => message);

describe.each(schemas)("%s", (schema) => {
  it("composes with another subgraph without errors or hints, with Apollo's composition", () => {
    const { errors, hints, supergraphSdl } = composeServices(parts(schema));
    expect(messages(errors)).toEqual([]);
    expect(messages(hints)).toEqual([]);
    expect(supergraphSdl).toContain("employee: Employee");
  });

  it("composes with another subgraph without errors, with The Guild's composition", () => {
    const { errors, supergraphSdl } = composeByGuild(parts(schema));
    expect(messages(errors)).toEqual([]);
    expect(supergraphSdl).toContain("employee: Employee");
  });

  it("composes alone", () => {
    expect(messages(composeServices(parts(schema).slice(0, 1)).errors)).toEqual([]);
  });

  it("composes with another subgraph that has its own UserError, PhoneNumber and Node, and PageInfo", () => {
    const typeDefs = parse(`
      extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@shareable"])
      type Query { orders: OrderConnection! call(to: PhoneNumber): PCMO }
      type OrderConnection { pageInfo: PageInfo! userErrors: [UserError!]! }
      type PageInfo @shareable { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String }
      type UserError { code: String! field: Int }
      interface Node { key: Int }
      scalar PhoneNumber
      scalar PCMO
    `);
    const { errors } = composeServices([
      ...parts(schema),
      { name: "orders", url: "http://orders.example", typeDefs },
    ]);
    expect(messages(errors)).toEqual([]);
  });
});

describe("schema/subgraph.graphql", () => {
  it("states the scope of each root field and of the password in the supergraph", () => {
    const supergraph = buildSchema(compose(parts("schema/subgraph.graphql")), { assumeValidSDL: true });
    const scopeOf = (type: string, field: string) => {
      const definition = supergraph.getType(type)?.toConfig() as {
        fields?: Record<string, { astNode?: unknown }>;
      };
      return /\["(sip:\w+)"\]/.exec(print(definition.fields?.[field]?.astNode as ASTNode))?.[1];
    };
    const queries = ["sipEndpoint", "sipEndpoints", "connectAction"].map((field) => scopeOf("Query", field));
    const mutations = ["create", "update", "remove"].map((verb) => scopeOf("Mutation", `${verb}SipEndpoint`));
    expect(queries).toEqual(Array(3).fill("sip:read"));
    expect(mutations).toEqual(Array(3).fill("sip:write"));
    expect(scopeOf("SipEndpoint", "password")).toBe("sip:password");
    expect(scopeOf("SipEndpoint", "sipUri")).toBeUndefined();
  });

  it("is rejected by Apollo Gateway because of its security directives", async () => {
    const gateway = new ApolloGateway({ supergraphSdl: compose(parts("schema/subgraph.graphql")) });
    await expect(gateway.load()).rejects.toThrow(/SECURITY/);
  });
});

describe("schema/supergraph.graphql", () => {
  it("equals the composition of schema/supergraph.yaml (if not, run: npm run schema)", () => {
    const config = readFileSync("schema/supergraph.yaml", "utf8");
    const [piopiy = "", employees = ""] = Array.from(config.matchAll(/routing_url: (.*)/g), ([, url]) => url);
    const files = Array.from(config.matchAll(/file: (.*)/g), ([, file]) => file);
    expect(files).toEqual(["./subgraph.graphql", "../test/support/employees/schema.graphql"]);
    expect(readFileSync("schema/supergraph.graphql", "utf8")).toBe(compose(subgraphs(piopiy, employees)));
  });
});
