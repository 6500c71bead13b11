import { readFileSync } from "node:fs";
import { GraphQLError, parse } from "graphql";
import { z } from "zod";
import type { Environment } from "./environment.js";

/** Which documents are known, and what becomes of others: they run, are logged and run, or are refused. */
export interface TrustedDocuments {
  readonly mode: "off" | "log" | "enforce";
  /** Documents by their hash, as clients send it. */
  readonly documents: ReadonlyMap<string, string>;
}

/** What the client preset of GraphQL Code Generator writes as `persisted-documents.json`. */
const manifestShape = z.record(z.string(), z.string());

/** Reads `TRUSTED_DOCUMENTS`, and the manifest where it is needed. */
export function readTrustedDocuments(environment: Environment): TrustedDocuments {
  const mode = environment.oneOf("TRUSTED_DOCUMENTS", ["off", "log", "enforce"], "off");
  if (mode === "off") return { mode, documents: new Map() };
  const file = environment.required("TRUSTED_DOCUMENTS_FILE", "the manifest of the documents to trust");
  return { mode, documents: file === "" ? new Map() : readManifest(file, environment) };
}

/** A mistake shows nothing of the file: its name may have been mistaken for another's. */
function readManifest(file: string, environment: Environment): ReadonlyMap<string, string> {
  try {
    const documents = Object.entries(manifestShape.parse(JSON.parse(readFileSync(file, "utf8"))));
    for (const [, text] of documents) parse(text);
    return new Map(documents);
  } catch (error) {
    const reason = error instanceof GraphQLError ? "a document does not parse" : Object(error).code;
    environment.mistakes.push(
      `TRUSTED_DOCUMENTS_FILE must name a JSON file like {"hash": "query …"}; ${JSON.stringify(file)} is none` +
        `${reason ? ` (${reason})` : ""}.`,
    );
    return new Map();
  }
}
