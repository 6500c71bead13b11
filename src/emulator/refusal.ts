/** An answer of PIOPIY that says no. */
export class Refusal {
  constructor(
    readonly code: 400 | 420 | 502,
    readonly message: string,
  ) {}
}

/**
 * Every refusal there is. PIOPIY documents 400 for an existing or missing username, 420 and 502; it publishes no
 * text, and nothing on unknown properties, wrong types and bodies that are not JSON: those are assumed.
 */
export const refusals = {
  malformed: new Refusal(400, "The body must be a JSON object, sent as application/json"),
  missing: (names: readonly string[]) => new Refusal(502, `Required property missing: ${names.join(", ")}`),
  unknown: (names: readonly string[]) => new Refusal(400, `Unknown property: ${names.join(", ")}`),
  wrongType: (name: string) => new Refusal(400, `${name} must be a string`),
  wrongPage: new Refusal(502, "page must be a whole number from 1"),
  wrongAccount: new Refusal(420, "Invalid appid or secret"),
  taken: new Refusal(400, "username already exists"),
  unknownUser: new Refusal(400, "username does not exist"),
} as const;
