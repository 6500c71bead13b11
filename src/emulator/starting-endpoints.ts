import type { EndpointDraft } from "./endpoint.js";

/** What a fresh emulator holds, so that the first query finds something. */
export const startingEndpoints: readonly EndpointDraft[] = [
  { username: "alice", password: "made-up-Lantern-27" },
  { username: "bob", password: "made-up-Harbor-58" },
  { username: "carol", password: "made-up-Meadow-91" },
  { username: "dave", password: "made-up-Pebble-34" },
];
