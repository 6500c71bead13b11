// Serves a supergraph like Hive Gateway's command line: supergraph FILE --config-path FILE, on PORT (default 4000).
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { createGatewayRuntime } from "@graphql-hive/gateway-runtime";

const { values, positionals } = parseArgs({
  options: { "config-path": { type: "string" } },
  allowPositionals: true,
});
const { gatewayConfig } = await import(pathToFileURL(resolve(values["config-path"])));
const supergraph = readFileSync(positionals[1], "utf8");
createServer(createGatewayRuntime({ supergraph, ...gatewayConfig })).listen(process.env.PORT ?? 4000);
