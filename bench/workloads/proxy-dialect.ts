import type { Dialect } from "./contestant-api.js";

interface RestAnswer {
  readonly username: string;
  readonly connect_URL: string;
  readonly audio: boolean;
  readonly video: boolean;
  readonly type: string;
}

/** No GraphQL: a name comes, and PIOPIY's answer goes. */
export const proxyDialect: Dialect = {
  one: (username) => JSON.stringify({ username }),
  readOne(answer) {
    const { username, connect_URL: connectUrl, audio, video, type } = answer as RestAnswer;
    return { username, connectUrl, sipUri: `sip:${username}@${connectUrl}`, audio, video, type };
  },
};
