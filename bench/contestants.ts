import { writeFileSync } from "node:fs";
import { benchFile, benchFolder } from "./bench-file.js";
import { composeSupergraph, SUPERGRAPH } from "./contestants/mesh/supergraph.js";
import { findTailcall, tailcallConfiguration } from "./contestants/tailcall.js";
import type { Command } from "./processes/process-group.js";
import {
  type ContestantApi,
  gatewayApi,
  graphApi,
  meshApi,
  restApi,
  tailcallApi,
} from "./workloads/contestant-api.js";

/** The environment variables of every contestant: `PORT`, `UPSTREAM_URL`, `APP_ID`, `SECRET`, `MAX_CONCURRENCY` and `CACHE_MS`. */
export type Environment = Readonly<Record<string, string>>;

/** The variables that are the same for all contestants. */
export const COMMON_ENVIRONMENT: Environment = {
  APP_ID: "2222223",
  SECRET: "made-up-secret",
  MAX_CONCURRENCY: "64",
  CACHE_MS: "10000",
};

export interface Contestant {
  readonly name: string;
  readonly title: string;
  readonly api: ContestantApi;
  readonly path: string;
  /** The packages whose versions are reported. */
  readonly packages: readonly string[];
  /** Prepares files before the run, outside all measured times. */
  prepare?(environment: Environment): Promise<void>;
  /** Returns the command that starts the contestant. Throws when it cannot run on this machine. */
  command(environment: Environment): Command;
}

export const GATEWAY = "gateway";
export const NAIVE = "naive";
/** The contestants that are built on Apollo Server or GraphQL Yoga. Hive Gateway (`mesh`) is built on Yoga. */
export const APOLLO_OR_YOGA: readonly string[] = [NAIVE, "apollo-rest", "yoga", "mesh"];

export const contestants: readonly Contestant[] = [
  {
    name: GATEWAY,
    title: "This gateway",
    api: gatewayApi,
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
        WORKERS: rest.WORKERS ?? "",
        METRICS_PORT: rest.METRICS_PORT ?? "",
      },
    }),
  },
  nodeProgram(NAIVE, "Naive (type-graphql, Apollo, got)", "/graphql", graphApi, [
    "type-graphql",
    "@apollo/server",
    "got",
  ]),
  nodeProgram("apollo-rest", "Apollo Server + datasource-rest, cached", "/graphql", graphApi, [
    "@apollo/server",
    "@apollo/datasource-rest",
  ]),
  nodeProgram("yoga", "GraphQL Yoga + response cache", "/graphql", graphApi, [
    "graphql-yoga",
    "@graphql-yoga/plugin-response-cache",
  ]),
  nodeProgram("mercurius", "Mercurius + JIT + cache, undici", "/graphql", graphApi, [
    "mercurius",
    "mercurius-cache",
    "undici",
  ]),
  {
    name: "mesh",
    title: "GraphQL Mesh, Hive Gateway",
    api: meshApi,
    path: "/graphql",
    packages: ["@graphql-mesh/compose-cli", "@omnigraph/json-schema", "@graphql-hive/gateway"],
    prepare: composeSupergraph,
    command: ({ PORT = "", ...environment }) => ({
      file: process.execPath,
      args: [
        ...[benchFile("node_modules/@graphql-hive/gateway/dist/bin.js"), "supergraph", SUPERGRAPH],
        ...["--config-path", benchFile("dist/contestants/mesh/gateway.config.js")],
        ...["--host", "127.0.0.1", "--port", PORT, "--jit"],
      ],
      env: environment,
    }),
  },
  {
    name: "tailcall",
    title: "Tailcall (Rust, all cores)",
    api: tailcallApi,
    path: "/graphql",
    packages: ["tailcall"],
    command(environment) {
      const file = benchFile(`dist/tailcall-${environment.PORT}.graphql`);
      writeFileSync(file, tailcallConfiguration(environment));
      return {
        file: findTailcall(benchFolder).file,
        args: ["start", file],
        env: { TAILCALL_TRACKER: "false" },
      };
    },
  },
  nodeProgram("proxy", "Bare Fastify proxy, undici (the limit)", "/", restApi, ["fastify", "undici"]),
];

function nodeProgram(
  name: string,
  title: string,
  path: string,
  api: ContestantApi,
  packages: readonly string[],
): Contestant {
  const file = benchFile(`dist/contestants/${name}.js`);
  return {
    ...{ name, title, path, api, packages },
    command: (environment) => ({ file: process.execPath, args: [file], env: environment }),
  };
}
