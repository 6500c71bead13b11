// Runs the gateway on the emulator, and builds and restarts it after each change of its source files.
import { spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { readdirSync, readFileSync, watch } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const SOURCES = ["src", "schema/operations"];
const GATEWAY = ["--max-semi-space-size=64", "--env-file=.env.emulator", "dist/main.js"];
/** Milliseconds from a change to the build: editors and git write several files together. */
const SETTLE_MS = 50;
/** Milliseconds until a gateway that does not exit is killed. A slow client must not delay the restart. */
const GRACE_MS = 1000;

process.chdir(import.meta.dirname);
const events = new EventEmitter();
let isStopping = false;
let isChanged = true;
let watchers = [];
let gateway;
let runningBuild;
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => {
    isStopping = true;
    events.emit("wake");
  });
}

while (!isStopping) {
  if (isChanged) {
    isChanged = false;
    await update();
  } else {
    await once(events, "wake");
    await sleep(SETTLE_MS);
  }
}
for (const watcher of watchers) watcher.close();
await stopGateway();

async function update() {
  const begun = performance.now();
  // Before the build, so that no change is missed.
  watchSources();
  const isFirst = runningBuild === undefined;
  const [code] = await once(spawn(process.execPath, ["build.js"], { stdio: "inherit" }), "exit");
  if (isStopping) return;
  if (code !== 0) {
    console.error(
      `The build failed. ${isFirst ? "Fix it to start the gateway." : "The gateway has not changed."}`,
    );
    return;
  }
  const build = readFileSync("dist/main.js", "utf8");
  if (build === runningBuild && gateway?.exitCode === null) return;
  await stopGateway();
  if (isStopping) return;
  if (!isFirst) console.log(`\nBuilt in ${Math.round(performance.now() - begun)} ms. The gateway restarts.`);
  runningBuild = build;
  startGateway();
}

function startGateway() {
  const child = spawn(process.execPath, GATEWAY, { stdio: "inherit" });
  gateway = child;
  child.once("exit", (code, signal) => {
    if (gateway !== child || isStopping) return;
    console.error(
      `The gateway ended (${signal ?? `exit code ${code}`}). It starts again after the next change.`,
    );
  });
}

async function stopGateway() {
  const child = gateway;
  gateway = undefined;
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const end = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), GRACE_MS);
  await end;
  clearTimeout(timer);
}

/**
 * Watches every directory, and those that are new. A recursive watcher of Node.js 20 misses changes of a file that an editor has
 * replaced by another one.
 */
function watchSources() {
  for (const watcher of watchers) watcher.close();
  watchers = SOURCES.flatMap(directoriesIn).map((directory) =>
    watch(directory, () => {
      isChanged = true;
      events.emit("wake");
    }),
  );
}

function directoriesIn(directory) {
  const inner = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return [directory, ...inner.flatMap(({ name }) => directoriesIn(join(directory, name)))];
}
