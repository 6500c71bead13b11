import { HttpConnection } from "./http-connection.js";

/** The connections of one job. `broken` is rejected when one of them breaks. */
export class Connections {
  readonly broken: Promise<never>;
  readonly #all: HttpConnection[] = [];
  readonly #url: URL;
  #fail: (error: Error) => void = () => undefined;

  constructor(url: string) {
    this.#url = new URL(url);
    this.broken = new Promise((_, reject) => {
      this.#fail = reject;
    });
    this.broken.catch(() => undefined);
  }

  async open(): Promise<HttpConnection> {
    const connection = new HttpConnection(this.#url, this.#fail);
    this.#all.push(connection);
    await connection.opened;
    return connection;
  }

  openMany(count: number): Promise<HttpConnection[]> {
    return Promise.all(Array.from({ length: count }, () => this.open()));
  }

  close(): void {
    for (const connection of this.#all) connection.close();
  }
}
