import { Directive, Field, ObjectType, registerEnumType } from "type-graphql";
import type { SipEndpointRecord } from "../../piopiy/protocol.js";
import type { Secret } from "../../secret.js";
import { DETAILS } from "../cost.js";
import { decodeId, encodeId, Node } from "../node.js";
import { ID } from "../scalars.js";

/** The description of the username of an existing endpoint, in arguments and inputs. */
export const USERNAME_DESCRIPTION =
  "Username of the SIP endpoint, case-sensitive. 1 to 256 bytes of UTF-8 without control characters. " +
  'Example: "alice".';

/** The names of the fields that PIOPIY's list does not contain, for descriptions: "`a`, `b` or `c`". */
export const DETAIL_NAMES = new Intl.ListFormat("en-GB", { type: "disjunction" }).format(
  DETAILS.map((name) => `\`${name}\``),
);

/** The cost of these fields, for descriptions. */
export const DETAIL_COST = `In a list, selecting ${DETAIL_NAMES} costs one upstream request per row.`;

export enum SipEndpointType {
  SIP = "SIP",
  PSTN = "PSTN",
}

registerEnumType(SipEndpointType, {
  name: "SipEndpointType",
  description: "Kinds of SIP endpoints.",
  valuesConfig: {
    SIP: { description: "A softphone, a mobile app or a browser that registers over SIP." },
    PSTN: { description: "A line of the public switched telephone network (PSTN)." },
  },
});

/**
 * A SIP endpoint: the username, and the password and the record if they have been read already. Field resolvers read the missing
 * parts by the username, and only if a query selects them.
 */
@ObjectType({
  implements: Node,
  description:
    "A SIP endpoint of the PIOPIY account: a username and a password with which a softphone, a mobile app or a browser registers " +
    "to make and receive audio and video calls.",
})
@Directive('@key(fields: "username")')
@Directive('@key(fields: "id")')
@Directive("@authenticated")
export class SipEndpoint implements Node {
  @Field(() => ID, {
    description:
      "Username with which the endpoint registers: case-sensitive, unique in the PIOPIY account, and permanent. 1 to 256 bytes " +
      'of UTF-8 without control characters. Example: "alice".',
  })
  username: string;

  knownPassword: Secret | undefined;
  record: SipEndpointRecord | undefined;

  constructor(username: string, knownPassword?: Secret, record?: SipEndpointRecord) {
    this.username = username;
    this.knownPassword = knownPassword;
    this.record = record;
  }

  @Field(() => ID, {
    description:
      "Opaque, globally unique and permanent id of the endpoint, for the caches of clients. `node` accepts it.",
  })
  get id(): string {
    return encodeId("SipEndpoint", this.username);
  }
}

/** Returns the username in the id of an endpoint. Returns undefined if the text is no such id. */
export function usernameOfId(id: string): string | undefined {
  return decodeId("SipEndpoint", id);
}
