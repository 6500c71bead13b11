import { writeFileSync } from "node:fs";
import { benchFile, benchFolder } from "./bench-file.js";
import { findTailcall, tailcallConfiguration } from "./contestants/tailcall.js";
import type { Command } from "./processes/process-group.js";
import {
  type Dialect,
  gatewayDialect,
  meshDialect,
  proxyDialect,
  tailcallDialect,
} from "./workloads/contestant-api.js";

/** What every contestant is told: `PORT`, `UPSTREAM_URL`, `APP_ID`, `SECRET`, `MAX_CONCURRENCY` and `CACHE_MS`. */
export type Told = Readonly<Record<string, string>>;

/** What is the same for all of them. */
export const TOLD: Told = {
  APP_ID: "2222223",
  SECRET: "made-up-secret",
  MAX_CONCURRENCY: "64",
  CACHE_MS: "10000",
};

export interface Contestant {
  readonly name: string;
  readonly title: string;
  readonly dialect: Dialect;
  readonly path: string;
  /** The packages whose versions a reader wants to know. */
  readonly packages: readonly string[];
  /** How it is started. May throw when it cannot run on this machine. */
  command(told: Told): Command;
}

export const GATEWAY = "gateway";
export const NAIVE = "naive";
export const PROXY = "proxy";
/** Those that run on Apollo Server or on GraphQL Yoga, which Hive Gateway does too. */
export const APOLLO_OR_YOGA: readonly string[] = [NAIVE, "apollo-rest", "yoga", "mesh"];

export const SUPERGRAPH = benchFile("dist/supergraph.graphql");

export const contestants: readonly Contestant[] = [
  {
    name: GATEWAY,
    title: "This gateway",
    dialect: gatewayDialect,
    path: "/graphql",
    packages: [],
    command: ({ PORT = "", UPSTREAM_URL = "", APP_ID = "", SECRET = "", MAX_CONCURRENCY = "", ...rest }) => ({
      file: process.execPath,
      args: ["--max-semi-space-size=64", benchFile("../dist/main.js")],
      env: {
        PORT,
        PIOPIY_URL: UPSTREAM_URL,
        PIOPIY_ALLOW_HTTP: "true",
        PIOPIY_APP_ID: APP_ID,
        PIOPIY_SECRET: SECRET,
        PIOPIY_MAX_CONCURRENCY: MAX_CONCURRENCY,
        CACHE_TTL_MS: rest.CACHE_MS ?? "",
        AUTH: "none",
        RATE_LIMIT_PER_MINUTE: "0",
        ...(rest.WORKERS ? { WORKERS: rest.WORKERS } : {}),
      },
    }),
  },
  node(NAIVE, "Naive (type-graphql, Apollo, got)", "/graphql", gatewayDialect, [
    "type-graphql",
    "@apollo/server",
    "got",
  ]),
  node("apollo-rest", "Apollo Server + datasource-rest, cached", "/graphql", gatewayDialect, [
    "@apollo/server",
    "@apollo/datasource-rest",
  ]),
  node("yoga", "GraphQL Yoga + response cache", "/graphql", gatewayDialect, [
    "graphql-yoga",
    "@graphql-yoga/plugin-response-cache",
  ]),
  node("mercurius", "Mercurius + JIT + cache, undici", "/graphql", gatewayDialect, [
    "mercurius",
    "mercurius-cache",
    "undici",
  ]),
  {
    name: "mesh",
    title: "GraphQL Mesh, Hive Gateway",
    dialect: meshDialect,
    path: "/graphql",
    packages: ["@graphql-mesh/compose-cli", "@omnigraph/json-schema", "@graphql-hive/gateway"],
    command: ({ PORT = "", ...told }) => ({
      file: process.execPath,
      args: [
        ...[benchFile("node_modules/@graphql-hive/gateway/dist/bin.js"), "supergraph", SUPERGRAPH],
        ...["--config-path", benchFile("dist/contestants/mesh/gateway.config.js")],
        ...["--host", "127.0.0.1", "--port", PORT, "--jit"],
      ],
      env: told,
    }),
  },
  {
    name: "tailcall",
    title: "Tailcall (Rust, all cores)",
    dialect: tailcallDialect,
    path: "/graphql",
    packages: ["tailcall"],
    command(told) {
      const file = benchFile(`dist/tailcall-${told.PORT}.graphql`);
      writeFileSync(file, tailcallConfiguration(told));
      return {
        file: findTailcall(benchFolder).file,
        args: ["start", file],
        env: { TAILCALL_TRACKER: "false" },
      };
    },
  },
  node(PROXY, "Bare Fastify proxy, undici (the limit)", "/", proxyDialect, ["fastify", "undici"]),
];

function node(
  name: string,
  title: string,
  path: string,
  dialect: Dialect,
  packages: readonly string[],
): Contestant {
  const file = benchFile(`dist/contestants/${name}.js`);
  return {
    ...{ name, title, path, dialect, packages },
    command: (told) => ({ file: process.execPath, args: [file], env: told }),
  };
}
