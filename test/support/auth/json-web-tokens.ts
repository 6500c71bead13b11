import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import {
  type CryptoKey,
  exportJWK,
  exportSPKI,
  generateKeyPair,
  type JWK,
  type JWTPayload,
  SignJWT,
} from "jose";

/** A key of an issuer. */
export interface SigningKey {
  readonly id: string;
  readonly algorithm: string;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
}

/** An issuer of tokens under test, with its JSON Web Key Set on a port of its own. */
export interface Issuer {
  /** The environment of a gateway that believes it. */
  readonly settings: Record<string, string>;
  /** How often its keys were asked for. */
  fetches(): number;
  /** Publishes these keys, and no others. */
  publish(...keys: SigningKey[]): Promise<void>;
  /** The same without the ids of the keys. */
  publishWithoutIds(...keys: SigningKey[]): Promise<void>;
  /** Answers requests for its keys in another way; undefined is the good one again. */
  answer(behaviour: ((response: ServerResponse) => void) | undefined): void;
  close(): Promise<void>;
}

const ISSUER = "https://issuer.example.com/";
const AUDIENCE = "piopiy-graph";

export async function startIssuer(): Promise<Issuer> {
  let keys: JWK[] = [];
  let fetches = 0;
  let behaviour: ((response: ServerResponse) => void) | undefined;
  const server = createServer((_request, response) => {
    fetches++;
    if (behaviour) behaviour(response);
    else response.setHeader("content-type", "application/json").end(JSON.stringify({ keys }));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  return {
    settings: {
      AUTH: "jwt",
      JWT_JWKS_URL: `http://127.0.0.1:${port}/keys`,
      JWT_ISSUER: ISSUER,
      JWT_AUDIENCE: AUDIENCE,
    },
    fetches: () => fetches,
    async publish(...published) {
      keys = await Promise.all(published.map(async (key) => ({ ...(await toJwk(key)), kid: key.id })));
    },
    async publishWithoutIds(...published) {
      keys = await Promise.all(published.map(toJwk));
    },
    answer(next) {
      behaviour = next;
    },
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

async function toJwk({ algorithm, publicKey }: SigningKey): Promise<JWK> {
  return { ...(await exportJWK(publicKey)), alg: algorithm, use: "sig" };
}

export async function makeKey(id: string, algorithm = "ES256"): Promise<SigningKey> {
  return { id, algorithm, ...(await generateKeyPair(algorithm, { extractable: true })) };
}

/** Claims that the gateway takes. */
export const goodClaims: JWTPayload = {
  iss: ISSUER,
  aud: AUDIENCE,
  sub: "mobile-app",
  scope: "sip:read",
  exp: Math.floor(Date.now() / 1000) + 600,
};

/** A token with these claims instead of the good ones; undefined leaves a claim out. */
export function sign(key: SigningKey, claims: Record<string, unknown> = {}, id = key.id): Promise<string> {
  return new SignJWT({ ...goodClaims, ...claims })
    .setProtectedHeader({ alg: key.algorithm, kid: id })
    .sign(key.privateKey);
}

/** A token that does not name its key. */
export function signWithoutId(key: SigningKey, claims: Record<string, unknown> = {}): Promise<string> {
  return new SignJWT({ ...goodClaims, ...claims })
    .setProtectedHeader({ alg: key.algorithm })
    .sign(key.privateKey);
}

/** A token by a public key, used as if it were a shared secret. */
export async function signByPublicKey({ id, publicKey }: SigningKey): Promise<string> {
  const secret = new TextEncoder().encode(await exportSPKI(publicKey));
  return new SignJWT(goodClaims).setProtectedHeader({ alg: "HS256", kid: id }).sign(secret);
}
