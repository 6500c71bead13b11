import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { parseSync, Visitor } from "rolldown/utils";

/** Directories of the gateway in `src`, top layer first. A directory imports files of itself and of the directories below it. */
const directories = ["http", "graphql", "answer-url", "auth", "piopiy", "pcmo", "sip", "telemetry"];
/** Files directly in `src` that are above all directories. All other files directly in `src` are below them. */
const topFiles = ["main.ts", "workers.ts"];
const startFiles = [
  "main.ts",
  "emulator/main.ts",
  "cli/main.ts",
  "graphql/print-schema.ts",
  "auth/make-api-key.ts",
];
/** Programs beside the gateway. They reach it over the network only. */
const otherPrograms = ["emulator", "cli"];

interface SourceFile {
  readonly path: string;
  readonly text: string;
  /** Files of the project by their path, packages by their name. */
  readonly imports: readonly string[];
  /** Declared names of types, interfaces, classes and enums. */
  readonly types: readonly string[];
  readonly isBarrel: boolean;
  readonly hasDefaultExport: boolean;
}

const files = ["src", "test", "bench"].flatMap(sourcePaths).map(readSource);
const gateway = files.filter(
  ({ path }) => path.startsWith("src/") && !otherPrograms.includes(directoryOf(path)),
);

describe("The source files", () => {
  it("import project files that exist", () => {
    const missing = files.flatMap(({ path, imports }) =>
      imports.filter((name) => isOwn(name) && !existsSync(name)).map((name) => `${path} imports ${name}`),
    );
    expect(files.length).toBeGreaterThan(200);
    expect(missing).toEqual([]);
  });

  it("import each other without circles, which would crash object types that refer to each other", () => {
    const importsOf = new Map(files.map(({ path, imports }) => [path, imports]));
    const reachable = (from: string, seen = new Set<string>()): Set<string> => {
      for (const name of importsOf.get(from) ?? []) if (!seen.has(name)) reachable(name, seen.add(name));
      return seen;
    };
    expect(paths(files.filter(({ path }) => reachable(path).has(path)))).toEqual([]);
  });

  it("re-export nothing from other files", () => {
    expect(paths(files.filter(({ isBarrel }) => isBarrel))).toEqual([]);
  });

  it("are named in kebab-case, and not utils, types or the like", () => {
    const isMisnamed = (part: string) =>
      !/^[a-z\d]+(-[a-z\d]+)*(\.[a-z]+)*$/.test(part) ||
      /^((.+-)?(utils?|helpers?)|index|common|types|constants|misc|shared|lib)(\.[a-z]+)*$/.test(part);
    expect(paths(files.filter(({ path }) => path.split("/").some(isMisnamed)))).toEqual([]);
  });
});

describe("The files of src", () => {
  it.each(["", ...directories])("in directory '%s' import files of lower layers only", (directory) => {
    const upwards = files
      .filter(({ path }) => path.startsWith("src/") && directoryOf(path) === directory)
      .flatMap(({ path, imports }) =>
        imports
          .filter((name) => isOwn(name) && layerOf(name) < layerOf(path))
          .map((name) => `${path} imports ${name}`),
      );
    expect(upwards).toEqual([]);
  });

  it("are in the known directories", () => {
    const found = new Set(
      files.filter(({ path }) => path.startsWith("src/")).map(({ path }) => directoryOf(path)),
    );
    expect([...found].sort()).toEqual(["", ...otherPrograms, ...directories].sort());
  });

  it("of the gateway and of the emulator do not import each other, except main.ts, which starts both", () => {
    const crossing = files.filter(
      ({ path, imports }) =>
        path.startsWith("src/") &&
        imports.some(
          (name) => isOwn(name) && (directoryOf(name) === "emulator") !== (directoryOf(path) === "emulator"),
        ),
    );
    expect(paths(crossing)).toEqual(["src/main.ts"]);
  });

  it("of the command line import only pure rules of the gateway, and no other file imports the command line", () => {
    const crossing = files.flatMap(({ path, imports }) =>
      imports
        .filter((name) => path.startsWith("src/") && isOwn(name))
        .filter((name) => (directoryOf(name) === "cli") !== (directoryOf(path) === "cli")),
    );
    expect([...new Set(crossing)].sort()).toEqual([
      "src/format-value.ts",
      "src/secret.ts",
      "src/sip/password.ts",
      "src/sip/username.ts",
    ]);
  });

  it("in pcmo and sip import no files of the gateway", () => {
    const foreign = gateway
      .filter(({ path }) => ["pcmo", "sip"].includes(directoryOf(path)))
      .flatMap(({ path, imports }) =>
        imports
          .filter((name) => isOwn(name) && ![directoryOf(path), "sip"].includes(directoryOf(name)))
          .map((name) => `${directoryOf(path)} imports ${name}`),
      );
    // These files import nothing of the project.
    const allowed = [
      "pcmo imports src/nearest-name.ts",
      "pcmo imports src/format-value.ts",
      "sip imports src/secret.ts",
    ];
    expect(foreign.filter((entry) => !allowed.includes(entry))).toEqual([]);
  });

  it("import got, dataloader and type-graphql in their places only", () => {
    const importersOf = (name: string) =>
      paths(
        gateway.filter(({ imports }) => imports.some((used) => used === name || used.startsWith(`${name}/`))),
      );
    const outside = importersOf("type-graphql").filter((path) => directoryOf(path) !== "graphql");
    expect({ got: importersOf("got"), dataloader: importersOf("dataloader"), outside }).toEqual({
      got: ["src/piopiy/transport.ts"],
      dataloader: ["src/piopiy/loader.ts"],
      outside: [],
    });
    expect(importersOf("type-graphql")).not.toEqual([]);
  });

  it("use PIOPIY's spelling in piopiy/ and emulator/ only, also in comments and descriptions", () => {
    const spelling = /connect_URL|appid|cmi-\d|_sip\b/;
    expect(holding(spelling).filter((path) => !["piopiy", "emulator"].includes(directoryOf(path)))).toEqual(
      [],
    );
    expect(holding(spelling)).toContain("src/piopiy/protocol.ts");
  });

  it("declare no two types, interfaces, classes or enums with the same name", () => {
    const places = new Map<string, string[]>();
    for (const { path, types } of files.filter(({ path }) => path.startsWith("src/"))) {
      for (const name of types) places.set(name, [...(places.get(name) ?? []), path]);
    }
    expect([...places].filter(([, declaring]) => declaring.length > 1)).toEqual([]);
  });

  it("have no default exports", () => {
    expect(
      paths(files.filter(({ path, hasDefaultExport }) => path.startsWith("src/") && hasDefaultExport)),
    ).toEqual([]);
  });

  it("read the environment and write to the console in start files only", () => {
    const places = holding(/\bprocess\.env\b|\bconsole\.\w|"(node:)?(process|console)"/);
    expect(places.filter((path) => !startFiles.map((file) => `src/${file}`).includes(path))).toEqual([]);
    expect(places).toContain("src/main.ts");
  });

  it("use no feature that type-graphql loses or disables without an error", () => {
    // simpleResolvers disables @Authorized. A schema that is printed for federation loses its extensions.
    expect(holding(/simpleResolvers|@Extensions|complexity:|globalMiddlewares/)).toEqual([]);
  });
});

