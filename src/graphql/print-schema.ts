import "reflect-metadata";
import { writeFileSync } from "node:fs";
import { pcmoJsonSchema } from "../pcmo/document.js";
import { buildGatewaySchema } from "./schema.js";
import { printSdl, printSdlWithoutSecurity } from "./subgraph.js";

const schema = buildGatewaySchema();
const write = (name: string, text: string) => writeFileSync(`schema/${name}`, text);
write("schema.graphql", printSdl(schema));
write("schema.without-security.graphql", printSdlWithoutSecurity(schema));
write("pcmo.schema.json", `${JSON.stringify(pcmoJsonSchema(), null, 2)}\n`);
