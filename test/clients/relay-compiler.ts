import { execFile } from "node:child_process";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { newProject } from "./client-project.js";

/**
 * Compiles a module with the Relay compiler and schema/schema.graphql as it is, in a new project. Returns the directory
 * of the artifacts.
 */
export async function compileRelay(fileName: string, text: string): Promise<string> {
  const project = newProject();
  const config = {
    src: "src",
    schema: "schema.graphql",
    language: "javascript",
    artifactDirectory: "src/__generated__",
  };
  const artifacts = join(project, config.artifactDirectory);
  mkdirSync(artifacts, { recursive: true });
  copyFileSync("schema/schema.graphql", join(project, config.schema));
  writeFileSync(join(project, "relay.config.json"), JSON.stringify(config));
  writeFileSync(join(project, config.src, fileName), text);
  await promisify(execFile)(join(project, "node_modules/.bin/relay-compiler"), { cwd: project });
  return artifacts;
}
