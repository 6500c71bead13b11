// Builds the programs. Each build is a directory in dist/ that is named after a hash of its inputs and never changes. Small
// files at fixed paths, such as dist/main.js, import the newest build. A running program only reads the build it started from.
import { createHash, randomUUID } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { gzipSync } from "node:zlib";
import { noticeFiles, packagesOf } from "./notices/notices.js";

const INPUTS = [
  "build.js",
  "LICENSE",
  "notices",
  "package.json",
  "package-lock.json",
  "tsconfig.json",
  "src",
  "schema/operations",
];
const PAGE_STYLE = "src/http/graphiql.css";
const PAGE_INPUTS = ["build.js", "package-lock.json", PAGE_STYLE, "schema/operations"];
/** The GraphiQL page in a build. */
const PAGE = "dist/graphiql";
const PHONE_SOURCE = "src/emulator/phone-page";
/** The files of the emulator's phone page in a build. */
const PHONE_PAGE = "dist/phone-page";
const PROGRAMS = [
  "main.js",
  "emulator/main.js",
  "auth/make-api-key.js",
  "graphql/print-schema.js",
  "cli/main.js",
];
const BUILD_NAME = /[\da-f]{32}/;
const HOUR_MS = 3_600_000;
/** Names of processes that run a program, each with the name of the build that it reads. */
const PROCESSES = "dist/processes";
/** Suffix of files and directories that are not finished. A process id would not be unique: it repeats in containers. */
const UNFINISHED = `.${randomUUID()}`;

process.chdir(import.meta.dirname);
const previous = existsSync("dist/main.js") && BUILD_NAME.exec(readFileSync("dist/main.js", "utf8"))?.[0];
let build = hash(INPUTS);
while (!existsSync(`dist/${build}`)) {
  const temporary = `dist/${build}${UNFINISHED}`;
  const page = await renderPage();
  try {
    const modules = await Promise.all([
      bundle(`${temporary}/program`),
      bundlePhonePage(`${temporary}/${PHONE_PAGE}`),
    ]);
    writeNotices(`${temporary}/notices`, modules.flat());
    writeFileSync(`${temporary}/note-process.js`, noteProcess());
    cpSync(page, `${temporary}/${PAGE}`, { recursive: true });
    const current = hash(INPUTS);
    if (current === build) rename(temporary, `dist/${build}`);
    build = current;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}
for (const program of PROGRAMS) publish(program);
// The tests run the files of src, which read the pages at these paths.
publishFiles(PAGE, PAGE);
publishFiles(PHONE_PAGE, PHONE_PAGE);
publishFiles("notices", "dist");
utimesSync(`dist/${build}`, new Date(), new Date());
removeOldBuilds();

function hash(inputs) {
  const hash = createHash("sha256").update(process.version);
  for (const input of inputs) {
    const paths = statSync(input).isDirectory()
      ? readdirSync(input, { recursive: true }).map((path) => join(input, path))
      : [input];
    for (const path of paths.sort()) {
      if (statSync(path).isFile()) hash.update(`\0${path}\0`).update(readFileSync(path));
    }
  }
  return hash.digest("hex").slice(0, 32);
}

/**
 * Renders the GraphiQL page, which loads nothing from other addresses. Its tabs are the numbered files of schema/operations.
 * Returns a directory with the page, compressed, and with the hashes of its scripts for the content security policy. All this
 * takes longer than the bundle, so the directory is named after a hash of its inputs and used again.
 *
 * The endpoint is relative to the page, so the page works under any path.
 */
async function renderPage() {
  const directory = `dist/graphiql-${hash(PAGE_INPUTS)}`;
  if (!existsSync(directory)) {
    const { renderGraphiQL } = await import("@graphql-yoga/render-graphiql");
    const files = readdirSync("schema/operations").filter((file) => /^\d.*\.graphql$/.test(file));
    const defaultTabs = files
      .sort()
      .map((file) => ({ query: readFileSync(`schema/operations/${file}`, "utf8") }));
    const changes = [
      // When the width of a tab or of the window changes, as when the page's font has loaded, the library that drags tabs moves
      // all tabs. GraphiQL hides that until a tab has the focus, so a tab would slide away under the pointer that clicks it.
      [/dragConstraints:\w+(?=,value:)/, "drag:!1,layout:!1"],
      [/(?=<title>)/, '<meta name="viewport" content="width=device-width" />'],
      [/(?=<\/style>)/, readFileSync(PAGE_STYLE, "utf8")],
    ];
    const page = renderGraphiQL({ title: "PIOPIY GraphQL Gateway", endpoint: "graphql", defaultTabs });
    const html = changes.reduce(replaceOnce, page);
    const scripts = [...html.matchAll(/<script>(.*?)<\/script>/gs)].map(([, script]) => script);
    const hashes = scripts.map((script) => createHash("sha256").update(script).digest("base64"));
    mkdirSync(directory + UNFINISHED, { recursive: true });
    writeFileSync(`${directory}${UNFINISHED}/page.html.gz`, gzipSync(html));
    writeFileSync(`${directory}${UNFINISHED}/script-hashes.json`, JSON.stringify(hashes));
    rename(directory + UNFINISHED, directory);
  }
  utimesSync(directory, new Date(), new Date());
  return directory;
}

/** Replaces the only match of a pattern. Throws if a new version of GraphiQL has no match, or several. */
function replaceOnce(html, [pattern, replacement]) {
  const parts = html.split(pattern);
  if (parts.length !== 2) throw new Error(`GraphiQL's page has ${parts.length - 1} matches of ${pattern}.`);
  return parts.join(replacement);
}

async function bundle(directory) {
  const { build } = await import("rolldown");
  // A bundle of a few files starts in half the time of its nine hundred modules.
  const { output } = await build({
    input: Object.fromEntries(
      PROGRAMS.map((program) => [program.slice(0, -3), `src/${program.slice(0, -3)}.ts`]),
    ),
    platform: "node",
    // type-graphql imports it to validate inputs, which is switched off here.
    external: ["class-validator"],
    logLevel: "warn",
    output: {
      dir: directory,
      // Chunks are as deep as files in src, because a module finds the files that it reads relative to its own path.
      chunkFileNames: "chunks/[name]-[hash].js",
      // reflect-metadata must run before the first decorator.
      strictExecutionOrder: true,
      // Stacks in the log name the files of src. With the text of the sources a build would be twice as large.
      sourcemap: true,
      sourcemapExcludeSources: true,
    },
  });
  return output.flatMap((chunk) => (chunk.type === "chunk" ? chunk.moduleIds : []));
}

/** Bundles the script of the phone page for browsers, beside the other files of the page. Returns the paths of its modules. */
async function bundlePhonePage(directory) {
  const { build } = await import("rolldown");
  const { output } = await build({
    input: `${PHONE_SOURCE}/main.ts`,
    platform: "browser",
    logLevel: "warn",
    output: {
      file: `${directory}/page.js`,
      format: "esm",
      minify: true,
      // The names of the packages in it, for a test. Browsers do not load it.
      sourcemap: "hidden",
      sourcemapExcludeSources: true,
    },
  });
  for (const name of ["page.html", "page.css", "icon.svg"]) {
    cpSync(`${PHONE_SOURCE}/${name}`, `${directory}/${name}`);
  }
  return output.flatMap((chunk) => (chunk.type === "chunk" ? chunk.moduleIds : []));
}

/**
 * Returns a module that notes the build of the process that runs it, so that builds whose modules a process may still load are not
 * removed. A process id says nothing to another container, but containers do not build.
 */
function noteProcess() {
  return `import { mkdirSync, writeFileSync } from "node:fs";
const notes = new URL("../${PROCESSES.slice("dist/".length)}/", import.meta.url);
try {
  mkdirSync(notes, { recursive: true });
  writeFileSync(new URL(String(process.pid), notes), import.meta.url);
} catch {
  // In a container the files cannot be changed, and no build removes any.
}
`;
}

/** Writes the lists of the packages whose code is in the bundle, in the phone page or in the GraphiQL page. */
function writeNotices(directory, modules) {
  const page = JSON.parse(readFileSync("notices/graphiql-packages.json", "utf8")).packages;
  mkdirSync(directory);
  for (const [name, content] of Object.entries(noticeFiles([...packagesOf(modules), ...page]))) {
    writeFileSync(`${directory}/${name}`, content);
  }
}

/** Renames a finished directory, or removes it if another process was faster. */
function rename(from, to) {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!existsSync(to)) throw error;
    rmSync(from, { recursive: true });
  }
}

