import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "@jest/globals";

interface SourceFile {
  /** From `src/`, such as `piopiy/client.ts`. */
  readonly path: string;
  readonly text: string;
  /** Files of the project by their path from `src/`, packages by their name. */
  readonly imports: readonly string[];
}

const files: SourceFile[] = readdirSync("src", { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".ts"))
  .map((path) => {
    const text = readFileSync(join("src", path), "utf8");
    const specifiers = [...text.matchAll(/(?:from|import|import\()\s*"([^"]+)"/g)].map(
      ([, name = ""]) => name,
    );
    const imports = specifiers.map((name) =>
      name.startsWith(".") ? join(dirname(path), name).replace(/\.js$/, ".ts") : name,
    );
    return { path, text, imports };
  });
const startFiles = ["main.ts", "emulator/main.ts", "graphql/print-schema.ts", "auth/make-api-key.ts"];
const room = (path: string) => (path.includes("/") ? path.split("/", 1)[0] : path);
const importersOf = (name: string) =>
  files.filter(({ imports }) => imports.includes(name)).map(({ path }) => path);
const holding = (pattern: RegExp) => files.filter(({ text }) => pattern.test(text)).map(({ path }) => path);

describe("The house", () => {
  it("is read as a whole: every import of the project leads to a file", () => {
    const paths = new Set(files.map(({ path }) => path));
    const lost = files.flatMap(({ imports }) =>
      imports.filter((name) => name.endsWith(".ts") && !paths.has(name)),
    );
    expect(files.length).toBeGreaterThan(50);
    expect(lost).toEqual([]);
  });

  it("has no circles, which would also crash object types that refer to each other", () => {
    const byPath = new Map(files.map((file) => [file.path, file]));
    const leadsTo = (from: string, seen: Set<string>): Set<string> => {
      for (const name of byPath.get(from)?.imports ?? []) {
        if (!seen.has(name)) leadsTo(name, seen.add(name));
      }
      return seen;
    };
    expect(files.filter(({ path }) => leadsTo(path, new Set()).has(path)).map(({ path }) => path)).toEqual(
      [],
    );
  });

  // A room may import the rooms after it, and the files beside the rooms that all may use.
  const floors = ["main.ts", "server.ts", "graphql", "context.ts", "auth", "answer", "piopiy", "pcmo"];
  it.each(
    files.filter(({ path }) => floors.includes(String(room(path)))).map((file) => [file.path, file] as const),
  )("%s imports downwards only", (path, { imports }) => {
    const floor = floors.indexOf(String(room(path)));
    const upwards = imports.filter(
      (name) => floors.includes(String(room(name))) && floors.indexOf(String(room(name))) < floor,
    );
    expect(upwards).toEqual([]);
  });

  it("keeps got in piopiy/client.ts, dataloader in piopiy/loader.ts, and type-graphql in graphql/", () => {
    expect(importersOf("got")).toEqual(["piopiy/client.ts"]);
    expect(importersOf("dataloader")).toEqual(["piopiy/loader.ts"]);
    expect(importersOf("type-graphql").filter((path) => room(path) !== "graphql")).toEqual([]);
  });

  it("keeps PIOPIY's spelling in piopiy/ and emulator/", () => {
    const spelling = holding(/connect_URL|appid|cmi-\d|add_sip"|get_sip"|list_sip"|update_sip"|remove_sip"/);
    expect(spelling.filter((path) => !["piopiy", "emulator"].includes(String(room(path))))).toEqual([]);
    expect(spelling).toContain("piopiy/wire.ts");
  });

  it("lets pcmo/ import nothing of the project but itself", () => {
    const foreign = files
      .filter(({ path }) => room(path) === "pcmo")
      .flatMap(({ imports }) => imports.filter((name) => name.endsWith(".ts") && room(name) !== "pcmo"));
    expect(foreign).toEqual([]);
  });

  it("lets only main.ts know both the gateway and the emulator", () => {
    const crossing = files.filter(({ path, imports }) =>
      imports.some(
        (name) => name.endsWith(".ts") && (room(name) === "emulator") !== (room(path) === "emulator"),
      ),
    );
    expect(crossing.map(({ path }) => path)).toEqual(["main.ts"]);
  });

  it("reads process.env and writes to the console in start files only", () => {
    const places = holding(/process\.env|console\./);
    expect(places.filter((path) => !startFiles.includes(path))).toEqual([]);
  });

  it("keeps clear of what type-graphql loses or disables silently", () => {
    // simpleResolvers switches @Authorized off; a schema that is printed for federation loses its extensions.
    expect(holding(/simpleResolvers|@Extensions|complexity:|globalMiddlewares/)).toEqual([]);
  });

  it("has no default exports, no barrels and no drawers", () => {
    expect(holding(/^export default/m)).toEqual([]);
    expect(holding(/^export (\*|\{[^}]*\}) from/m)).toEqual([]);
    expect(
      files.filter(({ path }) => /\b(index|utils?|helpers?|common|types|constants)\.ts$/.test(path)),
    ).toEqual([]);
  });

  it("has files in kebab-case, each named after what it exports", () => {
    expect(files.filter(({ path }) => !/^([a-z-]+\/)*[a-z-]+(\.[a-z]+)?\.ts$/.test(path))).toEqual([]);
    const plain = (name: string) => name.replaceAll(/[^a-z]/gi, "").toLowerCase();
    const misnamed = files.filter(({ path, text }) => {
      const stem = plain(
        (path.split("/").at(-1) ?? "").replace(/(\.(type|input|payload|enum|scalar|args))?\.ts$/, ""),
      );
      const exported = [
        ...text.matchAll(/^export (?:async )?(?:class|const|enum|function|interface|type) (\w+)/gm),
      ];
      return !exported.some(([, name = ""]) => plain(name).includes(stem.replace(/s$/, "")));
    });
    // What passes over the wire has many names and one room.
    const free = [...startFiles, "piopiy/wire.ts"];
    expect(misnamed.map(({ path }) => path).filter((path) => !free.includes(path))).toEqual([]);
  });

  it("has no file that holds two ideas: none is longer than 200 lines", () => {
    expect(files.filter(({ text }) => text.split("\n").length > 200).map(({ path }) => path)).toEqual([]);
  });
});
