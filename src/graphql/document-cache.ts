import { InMemoryLRUCache, type KeyValueCache } from "@apollo/utils.keyvaluecache";

const MAX_BYTES = 30 * 1024 * 1024;

/**
 * Keeps documents by their hash, up to 30 MiB; the longest unused go first. A document with a string in it is not kept,
 * since the string may be a password: whoever wants speed sends variables.
 */
export class DocumentCache<Document extends {}> implements KeyValueCache<Document> {
  private readonly documents = new InMemoryLRUCache<Document>({ maxSize: MAX_BYTES });

  constructor(private readonly textOf: (document: Document) => string) {}

  async get(key: string): Promise<Document | undefined> {
    return this.documents.get(key);
  }

  async set(key: string, document: Document): Promise<void> {
    if (!this.textOf(document).includes('"')) await this.documents.set(key, document);
  }

  async delete(key: string): Promise<boolean> {
    return this.documents.delete(key);
  }
}
