import "reflect-metadata";
import { writeFileSync } from "node:fs";
import { printSubgraphSchema } from "@apollo/subgraph";
import { buildGatewaySchema } from "./schema.js";

writeFileSync(
  new URL("../../schema/schema.graphql", import.meta.url),
  `${printSubgraphSchema(buildGatewaySchema())}\n`,
);
