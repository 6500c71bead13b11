import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "@jest/globals";
import { removeProjects } from "./client-project.js";
import { compileRelay } from "./relay-compiler.js";

/** Compiles documents of a module, and returns its artifacts by name. */
async function compile(...documents: string[]) {
  const text = documents.map((document) => `graphql\`${document}\`;\n`).join("");
  const artifacts = await compileRelay("module.js", text);
  return (name: string) => readFileSync(join(artifacts, `${name}.graphql.js`), "utf8");
}

afterAll(removeProjects);

describe("The Relay compiler, with schema/schema.graphql as it is,", () => {
  it("compiles a connection", async () => {
    const artifact = await compile(`query moduleQuery($count: Int, $cursor: String) {
      sipEndpoints(first: $count, after: $cursor) @connection(key: "module_sipEndpoints") {
        totalCount
        edges { node { username } }
      }
    }`);
    expect(artifact("moduleQuery")).toContain('"kind": "LinkedHandle"');
    expect(artifact("moduleQuery")).toMatch(/pageInfo \{\\n\s+endCursor\\n\s+hasNextPage/);
  });

  it("compiles a @refetchable fragment into a query of `node`", async () => {
    const artifact = await compile(
      'fragment module_row on SipEndpoint @refetchable(queryName: "moduleRefetchQuery") { username sipUri }',
    );
    expect(artifact("moduleRefetchQuery")).toContain("node(id: $id)");
    expect(artifact("moduleRefetchQuery")).toContain("...module_row");
  });

  it("compiles a @refetchable fragment with a connection into a query for its next pages", async () => {
    const artifact = await compile(`
      fragment module_list on Query
      @argumentDefinitions(count: { type: "Int", defaultValue: 10 }, cursor: { type: "String" })
      @refetchable(queryName: "moduleNextPageQuery") {
        sipEndpoints(first: $count, after: $cursor) @connection(key: "module_list_sipEndpoints") {
          edges { node { username } }
        }
      }
    `);
    expect(artifact("moduleNextPageQuery")).toMatch(/sipEndpoints\(first: \$count, after: \$cursor\)/);
  });

  it("compiles mutations with @deleteRecord, @deleteEdge and @appendNode", async () => {
    const artifact = await compile(
      `mutation moduleRemoveMutation($input: RemoveSipEndpointInput!, $connections: [ID!]!) {
        removeSipEndpoint(input: $input) {
          removedId @deleteEdge(connections: $connections)
          deletedId: removedId @deleteRecord
        }
      }`,
      `mutation moduleCreateMutation($input: CreateSipEndpointInput!, $connections: [ID!]!) {
        createSipEndpoint(input: $input) {
          sipEndpoint @appendNode(connections: $connections, edgeTypeName: "SipEndpointEdge") { username }
        }
      }`,
    );
    expect(artifact("moduleRemoveMutation")).toContain('"handle": "deleteRecord"');
    expect(artifact("moduleRemoveMutation")).toContain('"handle": "deleteEdge"');
    expect(artifact("moduleCreateMutation")).toContain('"handle": "appendNode"');
  });

  it("reports a field that the schema does not have", async () => {
    await expect(compile("query moduleQuery { nope }")).rejects.toMatchObject({
      stderr: expect.stringContaining("nope"),
    });
  });
});
