import { originOf } from "../gateway/built-gateway.js";
import { startProgram } from "../program.js";
import type { LoopbackNetwork } from "./loopback-network.js";

// The addresses are those in docs/telephony.md.

export const SIP_PORT = 5070;
const GATEWAY = "http://127.0.0.1:4000";
export const EMULATOR = "http://127.0.0.1:5080";

/** The gateway as `npm start` starts it, with the embedded emulator and its SBC. */
export interface LoopbackGateway {
  /** Executes a GraphQL operation, and returns its data. Throws when the response has errors. */
  // biome-ignore lint/suspicious/noExplicitAny: tests select many shapes.
  execute(query: string, variables?: Record<string, unknown>): Promise<any>;
  /** Sends a request to a control route of the emulator, such as `live-calls`. */
  // biome-ignore lint/suspicious/noExplicitAny: the routes return many shapes.
  control(route: string, body?: unknown): Promise<any>;
  /** Returns an answer URL that rings endpoints. */
  answerUrl(input: Record<string, unknown>): Promise<string>;
  /** Its output so far. */
  log(): string;
}

/** Starts the gateway in a network. `killPrograms` kills it. */
export async function startLoopbackGateway(network: LoopbackNetwork): Promise<LoopbackGateway> {
  const command = network.inside([process.execPath, "--env-file=.env.emulator", "dist/main.js"]);
  const settings = { EMULATOR_PORT: "5080", EMULATOR_SIP_PORT: String(SIP_PORT) };
  const program = startProgram(command, settings);
  await originOf(program);
  const gateway: LoopbackGateway = {
    async execute(query, variables) {
      const { data, errors } = await network.request(`${GATEWAY}/graphql`, { query, variables });
      if (errors) throw new Error(`The response has errors: ${JSON.stringify(errors)}`);
      return data;
    },
    control: (route, body) => network.request(`${EMULATOR}/_emulator/${route}`, body),
    async answerUrl(input) {
      const query =
        "query ($input: ConnectActionInput!) { connectAction(input: $input) { answerUrl userErrors { message } } }";
      const { answerUrl, userErrors } = (await gateway.execute(query, { input })).connectAction;
      if (!answerUrl) throw new Error(JSON.stringify(userErrors));
      return answerUrl;
    },
    log: () => program.output.stdout + program.output.stderr,
  };
  return gateway;
}
