import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { ConfigError, fileVariables, readConfig } from "../../src/config.js";
import { EmulatorSettingsError, readEmulatorSettings } from "../../src/emulator/settings.js";

const README_WORDS = 1000;
const README_COLUMNS = 109;

const docs = readdirSync("docs").filter((name) => name.endsWith(".md"));
const pages = ["README.md", "SECURITY.md", "CONTRIBUTING.md", ...docs.map((name) => `docs/${name}`)];
const read = (path: string) => readFileSync(path, "utf8");

interface Setting {
  readonly name: string;
  /** The default, or undefined where the table has none. */
  readonly fallback: string | undefined;
  readonly allowed: string;
}

/** Returns the rows of the tables of settings: variable, default, allowed values, meaning. */
function settingsOf(page: string): Setting[] {
  const rows = read(page).matchAll(/^\| `([A-Z_]+)` \| (?:`([^`]*)`)? ?\| ([^|]+) \| [^|]+ \|$/gm);
  return [...rows].map(([, name = "", fallback, allowed = ""]) => ({ name, fallback, allowed }));
}

/** Returns the variables that a file of `src` reads. */
function variablesOf(path: string): string[] {
  const names = read(path).matchAll(/\b(?:read|text)\(\s*"([A-Z_]+)"|^ {2}(EMULATOR_[A-Z_]+):/gm);
  return [...new Set([...names].map(([, name, emulator]) => name ?? emulator ?? ""))];
}

/** Returns values that a setting must accept and must reject, according to the column of allowed values. */
function samplesOf({ allowed }: Setting): { accepted: string[]; refused: string[] } {
  const range = /^(\d+) to (\d+)/.exec(allowed);
  const words = [...allowed.matchAll(/`([a-z-]+)`/g)].map(([, word = ""]) => word);
  if (range) {
    const [minimum, maximum] = [Number(range[1]), Number(range[2])];
    const refused = [String(maximum + 1), ...(minimum > 0 ? [String(minimum - 1)] : [])];
    return { accepted: [String(minimum), String(maximum), ...words], refused };
  }
  const isChoice = words.length > 1 && /^(`[a-z-]+`(, )?)+$/.test(allowed);
  return isChoice ? { accepted: words, refused: ["other"] } : { accepted: [], refused: [] };
}

const minimal = { AUTH: "none", PIOPIY_APP_ID: "2222223", PIOPIY_SECRET: "made-up-secret" };

/** The two programs, each with its page, its file and a function that reads its settings. */
const programs = [
  {
    page: "docs/configuration.md",
    file: "src/config.ts",
    readSettings: (variables: Record<string, string>): unknown => readConfig({ ...minimal, ...variables }),
  },
  {
    page: "docs/emulator.md",
    file: "src/emulator/settings.ts",
    readSettings: (variables: Record<string, string>): unknown => readEmulatorSettings(variables),
  },
];

describe.each(programs)("The settings in $page", ({ page, file, readSettings }) => {
  const settings = settingsOf(page);

  /** Returns the errors that name a setting. */
  function mistakesOf(name: string, value: string): string[] {
    try {
      readSettings({ [name]: value });
      return [];
    } catch (error) {
      if (!(error instanceof ConfigError || error instanceof EmulatorSettingsError)) throw error;
      return error.mistakes.filter((mistake) => mistake.startsWith(`${name} `));
    }
  }

  it("are the settings that the program reads", () => {
    expect(settings.map(({ name }) => name).sort()).toEqual(variablesOf(file).sort());
  });

  it("have the same defaults as the program", () => {
    const defaults = settings.flatMap(({ name, fallback }) => (fallback ? [[name, fallback]] : []));
    expect(readSettings(Object.fromEntries(defaults))).toEqual(readSettings({}));
  });

  it.each(settings)("accept what the table allows: $name, $allowed", (setting) => {
    const { accepted, refused } = samplesOf(setting);
    const refusedButAllowed = accepted.filter((value) => mistakesOf(setting.name, value).length > 0);
    const acceptedButNotAllowed = refused.filter((value) => mistakesOf(setting.name, value).length === 0);
    expect({ refusedButAllowed, acceptedButNotAllowed }).toEqual({
      refusedButAllowed: [],
      acceptedButNotAllowed: [],
    });
  });
});

it("docs/configuration.md and .env.example name the variables whose value may be in a file", () => {
  const names = (text = "") => [...text.matchAll(/\b[A-Z]+_[A-Z_]+\b(?=.* may be in files)/gs)].map(String);
  const [section] =
    /(?<=## Values in files\n\n).*?may be in files/s.exec(read("docs/configuration.md")) ?? [];
  expect(names(section)).toEqual([...fileVariables]);
  expect(names(/^# PIOPIY_SECRET.*may be in files/m.exec(read(".env.example"))?.[0])).toEqual([
    ...fileVariables,
  ]);
});

it(".env.example has every setting of the gateway", () => {
  const example = read(".env.example");
  const missing = variablesOf("src/config.ts").filter(
    (name) => !new RegExp(`^(# )?${name}=`, "m").test(example),
  );
  expect(missing).toEqual([]);
});

describe("docs/errors.md", () => {
  it("has all error codes, and whether they are retryable", () => {
    const codes = [...read("src/errors.ts").matchAll(/^ {2}([A-Z_]+): (true|false),$/gm)];
    const rows = [...read("docs/errors.md").matchAll(/^\| `([A-Z_]+)` \|.*\| (yes|no) \|$/gm)];
    expect(Object.fromEntries(rows.map(([, code, retryable]) => [code, retryable]))).toEqual(
      Object.fromEntries(codes.map(([, code, retryable]) => [code, retryable === "true" ? "yes" : "no"])),
    );
  });

  it("has all codes of user errors", () => {
    const [, values = ""] = /^enum SipUserErrorCode \{(.*?)^\}/ms.exec(read("schema/schema.graphql")) ?? [];
    const codes = [...values.matchAll(/^ {2}([A-Z_]+)$/gm)].map(([, code]) => code);
    const rows = [...read("docs/errors.md").matchAll(/^\| `([A-Z_]+)` \| [^|]+ \|$/gm)];
    expect(rows.map(([, code]) => code)).toEqual(codes);
  });
});

describe("The README", () => {
  it(`has at most ${README_WORDS} words`, () => {
    expect(read("README.md").split(/\s+/).length).toBeLessThanOrEqual(README_WORDS);
  });

  it(`has no line of more than ${README_COLUMNS} columns`, () => {
    const lines = read("README.md").split("\n");
    expect(lines.filter((line) => line.length > README_COLUMNS)).toEqual([]);
  });
});

/** Returns the anchors of a page's headings, as GitHub makes them. */
function anchorsOf(page: string): string[] {
  const headings = read(page).matchAll(/^#+ (.*)$/gm);
  return [...headings].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w -]/g, "")
      .replaceAll(" ", "-"),
  );
}

describe.each(pages)("%s", (page) => {
  const links = [...read(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => link);

  it("links to files and headings that exist", () => {
    const broken = links.filter((link) => {
      if (/^https?:/.test(link)) return false;
      const [path = "", anchor] = link.split("#");
      const file = path === "" ? page : join(dirname(page), path);
      return !existsSync(file) || (anchor !== undefined && !anchorsOf(file).includes(anchor));
    });
    expect(broken).toEqual([]);
  });

  it("names files that exist", () => {
    const paths = read(page).match(/(?<![\w./-])(src|test|schema|bench)\/[\w./-]*[\w-](?![\w*])/g) ?? [];
    expect(paths.filter((path) => !existsSync(path))).toEqual([]);
  });
});
