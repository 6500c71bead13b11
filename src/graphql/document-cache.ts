import type { DocumentNode } from "graphql";
import { LRUCache } from "lru-cache";

const MAX_BYTES = 30 * 1024 * 1024;
/** More than any document that the default limits allow; a larger one would push hundreds of others out. */
const MAX_DOCUMENT_BYTES = 2 * 1024 * 1024;
/** The key, and the entry that holds it. */
const ENTRY_BYTES = 500;
/**
 * Measured on Node 20: a token, the two nodes at most that it begins, and their locations retain up to 500 bytes. A comment is
 * a token without nodes and retains 110.
 */
const TOKEN_BYTES = 512;

/**
 * Caches documents by their hash, up to 30 MiB of what they retain; the least recently used go first. A document with a string
 * in it is not cached, since the string may be a password: a client that wants speed sends variables.
 */
export class DocumentCache<Document extends DocumentNode | string> {
  private readonly documents = new LRUCache<string, Document>({
    maxSize: MAX_BYTES,
    maxEntrySize: MAX_DOCUMENT_BYTES,
    sizeCalculation: retainedBytes,
  });

  async get(key: string): Promise<Document | undefined> {
    return this.documents.get(key);
  }

  async set(key: string, document: Document): Promise<void> {
    if (!textOf(document).includes('"')) this.documents.set(key, document);
  }

  async delete(key: string): Promise<boolean> {
    return this.documents.delete(key);
  }
}

/** A document without its source counts as one with a string in it. */
function textOf(document: DocumentNode | string): string {
  return typeof document === "string" ? document : (document.loc?.source.body ?? '"');
}

/** A parsed document refers to its whole source and, from its first token, to all others, comments too. */
function retainedBytes(document: DocumentNode | string): number {
  let bytes = ENTRY_BYTES + 2 * textOf(document).length;
  if (typeof document === "string") return bytes;
  for (let token = document.loc?.startToken ?? null; token; token = token.next) bytes += TOKEN_BYTES;
  return bytes;
}
