import fastify from "fastify";
import { settings } from "./settings.js";
import { post } from "./undici-client.js";

// The upper limit for a Node.js server: no GraphQL and no cache. PIOPIY's response is forwarded unchanged.

const server = fastify();
server.post<{ Body: { username: string } }>("/", ({ body }) => post("get_sip", { username: body.username }));
await server.listen({ host: "127.0.0.1", port: settings.port });
