import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { FastifyInstance } from "fastify";

/** How long a client may take to receive a response. */
const SEND_TIMEOUT_MS = 20_000;
/** How many pipelined requests of a connection may wait. */
const MAX_PIPELINED = 100;

interface Pipeline {
  /** The response to the newest request. */
  last?: ServerResponse;
  waiting: number;
}

/**
 * Limits the memory that clients occupy when they do not read responses: one response per connection, for 20 seconds. A pipelined
 * request waits for the response to the previous request. A connection with too many waiting requests is closed.
 */
export function limitSlowClients(server: FastifyInstance): void {
  const pipelines = new WeakMap<Socket, Pipeline>();
  server.addHook("onRequest", ({ socket }, { raw }, done) => {
    const pipeline = pipelines.get(socket) ?? { waiting: 0 };
    pipelines.set(socket, pipeline);
    const previous = pipeline.last;
    pipeline.last = raw;
    if (!previous || previous.closed) return done();
    if (++pipeline.waiting > MAX_PIPELINED) return void socket.resetAndDestroy();
    previous.once("close", () => {
      pipeline.waiting--;
      // Lets the requests of other connections run first: otherwise a whole pipeline would run without interruption.
      setImmediate(() => {
        // The request is dropped when its connection is closed.
        if (socket.writable) done();
      });
    });
  });
  server.addHook("onSend", ({ socket }, { raw }, _payload, done) => {
    // Resets the connection: after a normal close, the operating system would keep the unsent data in memory.
    const timer = setTimeout(() => socket.resetAndDestroy(), SEND_TIMEOUT_MS).unref();
    raw.once("close", () => clearTimeout(timer));
    done();
  });
}
