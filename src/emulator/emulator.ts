import { isNativeError } from "node:util/types";
import { type FastifyReply, type FastifyRequest, fastify } from "fastify";
import { hostGuard } from "./control-guard.js";
import { addControlRoutes } from "./control-routes.js";
import { DataFile } from "./data-file.js";
import { Endpoints, startingEndpoints } from "./endpoints.js";
import { Faults } from "./faults.js";
import { addPhonePage } from "./phone-page.js";
import { addPiopiyRoutes, sendHtmlPage } from "./piopiy-routes.js";
import { RequestLog } from "./request-log.js";
import { SbcLoader } from "./sbc-loader.js";
import { EmulatorError, type EmulatorSettings } from "./settings.js";
import { handleUpgrades } from "./upgrades.js";

/** The `connect_URL` of endpoints, which leads nowhere. */
const DEFAULT_SBC = "sbc.emulator.example";

/** A running emulator of PIOPIY's SIP endpoint API. */
export interface Emulator {
  /** The base address of the emulated API, which replaces `https://piopiy.telecmi.com/v1/endpoint/`. */
  readonly url: string;
  /** The origin that the emulator listens on. The control routes are under `/_emulator/`, the phone for the browser is `/phone`. */
  readonly origin: string;
  /** Host and port for SIP over UDP and TCP. Undefined without `EMULATOR_SIP_PORT`. */
  readonly sipAddress: string | undefined;
  /** Stops listening and closes all connections, even those with requests in flight. */
  close(): Promise<void>;
}

/** Starts an emulator. Throws an `EmulatorError` when a setting must be changed. */
export async function startEmulator(settings: EmulatorSettings): Promise<Emulator> {
  const endpoints = openEndpoints(settings);
  const state = { settings, endpoints, requestLog: new RequestLog(), faults: new Faults() };
  const sbc = new SbcLoader(settings, endpoints);

  const server = fastify({
    forceCloseConnections: true,
    frameworkErrors: (_error, request, reply) => sendNotFound(request, reply),
  });
  // The routes parse the text themselves, since they respond differently to a body that is not JSON.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser("*", { parseAs: "string" }, (_request, body, done) => done(null, body));
  server.setNotFoundHandler(sendNotFound);
  server.setErrorHandler((error, _request, reply) => sendHtmlPage(reply, 500, String(error)));
  server.addHook("onRequest", hostGuard(settings));
  addPiopiyRoutes(server, state);
  addControlRoutes(server, state, sbc);
  addPhonePage(server);

  const closeUpgrades = handleUpgrades(server.server, async () => {
    const loaded = await sbc.load();
    return (...upgrade) => loaded.upgrade(...upgrade);
  });
  const closeAll = async () => {
    await sbc.close();
    closeUpgrades();
    await server.close();
  };

  let sipAddress: string | undefined;
  if (settings.sipPort !== undefined) {
    sipAddress = await (await sbc.load()).listen(settings.host, settings.sipPort);
    if (settings.sbc === undefined) endpoints.setSipAddress(sipAddress);
  }
  const listening = await server
    .listen({ host: settings.host, port: settings.port })
    .catch(async (error: unknown) => {
      await closeAll();
      throw new EmulatorError(explain(error, settings));
    });
  // To browsers, the unspecified address is another machine, whose pages get no microphone.
  const origin = listening.replace("//[::]", "//[::1]");
  return {
    url: `${origin}/v1/endpoint/`,
    origin,
    sipAddress,
    async close() {
      state.faults.clear();
      await closeAll();
    },
  };
}

function openEndpoints({ dataFile, sbc = DEFAULT_SBC }: EmulatorSettings): Endpoints {
  const file = dataFile === undefined ? undefined : new DataFile(dataFile);
  const stored = file?.read();
  const endpoints = new Endpoints(sbc, stored ?? [], (all) => file?.write(all));
  if (!stored) endpoints.replaceAll(startingEndpoints);
  return endpoints;
}

function sendNotFound(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return sendHtmlPage(reply, 404, `Cannot ${request.method} ${request.url.split("?", 1)[0]}`);
}

function explain(error: unknown, { host, port }: EmulatorSettings): string {
  if (isNativeError(error) && "code" in error && error.code === "EADDRINUSE") {
    return `Port ${port} on ${host} is in use. Set EMULATOR_PORT to another port, or to 0 for any free port.`;
  }
  return `The emulator cannot listen on ${host}, port ${port}: ${String(error)}`;
}
