import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { Ajv } from "ajv";

interface Component {
  readonly name: string;
  readonly version?: string;
  readonly purl?: string;
  readonly licenses: readonly [
    { readonly expression: string } | { readonly license: { readonly id: string } },
  ];
}

const readJson = (path: string) => JSON.parse(readFileSync(path, "utf8"));
const sbom: { readonly metadata: object; readonly components: readonly Component[] } =
  readJson("dist/sbom.cdx.json");
const notices = readFileSync("dist/THIRD-PARTY-NOTICES.txt", "utf8");
const page: {
  readonly page: string;
  readonly packages: readonly { readonly name: string; readonly version?: string }[];
} = readJson("notices/graphiql-packages.json");
const idOf = ({ name, version = "" }: { readonly name: string; readonly version?: string }) =>
  `${name} ${version}`.trim();
const licenseOf = ({ licenses: [one] }: Component) => ("license" in one ? one.license.id : one.expression);

const sections = readFileSync("docs/dependencies.md", "utf8").split(/^## /m);
const licenses = sections.find((section) => section.startsWith("Accepted licenses")) ?? "";
const accepted = [...licenses.matchAll(/^- `([^`]+)`/gm)].map(([, id]) => id);

/** Returns whether a license is accepted. Of an expression, each part with AND and one part with OR must be accepted. */
function isAccepted(license: string): boolean {
  const parts = license.replaceAll(/[()]/g, "").split(" AND ");
  return parts.every((part) => part.split(" OR ").some((id) => accepted.includes(id)));
}

/** Returns the packages that the source maps of the newest build name. */
function packagesInSourceMaps(): string[] {
  const [, build = ""] = /([\da-f]{32})/.exec(readFileSync("dist/main.js", "utf8")) ?? [];
  const maps = [`dist/${build}/program`, `dist/${build}/dist/phone-page`].flatMap((directory) =>
    readdirSync(directory, { recursive: true })
      .map((name) => join(directory, String(name)))
      .filter((path) => path.endsWith(".map")),
  );
  const sources = maps.flatMap((path) =>
    (readJson(path).sources as string[]).map((source) => join(path, "..", source)),
  );
  const directories = sources.map((source) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(source)?.[0] ?? []);
  return [...new Set(directories.flat())].map((directory) => idOf(readJson(`${directory}/package.json`)));
}

describe("The lists of bundled packages", () => {
  const ids = sbom.components.map(idOf);

  it("name each package of the bundle with its version, and each package of the GraphiQL page", () => {
    const bundled = packagesInSourceMaps();
    expect(bundled.length).toBeGreaterThan(100);
    // Helpers that the bundler adds have no source map.
    expect(
      [...new Set([...bundled, ...page.packages.map(idOf), `rolldown ${versionOf("rolldown")}`])].sort(),
    ).toEqual([...ids].sort());
    expect(ids).toEqual(
      expect.arrayContaining([
        `got ${versionOf("got")}`,
        `jssip ${versionOf("jssip")}`,
        "react 19.2.0",
        "Roboto",
      ]),
    );
  });

  it("do not name packages that are used at build time and in tests only", () => {
    expect(
      sbom.components.map(({ name }) => name).filter((name) => /jest|biome|^typescript$/.test(name)),
    ).toEqual([]);
  });

  it("contain the license text of each package", () => {
    const texts = notices.split(/^={100}\n/m).slice(1);
    expect(texts.map((section) => section.split("\n", 1)[0]).sort()).toEqual([...ids].sort());
    expect(
      texts.filter(
        (section) => !/copyright|permission|licen[cs]e/i.test(section.split("\n\n").slice(1).join()),
      ),
    ).toEqual([]);
    expect(notices).toContain("Copyright (c) Meta Platforms, Inc. and affiliates.");
    expect(notices).toContain("Blue Oak Model License");
  });

  it("list the packages of the version of the GraphiQL page that is installed", () => {
    const advice = "Run `node notices/update-graphiql-packages.js VERSION`.";
    expect({ advice, version: page.page }).toEqual({
      advice,
      version: versionOf("@graphql-yoga/render-graphiql"),
    });
  });

  it("are a valid CycloneDX document, with the gateway as its subject", () => {
    const schemas = "node_modules/@cyclonedx/cyclonedx-library/res/schema";
    const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
    for (const name of ["jsf-0.82.SNAPSHOT.schema.json", "spdx.SNAPSHOT.schema.json"]) {
      ajv.addSchema(readJson(`${schemas}/${name}`), `http://cyclonedx.org/schema/${name}`);
    }
    const validate = ajv.compile(readJson(`${schemas}/bom-1.6.SNAPSHOT.schema.json`));
    validate(sbom);
    expect(validate.errors).toBeNull();
    const { name, version } = readJson("package.json");
    expect(sbom.metadata).toMatchObject({ component: { name, version, purl: `pkg:npm/${name}@${version}` } });
    expect(sbom.components.find(({ name }) => name === "@fastify/cors")?.purl).toBe(
      `pkg:npm/%40fastify/cors@${versionOf("@fastify/cors")}`,
    );
  });
});

describe("The licenses of bundled packages", () => {
  it.each([
    ["MIT", true],
    ["(MIT AND BSD-3-Clause)", true],
    ["(MIT OR GPL-3.0-only)", true],
    ["(MIT AND Elastic-2.0)", false],
    ["Elastic-2.0", false],
    ["AGPL-3.0-only", false],
    ["BUSL-1.1", false],
    ["SSPL-1.0", false],
    ["UNLICENSED", false],
  ])("%s is on the list of docs/dependencies.md: %s", (license, expected) => {
    expect(isAccepted(license)).toBe(expected);
  });

  it("are all on the list of docs/dependencies.md", () => {
    const refused = sbom.components.filter((one) => !isAccepted(licenseOf(one)));
    expect(refused.map((one) => `${idOf(one)}: ${licenseOf(one)}`)).toEqual([]);
  });

  it("include each license on the list, so that the list has no license without a use", () => {
    const used = new Set(sbom.components.flatMap((one) => licenseOf(one).match(/[\w.-]+/g) ?? []));
    expect(accepted.filter((id) => !used.has(id ?? ""))).toEqual([]);
  });
});

function versionOf(name: string): string {
  return readJson(`node_modules/${name}/package.json`).version;
}
