/** A SIP endpoint as PIOPIY spells it. */
export interface UpstreamEndpoint {
  readonly code: string;
  readonly username: string;
  readonly connect_URL: string;
  readonly audio: boolean;
  readonly video: boolean;
  readonly type: string;
}

/** A page of ten as PIOPIY spells it. */
export interface UpstreamPage {
  readonly list: { readonly count: number; readonly rows: readonly { readonly username: string }[] };
}

export interface Endpoint {
  readonly username: string;
  readonly connectUrl: string;
  readonly sipUri: string;
  readonly audio: boolean;
  readonly video: boolean;
  readonly type: string;
}

/** Null for the answer that there is no such endpoint. */
export function readEndpoint(answer: UpstreamEndpoint): Endpoint | null {
  if (answer.code !== "cmi-200") return null;
  const { username, connect_URL: connectUrl, audio, video, type } = answer;
  return { username, connectUrl, sipUri: `sip:${username}@${connectUrl}`, audio, video, type };
}
