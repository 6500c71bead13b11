import fastify from "fastify";
import { settings } from "./settings.js";
import { post } from "./undici-client.js";

// The limit: no GraphQL, no cache, PIOPIY's response as it came.

const server = fastify();
server.post<{ Body: { username: string } }>("/", ({ body }) => post("get_sip", { username: body.username }));
await server.listen({ host: "127.0.0.1", port: settings.port });
