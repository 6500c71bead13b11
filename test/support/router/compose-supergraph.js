// Composes the subgraphs of schema/supergraph.yaml into schema/supergraph.graphql, like rover.
import { readFileSync, writeFileSync } from "node:fs";
import { composeServices } from "@apollo/composition";
import { parse } from "graphql";

const schema = new URL("../../../schema/", import.meta.url);
const config = readFileSync(new URL("supergraph.yaml", schema), "utf8");
const subgraphs = config.matchAll(/^ {2}(\w+):\n +routing_url: (\S+)\n +schema:\n +file: (\S+)$/gm);
const services = Array.from(subgraphs, ([, name, url, file]) => ({
  name,
  url,
  typeDefs: parse(readFileSync(new URL(file, schema), "utf8")),
}));
const { supergraphSdl, errors } = composeServices(services);
if (!supergraphSdl) throw new Error(errors.map(({ message }) => message).join("\n"));
writeFileSync(new URL("supergraph.graphql", schema), supergraphSdl);
