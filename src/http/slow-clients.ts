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
 * Limits what clients that do not read can keep in memory: one response a connection, for 20 seconds. Pipelined requests
 * wait for the response to the one before, and a connection with too many of them is closed.
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
      // Other connections come first: a whole pipeline would else run at once.
      setImmediate(() => {
        // Without a connection there is nobody to respond to: the request is dropped.
        if (socket.writable) done();
      });
    });
  });
  server.addHook("onSend", ({ socket }, { raw }, _payload, done) => {
    // A reset, since the system would go on offering what it has not sent.
    const timer = setTimeout(() => socket.resetAndDestroy(), SEND_TIMEOUT_MS).unref();
    raw.once("close", () => clearTimeout(timer));
    done();
  });
}
