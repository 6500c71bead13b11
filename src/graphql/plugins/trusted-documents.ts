import { createHash } from "node:crypto";
import type { ApolloServerPlugin } from "@apollo/server";
import { sortExecutableDocument } from "@graphql-tools/documents";
import { type DocumentNode, parse, print } from "graphql";
import type { Config } from "../../config.js";
import { GatewayError } from "../../errors.js";
import { truncate } from "../../format-value.js";
import type { Context } from "../context.js";
import { DocumentCache } from "../document-cache.js";

/** A prefix of ids in a manifest and in requests. */
const ALGORITHM = "sha256:";

/**
 * Rejects documents that are not in the manifest of trusted documents. In the mode `log`, only logs them. A client sends the hash
 * or the text of a document. The text may differ from the manifest in spaces, comments and the order of fields, since the client
 * preset of GraphQL Code Generator sorts the fields. The log contains only the hash, since the text may contain a password.
 */
export function trustedDocumentsPlugin({
  mode,
  documents,
}: Config["trustedDocuments"]): ApolloServerPlugin<Context> {
  if (!documents) return {};
  let manifest = documents.current;
  let trusted = normalizeAll(manifest);
  const isTrusted = (text: string) => {
    if (manifest !== documents.current) {
      manifest = documents.current;
      trusted = normalizeAll(manifest);
    }
    return trusted.has(text);
  };
  return {
    async requestDidStart() {
      return {
        async didResolveOperation({ document, operationName, contextValue: { client, log } }) {
          const text = normalize(document);
          if (isTrusted(text)) return;
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

function normalizeAll(manifest: ReadonlyMap<string, string>): ReadonlySet<string> {
  return new Set([...manifest.values()].map((text) => normalize(parse(text))));
}

function normalize(document: DocumentNode): string {
  return print(sortExecutableDocument(document));
}

/** Caches documents by their hash for persisted documents. The documents of the manifest are always available. */
export class PersistedQueryCache extends DocumentCache<string> {
  readonly #manifest: Config["trustedDocuments"]["documents"];

  constructor({ documents }: Config["trustedDocuments"]) {
    super();
    this.#manifest = documents;
  }

  override async get(key: string): Promise<string | undefined> {
    const id = key.replace("apq:", "");
    const manifest = this.#manifest?.current;
    const plain = id.startsWith(ALGORITHM) ? undefined : manifest?.get(id);
    return plain ?? manifest?.get(ALGORITHM + id) ?? super.get(key);
  }
}

/** Returns the id of a document without the prefix `sha256:`, which is optional. */
export function withoutAlgorithm(documentId: string): string {
  return documentId.startsWith(ALGORITHM) ? documentId.slice(ALGORITHM.length) : documentId;
}