function sourcePaths(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) {
      return ["node_modules", "dist", "generated"].includes(entry.name) ? [] : sourcePaths(path);
    }
    return /\.[jt]s$/.test(path) ? [path] : [];
  });
}

function readSource(path: string): SourceFile {
  const text = readFileSync(path, "utf8");
  const { program, errors } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message}`);
  const imports: string[] = [];
  const types: string[] = [];
  let isBarrel = false;
  let hasDefaultExport = false;
  const addImport = (name: string) => imports.push(name.startsWith(".") ? resolve(path, name) : name);
  const addType = ({ id }: { readonly id: { readonly name: string } | null }) => id && types.push(id.name);
  new Visitor({
    ImportDeclaration: ({ source }) => addImport(source.value),
    ImportExpression: ({ source }) => source.type === "Literal" && addImport(String(source.value)),
    TSImportType: ({ source }) => addImport(source.value),
    ExportAllDeclaration({ source }) {
      addImport(source.value);
      isBarrel = true;
    },
    ExportNamedDeclaration({ source, specifiers }) {
      if (source) {
        addImport(source.value);
        isBarrel = true;
      }
      hasDefaultExport ||= specifiers.some(
        ({ exported }) => "name" in exported && exported.name === "default",
      );
    },
    ExportDefaultDeclaration() {
      hasDefaultExport = true;
    },
    ClassDeclaration: addType,
    TSInterfaceDeclaration: addType,
    TSTypeAliasDeclaration: addType,
    TSEnumDeclaration: addType,
  }).visit(program);
  return { path, text, imports, types, isBarrel, hasDefaultExport };
}

/** Returns the path of an imported project file: TypeScript files are imported by the names of their compiled files. */
function resolve(importer: string, name: string): string {
  const path = join(importer, "..", name);
  const source = path.replace(/\.js$/, ".ts");
  return existsSync(source) ? source : path;
}

function isOwn(name: string): boolean {
  return /^(src|test|bench)\//.test(name);
}

/** Returns the name of the directory in `src`, or an empty text for a file directly in `src`. */
function directoryOf(path: string): string {
  return /^src\/([^/]+)\//.exec(path)?.[1] ?? "";
}

/** Returns the number of the layer, from the top. Files outside `src` are above all others, because `src` imports none of them. */
function layerOf(path: string): number {
  if (!path.startsWith("src/")) return 0;
  if (topFiles.includes(path.slice("src/".length))) return 1;
  const directory = directoryOf(path);
  return directory === "" ? directories.length + 2 : directories.indexOf(directory) + 2;
}

function paths(chosen: readonly SourceFile[]): string[] {
  return chosen.map(({ path }) => path);
}

function holding(pattern: RegExp): string[] {
  return paths(files.filter(({ path, text }) => path.startsWith("src/") && pattern.test(text)));
}
