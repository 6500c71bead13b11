import fastify from "fastify";
import { settings, tellStart } from "./settings.js";
import { call } from "./undici-client.js";

// The limit: no GraphQL, no cache, the answer of PIOPIY as it came.

const server = fastify();
server.post<{ Body: { username: string } }>("/", ({ body }) => call("get_sip", { username: body.username }));
await server.listen({ host: "127.0.0.1", port: settings.port });
tellStart("The bare proxy");
