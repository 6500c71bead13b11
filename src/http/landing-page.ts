import type { FastifyInstance, FastifyRequest, onRequestHookHandler } from "fastify";
import type { Config } from "../config.js";
import { allowsLocalPages } from "./cors.js";
import { isVisit, rootOf, sendPage, toHtml } from "./page.js";

/** A host that has no meaning in a shell. */
const HOST = /^([\w.-]+|\[[\da-f:.]+\])(:\d+)?$/i;
const placeholders = { none: undefined, "api-key": "API_KEY", jwt: "TOKEN" };
const documents = [
  ["Clients", "docs/clients.md"],
  ["Errors", "docs/errors.md"],
  ["Telephony", "docs/telephony.md"],
  ["Authentication", "docs/authentication.md"],
  ["Configuration", "docs/configuration.md"],
  ["Operations", "docs/operations.md"],
  ["Federation", "docs/federation.md"],
];

/**
 * Creates the hook that sends a page about the GraphQL API to a browser that opens its address without an operation. The page shows
 * a first request, the kind of the credential that it needs, and whether pages of this machine may send requests. It contains no
 * other settings.
 */
export function sendApiPage(config: Config): onRequestHookHandler {
  const purpose = toHtml(
    "This is the address of a GraphQL API, to which clients send `POST` requests with JSON.",
  );
  return (request, reply, done) => {
    if (!isVisit(request) || /[?&](query|documentId|extensions)=/.test(request.url)) return done();
    return sendPage(request, reply, "GraphQL API", `<p>${purpose}</p>\n${firstSteps(request, config)}`);
  };
}

/**
 * Adds the route `/`: a page with links for a browser, and the addresses of the gateway as JSON for other clients.
 *
 * @param phonePage URL of the phone for the browser of the embedded emulator
 */
export function addLandingPage(server: FastifyInstance, config: Config, phonePage?: string): void {
  const addresses = {
    graphql: "/graphql",
    ...(config.graphiql && { graphiql: "/graphiql" }),
    ...(phonePage && { phonePage }),
    health: { live: "/health/live", ready: "/health/ready" },
  };
  server.get("/", (request, reply) =>
    isVisit(request)
      ? sendPage(request, reply, "First steps", landingContent(request, config, phonePage))
      : reply.header("cache-control", "no-store").send(addresses),
  );
}

function landingContent(request: FastifyRequest, config: Config, phonePage: string | undefined): string {
  const names = documents.map(([name = "", path = ""]) => `<li>${name}: <code>${path}</code></li>`);
  return `<p>A GraphQL API for the SIP endpoints and the call control of PIOPIY, the cloud telephony platform of TeleCMI.</p>
${phonePage ? `<p><a href="${phonePage}">Open a phone</a> of the PIOPIY emulator, to call other phones on this machine.</p>` : ""}
${firstSteps(request, config)}
<h2>Health</h2>
<p><a href="health/live">Live</a>, <a href="health/ready">ready</a></p>
<h2>Documentation</h2>
<p>In the repository of the gateway:</p>
<ul>
${names.join("\n")}
</ul>`;
}

function firstSteps(request: FastifyRequest, config: Config): string {
  const graphiql = `<p><a href="${rootOf(request)}graphiql">Open GraphiQL</a> to explore the API in this browser.</p>`;
  const origins = allowsLocalPages(config.corsOrigins)
    ? "Pages of `http://localhost` and `http://127.0.0.1` may send requests, from any port. If the variable `CORS_ORIGINS` of the gateway " +
      "is set, only pages of the origins in it may, such as `CORS_ORIGINS=https://app.example.com,http://localhost:3000`."
    : "A page of another origin may send requests if the variable `CORS_ORIGINS` of the gateway contains its origin, such as " +
      "`CORS_ORIGINS=https://app.example.com`.";
  return `${config.graphiql ? graphiql : ""}
${config.trustedDocuments.mode === "enforce" ? "" : firstRequest(request, config)}
<h2>Web applications</h2>
<p>${toHtml(origins)}</p>`;
}

function firstRequest(request: FastifyRequest, config: Config): string {
  const placeholder = placeholders[config.auth.mode];
  const lines = [
    `curl '${addressOf(request, config)}/graphql'`,
    "-H 'content-type: application/json'",
    ...(placeholder ? [`-H 'authorization: Bearer ${placeholder}'`] : []),
    `-d '{"query":"{ sipEndpoints(first: 3) { nodes { username } } }"}'`,
  ];
  const advice = placeholder ? `<p>${toHtml(`Replace \`${placeholder}\` by your own.`)}</p>` : "";
  return `<h2>First request</h2>
<pre tabindex="0"><code>${toHtml(lines.join(" \\\n  "))}</code></pre>
${advice}`;
}

/** Returns the address of the gateway as the browser uses it. It has a path only if `PUBLIC_URL` has the same host. */
function addressOf({ protocol, host, server }: FastifyRequest, { answer }: Config): string {
  if (answer?.publicUrl && new URL(answer.publicUrl).host === host) return answer.publicUrl;
  return HOST.test(host) ? `${protocol}://${host}` : server.listeningOrigin;
}
