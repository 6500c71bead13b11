import type { Fields } from "./operations.js";
import { Refusal } from "./refusal.js";
import type { EmulatorSettings } from "./settings.js";

/** An answer as it goes over the wire. */
interface Answer {
  readonly status: number;
  readonly body: { readonly code: string | number; readonly [field: string]: unknown };
}

/** Gives an outcome the status, the code and the booleans that the settings ask for. */
export function spell(
  outcome: Fields | Refusal,
  settings: Pick<EmulatorSettings, "errors" | "codes" | "booleans">,
): Answer {
  const code = (number: number) => (settings.codes === "number" ? number : `cmi-${number}`);
  if (outcome instanceof Refusal) {
    const mark = settings.codes === "number" ? { error: true } : {};
    return {
      status: settings.errors === "status" ? outcome.code : 200,
      body: { code: code(outcome.code), ...mark, msg: outcome.message },
    };
  }
  const fields = settings.booleans === "string" ? booleansAsStrings(outcome) : outcome;
  return { status: 200, body: { code: code(200), ...fields } };
}

function booleansAsStrings(fields: Fields): Fields {
  const spelled = Object.entries(fields).map(([name, value]) => [
    name,
    typeof value === "boolean" ? String(value) : value,
  ]);
  return Object.fromEntries(spelled);
}