/** Makes the file at a program's fixed path import this build. */
function publish(program) {
  const path = `dist/${program}`;
  mkdirSync(dirname(path), { recursive: true });
  const targets = ["note-process.js", `program/${program}`].map((name) =>
    relative(dirname(path), `dist/${build}/${name}`),
  );
  writeFile(
    path,
    targets.map((target) => `import "${target.startsWith(".") ? target : `./${target}`}";\n`).join(""),
  );
}

/** Copies the files of a directory of this build to a fixed path. */
function publishFiles(from, to) {
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(`dist/${build}/${from}`)) {
    writeFile(`${to}/${name}`, readFileSync(`dist/${build}/${from}/${name}`));
  }
}

/** Writes a file atomically. */
function writeFile(path, content) {
  writeFileSync(path + UNFINISHED, content);
  renameSync(path + UNFINISHED, path);
}

/** Removes builds and pages that were not used for an hour, except the builds that running processes may still load. */
function removeOldBuilds() {
  const used = [build, previous, ...runningBuilds()];
  for (const name of readdirSync("dist").filter((name) => BUILD_NAME.test(name))) {
    // Another process may have removed it in the meantime.
    const { mtimeMs } = statSync(`dist/${name}`, { throwIfNoEntry: false }) ?? { mtimeMs: Date.now() };
    if (Date.now() - mtimeMs > HOUR_MS && !used.includes(name)) {
      rmSync(`dist/${name}`, { recursive: true, force: true });
    }
  }
}

/** Returns the builds that running processes have noted, and removes the notes of processes that have ended. */
function runningBuilds() {
  if (!existsSync(PROCESSES)) return [];
  return readdirSync(PROCESSES).flatMap((pid) => {
    const note = `${PROCESSES}/${pid}`;
    if (isRunning(Number(pid))) return BUILD_NAME.exec(readFileSync(note, "utf8"))?.[0] ?? [];
    rmSync(note, { force: true });
    return [];
  });
}

function isRunning(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // The process belongs to another user.
    return error.code === "EPERM";
  }
}
