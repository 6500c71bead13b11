import { readFileSync } from "node:fs";
import { composeServices } from "@apollo/composition";
import { type DocumentNode, parse } from "graphql";

export interface Subgraph {
  readonly name: string;
  readonly url: string;
  readonly typeDefs: DocumentNode;
}

/** Returns the gateway and the employee directory as input of a composition. */
export function subgraphs(
  piopiyUrl: string,
  employeesUrl: string,
  schema = "schema/subgraph.graphql",
): Subgraph[] {
  const read = (path: string) => parse(readFileSync(path, "utf8"));
  return [
    { name: "piopiy", url: piopiyUrl, typeDefs: read(schema) },
    { name: "employees", url: employeesUrl, typeDefs: read("test/support/employees/schema.graphql") },
  ];
}

/** Composes subgraphs into a supergraph, with Apollo's composition. */
export function compose(parts: Subgraph[]): string {
  const { supergraphSdl, errors } = composeServices(parts);
  if (!supergraphSdl) throw new Error(errors?.map(({ message }) => message).join("\n"));
  return supergraphSdl;
}
