import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { parse } from "yaml";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { freePort } from "../support/redis.js";

const run = promisify(execFile);
// The upgrade page shows queries without responses: see upgrade.test.ts.
const docs = readdirSync("docs").filter((name) => name.endsWith(".md") && !name.startsWith("upgrade"));
const pages = ["README.md", "SECURITY.md", ...docs.map((name) => `docs/${name}`)];

/** A fenced block of a page, without the indentation of a list. */
interface Block {
  readonly language: string;
  readonly text: string;
}

function blocksOf(page: string): Block[] {
  const fences = readFileSync(page, "utf8").matchAll(/^( *)```(\w*)\n(.*?)^\1```$/gms);
  return [...fences].map(([, indentation = "", language = "", text = ""]) => ({
    language,
    text: text.replaceAll(new RegExp(`^${indentation}`, "gm"), ""),
  }));
}

/** Parses the response that a page shows. An ellipsis in it matches any value. */
function expected(json: string): unknown {
  // The pages show the address of an emulator with a SIP port.
  const text = json.replaceAll("127.0.0.1:5070;transport=udp", "sbc.emulator.example");
  return JSON.parse(text, (_key, value) => (value === "…" ? expect.anything() : value));
}

const commands = pages.flatMap((page) =>
  blocksOf(page)
    .filter(({ language, text }) => language === "sh" && !text.startsWith("curl"))
    .flatMap(({ text }) =>
      text
        .trim()
        .replaceAll(/\\\n */g, "")
        .split("\n"),
    )
    .map((command) => [page, command] as const),
);

const isExample = ({ language, text }: Block) =>
  language === "graphql" || (language === "sh" && text.startsWith("curl"));

let gateway: TestGateway;
beforeAll(async () => {
  const port = await freePort();
  gateway = await startGateway({
    gateway: {
      PORT: String(port),
      PUBLIC_URL: `http://127.0.0.1:${port}`,
      ANSWER_URL_SECRET: "made-up-secret-of-an-answer-url-that-is-long",
      TRUSTED_DOCUMENTS: "log",
      TRUSTED_DOCUMENTS_FILE: "schema/persisted-documents.json",
    },
  });
});
afterAll(() => gateway.close());

/** Runs a command in a shell. The addresses on the pages are replaced by those of this test. */
async function curl(command: string, answerUrl: string): Promise<string> {
  const script = command
    .replace("http://127.0.0.1:4000", gateway.origin)
    .replace("http://127.0.0.1:5080", new URL(gateway.piopiyUrl).origin)
    .replace("ANSWER_URL", answerUrl);
  return (await run("sh", ["-c", script])).stdout.trim();
}

describe("The examples of", () => {
  it.each(
    pages.filter((page) => blocksOf(page).some(isExample)),
  )("%s return the responses that it shows", async (page) => {
    await gateway.reset();
    let answerUrl = "";
    const blocks = blocksOf(page);
    for (const [index, block] of blocks.entries()) {
      if (!isExample(block)) continue;
      const shown = blocks[index + 1];
      if (shown?.language !== "json")
        throw new Error(`An example must be followed by its response in JSON: ${block.text}`);
      if (block.language === "graphql") {
        const { data, errors } = await gateway.execute<Record<string, unknown>>(block.text);
        expect({ data, errors }).toEqual(expected(shown.text));
        answerUrl = String(Object(data?.connectAction).answerUrl ?? answerUrl);
      } else {
        expect(JSON.parse(await curl(block.text, answerUrl))).toEqual(expected(shown.text));
      }
    }
  });

  it("README.md begin with the exact output of curl for the first request of a minute", async () => {
    const blocks = blocksOf("README.md");
    const index = blocks.findIndex(isExample);
    const output = await curl(blocks[index]?.text ?? "", "");
    const { requested } = JSON.parse(output).extensions.cost;
    const first = output.replace(/"remaining":\d+/, `"remaining":${60_000 - requested}`);
    expect(first).toBe(blocks[index + 1]?.text.trim());
  });

  it("the log of requests have the keys of the gateway's log entries", async () => {
    await gateway.reset();
    await gateway.addFault({ kind: "reset" });
    await gateway.execute('mutation { createSipEndpoint(input: { username: "erin" }) { password } }');
    const client = { "graphql-client-name": "web", "graphql-client-version": "1.2.0" };
    await gateway.execute("query Team { sipEndpoints { totalCount } }", {}, client);
    await fetch(gateway.origin, { headers: { origin: "http://localhost:5173" } });
    const entries = gateway.log.map((line) => JSON.parse(line));
    const shown = pages
      .flatMap(blocksOf)
      .filter(({ text }) => /^\{ "(name|level)"/.test(text))
      .map(({ text }) => Object.keys(JSON.parse(text)).filter((key) => !["who", "repeats"].includes(key)))
      // The tests of changed files and of traces cause these entries.
      .filter((keys) => !keys.includes("setting") && !keys.includes("lostSpans"));
    expect(shown).toHaveLength(5);
    for (const keys of shown) {
      expect(entries.some((entry) => keys.every((key) => key in entry))).toBe(true);
    }
  });
});

describe("The command", () => {
  const { scripts } = JSON.parse(readFileSync("package.json", "utf8"));
  const { services } = parse(readFileSync("docker-compose.yml", "utf8"));
  const profiles = Object.values<{ profiles?: string[] }>(services).flatMap(({ profiles = [] }) => profiles);

  it.each(commands)("of %s exists: %s", async (_page, command) => {
    const words = command.replace(/^([A-Z_]+=\S+ )+/, "").split(" ");
    const [program, first = "", second = ""] = words;
    if (program === "npm") {
      const script = first === "run" ? second : first;
      if (script !== "ci") expect(scripts).toHaveProperty([script]);
    } else if (program === "node") {
      const built = words.find((word) => word.startsWith("dist/")) ?? "";
      expect(existsSync(built.replace("dist/", "src/").replace(".js", ".ts"))).toBe(true);
    } else if (program === "kubectl") {
      expect(["create", "apply", "rollout"]).toContain(first);
    } else {
      expect(program).toBe("docker");
      expect(["build", "run", "compose"]).toContain(first);
      const profile = words[words.indexOf("--profile") + 1];
      if (words.includes("--profile")) expect(profiles).toContain(profile);
    }
    for (const file of command.match(/\b(test|ops)\/[\w./-]+/g) ?? []) expect(existsSync(file)).toBe(true);
  });

  it("that creates an API key prints the entry of API_KEYS", async () => {
    const shown = commands
      .map(([, command]) => command)
      .find((command) => command.startsWith("node dist/auth"));
    const { stdout } = await run("sh", ["-c", shown ?? ""]);
    expect(stdout).toMatch(/mobile-app:[\da-f]{64}:sip:read\+sip:write/);
  });
});
