import { randomBytes } from "node:crypto";
import { apiKeyScopes } from "../config.js";
import { Secret } from "../secret.js";
import { hashApiKey } from "./api-key.js";

const [name = "", ...scopeTexts] = process.argv.slice(2);
const knownScopes: readonly string[] = apiKeyScopes;
const keyScopes = new Set(scopeTexts.flatMap((text) => text.split(/[+,]/)));

if (
  /^[\w.-]{1,64}$/.test(name) &&
  keyScopes.size > 0 &&
  [...keyScopes].every((scope) => knownScopes.includes(scope))
) {
  // 256 random bits. The prefix lets scanners for leaked secrets recognize the key.
  const key = new Secret(`pgg_${randomBytes(32).toString("base64url")}`);
  console.log(`The API key. It is shown only once. The client sends it as "Authorization: Bearer KEY":

  ${key.reveal()}

The entry to add to API_KEYS:

  ${name}:${hashApiKey(key).toString("hex")}:${[...keyScopes].join("+")}
`);
} else {
  console.error(`Usage: npm run api-key -- NAME SCOPE+SCOPE
   or, without the sources: node dist/auth/make-api-key.js NAME SCOPE+SCOPE

  NAME   1 to 64 letters, digits, dots, underscores and hyphens
  SCOPE  ${apiKeyScopes.join(", ")}`);
  process.exitCode = 1;
}
