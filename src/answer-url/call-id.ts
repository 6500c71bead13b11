const CALL_ID_KEYS = ["cmiuuid", "cmiuid", "cmuuid", "conversation_uuid", "request_id"];
const MAX_CALL_ID_LENGTH = 100;

/**
 * Finds the id of the call in the body of PIOPIY's call webhook, whatever it is: JSON in the spellings of several years,
 * or a form. Undefined when there is none that is fit for a log.
 */
export function callIdOf(body: string): string | undefined {
  const fields = parse(body);
  const values = CALL_ID_KEYS.map((key) => fields.get(key)).filter((value) => typeof value === "string");
  const id = values[0]?.trim();
  return id && id.length <= MAX_CALL_ID_LENGTH && /^[\w.:-]+$/.test(id) ? id : undefined;
}

function parse(body: string): Map<string, unknown> {
  try {
    return new Map(Object.entries(Object(JSON.parse(body))));
  } catch {
    return new Map(new URLSearchParams(body));
  }
}
