import type { DocumentNode } from "graphql";
import { LRUCache } from "lru-cache";

const MAX_BYTES = 30 * 1024 * 1024;
/** Documents within the default limits are smaller. A larger document would evict hundreds of other documents. */
const MAX_DOCUMENT_BYTES = 2 * 1024 * 1024;
/** The size of the key and of its entry. */
const ENTRY_BYTES = 500;
/**
 * Measured on Node 20: a token, the nodes that begin with it (at most two) and their locations retain up to 500 bytes. A comment
 * is a token without nodes and retains 110 bytes.
 */
const TOKEN_BYTES = 512;

/**
 * Caches documents by their hash, up to 30 MiB of memory. The least recently used documents are evicted first. A document that
 * contains a string is not cached, since the string may be a password. To use the cache, clients send values as variables.
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

/** Returns the text of a document. If the text is unknown, returns a quotation mark, so that the document is not cached. */
function textOf(document: DocumentNode | string): string {
  return typeof document === "string" ? document : (document.loc?.source.body ?? '"');
}

/** Returns the memory of a document. A parsed one refers to its whole source and to all tokens, including comments. */
function retainedBytes(document: DocumentNode | string): number {
  let bytes = ENTRY_BYTES + 2 * textOf(document).length;
  if (typeof document === "string") return bytes;
  for (let token = document.loc?.startToken ?? null; token; token = token.next) bytes += TOKEN_BYTES;
  return bytes;
}
