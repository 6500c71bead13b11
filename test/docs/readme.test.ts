import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { promisify } from "node:util";
import { describe, expect, it } from "@jest/globals";
import { startGateway } from "../support/gateway/test-gateway.js";

const readme = readFileSync("README.md", "utf8");
const source = (path: string) => readFileSync(`src/${path}`, "utf8");

describe("The README", () => {
  const examples = [...readme.matchAll(/```graphql\n(.*?)```\n\n```json\n(.*?)```/gs)];

  it.each(
    examples.map(([, query = "", response = ""]) => [query.trim().split("\n")[1]?.trim(), query, response]),
  )("tells the true answer to %s", async (_title, query = "", response = "") => {
    const gateway = await startGateway();
    const { data, errors } = await gateway.execute(query);
    await gateway.close();
    expect({ data, errors }).toEqual(JSON.parse(response));
  });

  it("shows a first query for the terminal, with the response that it gets", async () => {
    const [, command = "", output] = /```sh\n(curl .*?)```\n\n```json\n(.*?)\n```/s.exec(readme) ?? [];
    expect(command).toContain("http://127.0.0.1:4000/graphql");
    const gateway = await startGateway();
    const { stdout } = await promisify(execFile)("sh", [
      "-c",
      command.replace("http://127.0.0.1:4000", gateway.origin),
    ]);
    await gateway.close();
    expect(stdout.trim()).toBe(output);
  });

  it("names files that exist, and so does SECURITY.md", () => {
    const text = readme + readFileSync("SECURITY.md", "utf8");
    const paths = text.match(/\b(src|test|schema)\/[\w./-]*[\w-](?!\*)/g) ?? [];
    expect(paths).toContain("src/piopiy/transport.ts");
    expect(paths.filter((path) => !existsSync(path))).toEqual([]);
  });

  it("tells all variables that the gateway and the emulator read, and so does .env.example", () => {
    const read = (path: string) =>
      [...source(path).matchAll(/\b(?:read|text)\(\s*"([A-Z_]+)"|EMULATOR_[A-Z_]+/g)].map(
        (match) => match[1] ?? match[0],
      );
    const gateway = read("config.ts");
    expect(gateway).toEqual(expect.arrayContaining(["PIOPIY_SECRET", "MAX_COST", "JWT_ISSUER"]));
    const reported = new Set(readme.match(/`[A-Z][A-Z_]+`/g));
    const undocumented = [...gateway, ...read("emulator/settings.ts")].filter(
      (name) => !reported.has(`\`${name}\``),
    );
    expect(undocumented).toEqual([]);
    const example = readFileSync(".env.example", "utf8");
    expect(gateway.filter((name) => !new RegExp(`^(# )?${name}=`, "m").test(example))).toEqual([]);
  });

  it("tells all error codes, and which of them are retryable", () => {
    const codes = [...source("errors.ts").matchAll(/^ {2}([A-Z_]+): (true|false),$/gm)];
    const rows = [...readme.matchAll(/^\| (`[A-Z_`, ]+`) \|.*\| (yes|no) \|$/gm)];
    const reported = rows.flatMap(([, names = "", retryable]) =>
      names
        .replaceAll("`", "")
        .split(", ")
        .map((name) => [name, retryable]),
    );
    expect(Object.fromEntries(reported)).toEqual(
      Object.fromEntries(
        codes.map(([, name = "", retryable]) => [name, retryable === "true" ? "yes" : "no"]),
      ),
    );
  });
});
