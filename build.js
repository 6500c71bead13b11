// Builds the programs. Each build is a directory in dist/ that is named after a hash of its inputs and never changes. Small
// files at fixed paths, such as dist/main.js, import the newest build; a program that runs finds the build that it started from.
import { spawnSync } from "node:child_process";
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

const INPUTS = ["build.js", "package.json", "package-lock.json", "tsconfig.json", "src", "schema/operations"];
const PROGRAMS = ["main.js", "emulator/main.js", "auth/make-api-key.js", "graphql/print-schema.js"];
const BUILD_NAME = /[\da-f]{32}/;
const HOUR_MS = 3_600_000;
/** Ends the names of files and directories that are not finished; process ids repeat in containers. */
const UNFINISHED = `.${randomUUID()}`;

process.chdir(import.meta.dirname);
const previous = existsSync("dist/main.js") && BUILD_NAME.exec(readFileSync("dist/main.js", "utf8"))?.[0];
let build = hashInputs();
while (!existsSync(`dist/${build}`)) {
  const temporary = `dist/${build}${UNFINISHED}`;
  try {
    await bundle(`${temporary}/program`);
    cpSync("schema/operations", `${temporary}/schema/operations`, { recursive: true });
    const hash = hashInputs();
    if (hash === build) rename(temporary, `dist/${build}`);
    build = hash;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}
for (const program of PROGRAMS) publish(program);
utimesSync(`dist/${build}`, new Date(), new Date());
removeOldBuilds();

function hashInputs() {
  const hash = createHash("sha256").update(process.version);
  for (const input of INPUTS) {
    const paths = statSync(input).isDirectory()
      ? readdirSync(input, { recursive: true }).map((path) => join(input, path))
      : [input];
    for (const path of paths.sort()) {
      if (statSync(path).isFile()) hash.update(`\0${path}\0`).update(readFileSync(path));
    }
  }
  return hash.digest("hex").slice(0, 32);
}

async function bundle(directory) {
  const { build } = await import("rolldown");
  // One file starts in half the time of the nine hundred that it is made of.
  await build({
    input: Object.fromEntries(
      PROGRAMS.map((program) => [program.slice(0, -3), `src/${program.slice(0, -3)}.ts`]),
    ),
    platform: "node",
    // type-graphql would load it to check inputs, which is switched off here.
    external: ["class-validator"],
    logLevel: "warn",
    output: {
      dir: directory,
      // As deep as in src, since what a module reads it finds by its own address.
      chunkFileNames: "chunks/[name]-[hash].js",
      // reflect-metadata has to be there before the first decorator is.
      strictExecutionOrder: true,
      // Log entries of errors name the files of src; their text would double the size of a build.
      sourcemap: true,
      sourcemapExcludeSources: true,
    },
  });
}

/** Renames a build, unless another process has finished the same build first. */
function rename(from, to) {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!existsSync(to)) throw error;
  }
}

/** Makes a program's fixed path lead to this build, in one step. */
function publish(program) {
  const path = `dist/${program}`;
  const target = relative(dirname(path), `dist/${build}/program/${program}`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path + UNFINISHED, `import "${target.startsWith(".") ? target : `./${target}`}";\n`);
  renameSync(path + UNFINISHED, path);
}

/** Removes builds that nothing needs: a worker has its build in its command line, and a program that starts has a new one. */
function removeOldBuilds() {
  const { status, stdout } = spawnSync("ps", ["-A", "-o", "args="], { encoding: "utf8" });
  if (status !== 0) return;
  for (const name of readdirSync("dist").filter((name) => BUILD_NAME.test(name))) {
    // Another process may rename or remove it meanwhile.
    const { mtimeMs } = statSync(`dist/${name}`, { throwIfNoEntry: false }) ?? { mtimeMs: Date.now() };
    const isOld = Date.now() - mtimeMs > HOUR_MS;
    if (isOld && name !== build && name !== previous && !stdout.includes(name)) {
      rmSync(`dist/${name}`, { recursive: true, force: true });
    }
  }
}
