import type { KeyValueCache } from "@apollo/utils.keyvaluecache";
import type { TrustedDocuments } from "../trusted-documents.js";
import { DocumentCache } from "./document-cache.js";

/** Where Apollo Server finds the text of a document by its hash: in the manifest, or where a client registered it before. */
export class PersistedQueries extends DocumentCache<string> implements KeyValueCache<string> {
  constructor(private readonly trusted: TrustedDocuments) {
    super();
  }

  override async get(key: string): Promise<string | undefined> {
    return this.trusted.documents.get(key.replace("apq:", "")) ?? super.get(key);
  }
}
