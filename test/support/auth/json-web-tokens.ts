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

/** Key pair of an issuer. */
export interface SigningKey {
  readonly id: string;
  readonly algorithm: string;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
}

/** Issuer of tokens for tests, which serves its JSON Web Key Set on its own port. */
export interface Issuer {
  /** Environment of a gateway that accepts its tokens. */
  readonly settings: Record<string, string>;
  /** Returns the number of requests for its keys. */
  fetches(): number;
  /** Publishes these keys, and no others. */
  publish(...keys: SigningKey[]): Promise<void>;
  /** Publishes these keys without their ids, and no others. */
  publishWithoutIds(...keys: SigningKey[]): Promise<void>;
  /** Replaces the response to requests for its keys. Undefined restores the valid response. */
  respond(responder: ((response: ServerResponse) => void) | undefined): void;
  close(): Promise<void>;
}

const ISSUER = "https://issuer.example.com/";
const AUDIENCE = "piopiy-graph";

export async function startIssuer(): Promise<Issuer> {
  let keys: JWK[] = [];
  let fetches = 0;
  let responder: ((response: ServerResponse) => void) | undefined;
  const server = createServer((_request, response) => {
    fetches++;
    if (responder) responder(response);
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
    respond(next) {
      responder = next;
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

/** Claims that the gateway accepts. */
export const goodClaims: JWTPayload = {
  iss: ISSUER,
  aud: AUDIENCE,
  sub: "mobile-app",
  scope: "sip:read",
  exp: Math.floor(Date.now() / 1000) + 600,
};

/** Creates a token. These claims replace valid ones; undefined removes a claim. */
export function sign(key: SigningKey, claims: Record<string, unknown> = {}, id = key.id): Promise<string> {
  return new SignJWT({ ...goodClaims, ...claims })
    .setProtectedHeader({ alg: key.algorithm, kid: id })
    .sign(key.privateKey);
}

/** Creates a token without the id of its key. */
export function signWithoutId(key: SigningKey, claims: Record<string, unknown> = {}): Promise<string> {
  return new SignJWT({ ...goodClaims, ...claims })
    .setProtectedHeader({ alg: key.algorithm })
    .sign(key.privateKey);
}

/** Creates a token that is signed with the public key, used as a shared secret. */
export async function signByPublicKey({ id, publicKey }: SigningKey): Promise<string> {
  const secret = new TextEncoder().encode(await exportSPKI(publicKey));
  return new SignJWT(goodClaims).setProtectedHeader({ alg: "HS256", kid: id }).sign(secret);
}
