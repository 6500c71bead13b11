import { encodeId } from "../../../src/graphql/node.js";

/** Returns the `id` of the endpoint with this username. */
export function idOf(username: string): string {
  return encodeId("SipEndpoint", username);
}
