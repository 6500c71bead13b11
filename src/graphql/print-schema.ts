import "reflect-metadata";
import { writeFileSync } from "node:fs";
import { pcmoJsonSchema } from "../pcmo/document.js";
import { buildGatewaySchema } from "./schema.js";
import { printClientSdl, printSubgraphSdl, printSubgraphSdlWithoutSecurity } from "./subgraph.js";

const schema = buildGatewaySchema();
const write = (name: string, text: string) => writeFileSync(`schema/${name}`, text);
write("schema.graphql", printClientSdl(schema));
write("subgraph.graphql", printSubgraphSdl(schema));
write("subgraph.without-security.graphql", printSubgraphSdlWithoutSecurity(schema));
write("pcmo.schema.json", `${JSON.stringify(pcmoJsonSchema(), null, 2)}\n`);
