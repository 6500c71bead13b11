// Writes graphiql-packages.json: the packages in the GraphiQL page, with their licenses. @graphql-yoga/render-graphiql contains
// them as one text, so they are not in node_modules. Run this after an update of @graphql-yoga/render-graphiql, with the
// version of @graphql-yoga/graphiql that it contains: node notices/update-graphiql-packages.js 4.5.0
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { renderGraphiQL } from "@graphql-yoga/render-graphiql";
import { build } from "rolldown";
import { packagesOf } from "./notices.js";

/** The fonts in the page, and packages with their licenses. The newer versions of Roboto have another license. */
const FONTS = { "Fira Code": "@fontsource/fira-code@5.2.7", Roboto: "@fontsource/roboto@5.0.15" };
const GRAPHIQL = "@graphql-yoga/graphiql";
/** The imports of GRAPHIQL, and the workers of the editor. */
const ENTRIES = [
  'export * from "graphiql"; export * from "@graphiql/plugin-explorer"; export * from "@graphql-tools/url-loader";' +
    'export * from "graphql"; export * from "react"; export * from "react-dom/client"; import "json-bigint-patch";',
  'import "monaco-editor/esm/vs/editor/editor.worker.js";',
  'import "monaco-editor/esm/vs/language/json/json.worker.js";',
  'import "monaco-graphql/esm/graphql.worker.js";',
];

const [version] = process.argv.slice(2);
const directory = mkdtempSync(join(tmpdir(), "graphiql-"));
try {
  writeFileSync(join(directory, "package.json"), "{}");
  const packages = [`${GRAPHIQL}@${version}`, ...Object.values(FONTS)];
  const options = ["--ignore-scripts", "--no-audit", "--no-fund"];
  const { status } = spawnSync("npm", ["install", ...options, ...packages], {
    cwd: directory,
    stdio: "inherit",
  });
  if (status !== 0) throw new Error("npm install failed.");
  const graphiql = join(directory, "node_modules", GRAPHIQL);
  // The start and the end of the script differ, because it is embedded in a page.
  const script = readFileSync(join(graphiql, "dist/yoga-graphiql.umd.js"), "utf8").slice(1000, 1_000_000);
  if (!renderGraphiQL().includes(script))
    throw new Error(`The page contains another version than ${version}.`);
  const modules = [
    `${graphiql}/`,
    ...(await Promise.all(ENTRIES.map((code) => modulesOf(graphiql, code)))).flat(),
  ];
  const fonts = Object.entries(FONTS).map(([name, source]) => {
    const [{ license, text }] = packagesOf([
      join(directory, "node_modules", source.replace(/@[\d.]+$/, "/")),
    ]);
    return { name, license, text };
  });
  const render = JSON.parse(readFileSync("node_modules/@graphql-yoga/render-graphiql/package.json", "utf8"));
  const content = { page: render.version, packages: [...fonts, ...packagesOf(modules)] };
  writeFileSync(new URL("graphiql-packages.json", import.meta.url), `${JSON.stringify(content, null, 2)}\n`);
} finally {
  rmSync(directory, { recursive: true, force: true });
}

/** Returns the modules of a bundle whose entry is in a directory. */
async function modulesOf(directory, code) {
  const { output } = await build({
    cwd: directory,
    input: "entry",
    platform: "browser",
    write: false,
    logLevel: "silent",
    moduleTypes: { ".css": "empty", ".ttf": "empty" },
    plugins: [
      {
        name: "entry",
        resolveId: (id) => (id === "entry" ? join(directory, "entry.js") : undefined),
        load: (id) => (id === join(directory, "entry.js") ? code : undefined),
      },
    ],
  });
  return output
    .flatMap((chunk) => (chunk.type === "chunk" ? chunk.moduleIds : []))
    .filter((id) => !id.startsWith("\0"));
}
