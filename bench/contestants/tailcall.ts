import { execFileSync } from "node:child_process";

const packages = ["tailcall", "tailcall-older"] as const;

/** Returns the newest installed package whose binary starts on this machine. The binaries need different C libraries. */
export function findTailcall(folder: URL): { name: string; file: string } {
  const reasons: string[] = [];
  for (const name of packages) {
    const file = new URL(`node_modules/${name}/bin/tailcall`, folder).pathname;
    try {
      execFileSync(file, ["--version"], { env: { TAILCALL_TRACKER: "false" }, timeout: 5000, stdio: "pipe" });
      return { name, file };
    } catch (error) {
      reasons.push(error instanceof Error ? error.message.trim() : String(error));
    }
  }
  throw new Error(`no installed Tailcall binary starts on this machine: ${reasons.at(-1)}`);
}

/** Returns Tailcall's configuration. Requests in flight are shared (`dedupe`), and responses are cached (`@cache`). */
export function tailcallConfiguration(environment: Readonly<Record<string, string>>): string {
  const { PORT, UPSTREAM_URL, APP_ID, SECRET, CACHE_MS, MAX_CONCURRENCY } = environment;
  const call = (operation: string, parameter: string) => {
    const body = JSON.stringify(`{"appid":${APP_ID},"secret":"${SECRET}",${parameter}}`);
    return `@http(url: "${UPSTREAM_URL}${operation}", method: POST, dedupe: true, body: ${body}) @cache(maxAge: ${CACHE_MS})`;
  };
  return `
schema
  @server(port: ${PORT}, hostname: "127.0.0.1", introspection: false, showcase: false)
  @upstream(poolMaxIdlePerHost: ${MAX_CONCURRENCY}) {
  query: Query
}
type Query {
  sipEndpoint(username: ID!): SipEndpoint ${call("get_sip", '"username":"{{.args.username}}"')}
  sipEndpointPage(page: Int!): SipEndpointPage ${call("list_sip", '"page":{{.args.page}}')}
}
type SipEndpoint {
  username: ID!
  connect_URL: String! @modify(name: "connectUrl")
  sipUri: String! @expr(body: "sip:{{.value.username}}@{{.value.connect_URL}}")
  audio: Boolean!
  video: Boolean!
  type: String!
}
type SipEndpointPage {
  list: SipEndpointList!
}
type SipEndpointList {
  count: Int!
  rows: [SipEndpointRow!]!
}
type SipEndpointRow {
  username: ID!
  sipEndpoint: SipEndpoint ${call("get_sip", '"username":"{{.value.username}}"')}
}
`;
}
