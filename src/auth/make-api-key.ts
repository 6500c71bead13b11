import { scopes } from "../scopes.js";
import { hashApiKey, makeApiKey } from "./api-key.js";

const [name = "", ...given] = process.argv.slice(2);
const known: readonly string[] = scopes;
const wanted = new Set(given.flatMap((text) => text.split(/[+,]/)));

if (/^[\w.-]{1,64}$/.test(name) && wanted.size > 0 && [...wanted].every((scope) => known.includes(scope))) {
  const key = makeApiKey();
  console.log(`The key, shown this once. Whoever it is for sends it as "Authorization: Bearer KEY":

  ${key.reveal()}

The entry to add to API_KEYS:

  ${name}:${hashApiKey(key).toString("hex")}:${[...wanted].join("+")}
`);
} else {
  console.error(`Usage: npm run api-key -- NAME SCOPE+SCOPE
   or, without the sources: node dist/auth/make-api-key.js NAME SCOPE+SCOPE

  NAME   1 to 64 letters, digits, dots, underscores and hyphens
  SCOPE  ${scopes.join(", ")}`);
  process.exitCode = 1;
}
