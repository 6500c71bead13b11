import { createHash } from "node:crypto";
import type { ApolloServerPlugin } from "@apollo/server";
import { sortExecutableDocument } from "@graphql-tools/documents";
import { type DocumentNode, parse, print } from "graphql";
import type { Config } from "../../config.js";
import { GatewayError } from "../../errors.js";
import { truncate } from "../../format-value.js";
import type { Context } from "../context.js";
import { DocumentCache } from "../document-cache.js";

/**
 * Rejects documents that are not in the manifest of trusted documents. In the mode `log`, only logs them. A client sends the hash
 * or the text of a document. The text may differ from the manifest in spaces, comments and the order of fields, since the client
 * preset of GraphQL Code Generator sorts the fields. The log contains only the hash, since the text may contain a password.
 */
export function trustedDocumentsPlugin({
  mode,
  documents,
}: Config["trustedDocuments"]): ApolloServerPlugin<Context> {
  if (mode === "off") return {};
  const trusted = new Set([...documents.values()].map((text) => normalize(parse(text))));
  return {
    async requestDidStart() {
      return {
        async didResolveOperation({ document, operationName, contextValue: { client, log } }) {
          const text = normalize(document);
          if (trusted.has(text)) return;
          const sha256 = createHash("sha256").update(text).digest("hex");
          log.warn(
            { operationName: operationName && truncate(operationName), sha256, who: client.name },
            "document not trusted",
          );
          if (mode === "log") return;
          throw new GatewayError(
            "DOCUMENT_NOT_TRUSTED",
            "The document is not trusted. This gateway executes trusted documents only. Ask its operator to add the document to TRUSTED_DOCUMENTS_FILE.",
          );
        },
      };
    },
  };
}

function normalize(document: DocumentNode): string {
  return print(sortExecutableDocument(document));
}

/** Caches documents by their hash for persisted documents. The documents of the manifest are always available. */
export class PersistedQueryCache extends DocumentCache<string> {
  private readonly trusted: ReadonlyMap<string, string>;

  constructor({ documents }: Config["trustedDocuments"]) {
    super();
    this.trusted = new Map([...documents].map(([id, text]) => [withoutAlgorithm(id), text]));
  }

  override async get(key: string): Promise<string | undefined> {
    return this.trusted.get(key.replace("apq:", "")) ?? super.get(key);
  }
}

/** Returns the id of a document without the prefix `sha256:`, which is optional. */
export function withoutAlgorithm(documentId: string): string {
  return documentId.replace(/^sha256:/, "");
}
