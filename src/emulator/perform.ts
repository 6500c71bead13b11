import type { Endpoints } from "./endpoints.js";
import { type Fields, type OperationName, operations } from "./operations.js";
import { Refusal, refusals } from "./refusal.js";
import type { EmulatorSettings } from "./settings.js";

/** What a caller sent: a JSON object, or undefined for anything else. */
export type Body = Readonly<Record<string, unknown>> | undefined;

/** One call to PIOPIY: checked in PIOPIY's order, then done. */
export function perform(
  name: OperationName,
  body: Body,
  account: Pick<EmulatorSettings, "appId" | "secret">,
  endpoints: Endpoints,
): Fields | Refusal {
  if (!body) return refusals.malformed;
  const operation = operations[name];
  const parameters = ["appid", "secret", ...operation.parameters];

  const missing = parameters.filter((parameter) => isMissing(body[parameter]));
  if (missing.length > 0) return refusals.missing(missing);

  const unknown = Object.keys(body).filter((key) => !parameters.includes(key));
  if (unknown.length > 0) return refusals.unknown(unknown);

  const work = operation.prepare(body);
  if (work instanceof Refusal) return work;

  if (body.appid !== account.appId || body.secret !== account.secret) return refusals.wrongAccount;

  return work(endpoints);
}

function isMissing(value: unknown): boolean {
  return value === undefined || value === null || value === "";
}
