import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { buildSchema, getNamedType, isObjectType } from "graphql";
import { newProject, removeProjects } from "../clients/client-project.js";
import { compileRelay } from "../clients/relay-compiler.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { killPrograms, startProgram } from "../support/program.js";

const page = readFileSync("docs/clients.md", "utf8");
const examples = page.matchAll(
  /^## ([^\n]+)\n(?:(?!^## ).)*?^```js\n(.*?)^```\n\nIt prints:\n\n```text\n(.*?)^```/gms,
);
const programs = Array.from(examples, ([, client = "", text = "", output = ""]) => ({
  client,
  text,
  output,
}));

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(async () => {
  removeProjects();
  await gateway.close();
});
beforeEach(() => gateway.reset());
afterEach(killPrograms);

/** Saves an example as a file, and returns the path. Relay's example is compiled first. */
async function save(text: string): Promise<string> {
  const example = text.replace("http://127.0.0.1:4000", gateway.origin);
  if (!text.includes("relay-runtime")) {
    const path = join(newProject(), "endpoints.mjs");
    writeFileSync(path, example);
    return path;
  }
  const path = join(await compileRelay("endpoints.js", example), "endpoints.js");
  // Relay's plugins for bundlers also replace each document by an import of its artifact.
  const names: string[] = [];
  const replaced = example.replace(/graphql`\s*\w+ (\w+)[^`]*`/g, (_document, name) => {
    names.push(name);
    return name;
  });
  const imports = names.map((name) => `import ${name} from "./${name}.graphql.js";\n`);
  writeFileSync(path, imports.join("") + replaced);
  return path;
}

/** Executes an example until it ends, as in development, in which the clients print warnings. */
async function execute(text: string) {
  const program = startProgram([process.execPath, "--conditions=development", await save(text)], {
    PATH: process.env.PATH ?? "",
  });
  return { end: await program.end, ...program.output };
}

/** Returns what an example prints. It must end without an error. */
async function run(text: string) {
  const { end, stderr, stdout } = await execute(text);
  expect({ end, stderr }).toEqual({ end: 0, stderr: "" });
  return stdout;
}

describe("docs/clients.md", () => {
  it("has an example for each client", () => {
    expect(programs.map(({ client }) => client)).toEqual(["fetch", "Apollo Client", "urql", "Relay"]);
  });

  it("lists every type for which urql's cache finds no key in a query", () => {
    const schema = buildSchema(readFileSync("schema/schema.graphql", "utf8"));
    const found = new Set<string>();
    const search = (name: string) => {
      const type = schema.getType(name);
      if (!isObjectType(type) || found.has(name)) return;
      found.add(name);
      for (const field of Object.values(type.getFields())) search(getNamedType(field.type).name);
    };
    search("Query");
    const keyless = [...found].filter(
      (name) => !/^Query$|PageInfo|(Connection|Edge)$/.test(name) && !("id" in fieldsOf(schema, name)),
    );
    const listed = Array.from(page.matchAll(/^ +(\w+): \(\) => null,$/gm), ([, name]) => name);
    expect(listed).toEqual(keyless.sort());
  });
});

describe.each(programs)("The example for $client", ({ text, output }) => {
  it("prints what the page shows", async () => {
    expect(await run(text)).toBe(output);
  });

  it("ends with the message of the error if the creation fails", async () => {
    await gateway.addFault({ operation: "add_sip", kind: "status", status: 400 });
    const { end, stderr } = await execute(text);
    expect(end).toBe(1);
    expect(stderr).toContain("PIOPIY rejected add_sip with code 400");
    expect(stderr).not.toContain("TypeError");
  });

  it("prints the same if PIOPIY is down for a moment", async () => {
    await gateway.addFault({ operation: "list_sip", kind: "status", times: 3 });
    const before = gateway.log.length;
    expect(await run(text)).toBe(output);
    expect(gateway.log.slice(before).some((entry) => entry.includes("UPSTREAM_UNAVAILABLE"))).toBe(true);
  });
});

function fieldsOf(schema: ReturnType<typeof buildSchema>, name: string) {
  const type = schema.getType(name);
  return isObjectType(type) ? type.getFields() : {};
}
