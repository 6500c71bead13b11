import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { ApolloGateway, IntrospectAndCompose, RemoteGraphQLDataSource } from "@apollo/gateway";
import { ApolloServer } from "@apollo/server";
import { ApolloServerPluginUsageReportingDisabled } from "@apollo/server/plugin/disabled";
import { ApolloServerPluginInlineTrace } from "@apollo/server/plugin/inlineTrace";
import { startStandaloneServer } from "@apollo/server/standalone";
import { buildProductSchema } from "./product-schema.js";

/** The fixed ports of the suite: it requests the gateway at this port, and its subgraphs listen on the others. */
const PORTS = { gateway: 4000, users: 4002, inventory: 4003 };

/** Makes a program of the suite listen on loopback only, and end with its parent. */
const PRELUDE = `data:text/javascript,
  import { Server } from "node:net";
  const { listen } = Server.prototype;
  Server.prototype.listen = function ({ port }, ready) {
    return listen.call(this, { port, host: "localhost" }, ready);
  };
  process.once("disconnect", () => process.exit());
`;

/** The products subgraph under test, the suite's two other subgraphs, and Apollo's gateway in front of them. */
export interface Supergraph {
  readonly productsUrl: string;
  close(): Promise<void>;
}

/** @param suite the directory of the suite */
export async function startSupergraph(suite: string): Promise<Supergraph> {
  for (const [name, port] of Object.entries(PORTS)) await checkThatFree(name, port);
  const opened: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const end of opened.splice(0).reverse()) await end();
  };
  const startServer = async (server: ApolloServer, port: number) => {
    const { url } = await startStandaloneServer(server, { listen: { port, host: "localhost" } });
    opened.push(() => server.stop());
    return url;
  };
  const startProgram = async (name: "users" | "inventory") => {
    const program = join(suite, "dist", "subgraphs", name, "index.js");
    const child = spawn(process.execPath, ["--import", PRELUDE, program], {
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      env: {},
    });
    opened.push(() => end(child));
    await readiness(name, child);
    return `http://localhost:${PORTS[name]}/`;
  };

  try {
    const products = new ApolloServer({
      schema: buildProductSchema(),
      plugins: [ApolloServerPluginInlineTrace()],
    });
    const productsUrl = await startServer(products, 0);
    const [users, inventory] = await Promise.all([startProgram("users"), startProgram("inventory")]);
    const subgraphs = Object.entries({ products: productsUrl, users, inventory });
    const gateway = new ApolloGateway({
      supergraphSdl: new IntrospectAndCompose({ subgraphs: subgraphs.map(([name, url]) => ({ name, url })) }),
      // The gateway's own fetch reuses connections, also one that the subgraph closes at this moment.
      buildService: ({ url }) => new RemoteGraphQLDataSource({ url: url ?? "", fetcher: fetchOnce }),
    });
    const plugins = [ApolloServerPluginUsageReportingDisabled()];
    await startServer(new ApolloServer({ gateway, plugins }), PORTS.gateway);
    return { productsUrl, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Requests over a connection of its own. */
const fetchOnce: RemoteGraphQLDataSource["fetcher"] = (url, init) =>
  fetch(url, { ...init, headers: { ...init?.headers, connection: "close" } } as RequestInit);

async function checkThatFree(name: string, port: number): Promise<void> {
  const server = createServer().listen(port, "localhost");
  await once(server, "listening").catch((cause) => {
    throw new Error(`Port ${port}, which Apollo's suite needs for its ${name}, is in use.`, {
      cause,
    });
  });
  server.close();
  await once(server, "close");
}

/** Waits until the program reports that it is ready. If it ends before that, throws its output. */
async function readiness(name: string, child: ChildProcess): Promise<void> {
  const output = child.stderr && text(child.stderr);
  const ended = once(child, "exit").then(async () => {
    throw new Error(`The suite's ${name} did not start: ${await output}`);
  });
  await Promise.race([once(child, "message"), ended]);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill();
  await once(child, "exit");
}
