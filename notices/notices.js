// Lists the packages whose code a build contains: as a text with their licenses, and as a software bill of materials (CycloneDX).
import { readdirSync, readFileSync } from "node:fs";

/** Files of a package that its copies must contain. */
const LICENSE_FILE = /^(licen[cs]e|copying|notice|third-?party-?(notices?|licen[cs]es?))\b/i;
/** Directory of the package that contains a module. */
const DIRECTORY = /^.*node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/;
const RULE = "=".repeat(100);

/** Returns the packages to which the modules of a bundle belong, each with its version, license and license text. */
export function packagesOf(modules) {
  // Modules that begin with a null character are code that the bundler adds.
  const directories = modules.map((id) =>
    id.startsWith("\0") ? "node_modules/rolldown" : DIRECTORY.exec(id)?.[0],
  );
  return [...new Set(directories)].filter((directory) => directory).map(readPackage);
}

/** Returns the files that list the packages, by their names. The same packages give the same files. */
export function noticeFiles(packages) {
  const byId = new Map(packages.map((one) => [`${one.name} ${one.version ?? ""}`.trim(), one]));
  const sorted = [...byId].sort(([a], [b]) => (a < b ? -1 : 1));
  const notices = sorted.map(([id, { license, text }]) => `${RULE}\n${id}\nLicense: ${license}\n\n${text}\n`);
  const { name, version, license } = JSON.parse(readFileSync("package.json", "utf8"));
  const sbom = {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: { component: { type: "application", ...component({ name, version, license }) } },
    components: sorted.map(([, one]) => ({ type: "library", ...component(one) })),
  };
  return {
    "THIRD-PARTY-NOTICES.txt": `This program contains code of the following packages.\n\n${notices.join("\n")}`,
    "sbom.cdx.json": `${JSON.stringify(sbom, null, 2)}\n`,
  };
}

function component({ name, version, license }) {
  // A font in a package has no version and is no package of npm.
  const purl = version && `pkg:npm/${name.replace("@", "%40")}@${version}`;
  const licenses = [license.includes(" ") ? { expression: license } : { license: { id: license } }];
  return { "bom-ref": purl, name, version, licenses, purl };
}

function readPackage(directory) {
  const { name, version, license, author } = JSON.parse(readFileSync(`${directory}/package.json`, "utf8"));
  const files = readdirSync(directory).filter((file) => LICENSE_FILE.test(file));
  const texts = files.sort().map((file) => readFileSync(`${directory}/${file}`, "utf8").trim());
  if (texts.length === 0 && license !== "MIT") throw new Error(`${name} ${version} has no license file.`);
  const text = texts.join("\n\n") || mitLicense(author?.name ?? author ?? `the authors of ${name}`);
  return { name, version, license, text: text.replaceAll("\r\n", "\n") };
}

/** Returns the text of the MIT license. Many packages state this license, and have no file with its text. */
function mitLicense(holder) {
  const own = readFileSync(new URL("../LICENSE", import.meta.url), "utf8").trim();
  return own.replace(/^Copyright .*$/m, () => `Copyright (c) ${holder}`);
}
