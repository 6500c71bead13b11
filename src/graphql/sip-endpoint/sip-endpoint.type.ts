import { Directive, Field, ObjectType, registerEnumType } from "type-graphql";
import type { SipEndpointRecord } from "../../piopiy/protocol.js";
import type { Secret } from "../../secret.js";
import { ID } from "../scalars.js";

export enum SipEndpointType {
  SIP = "SIP",
  PSTN = "PSTN",
}

registerEnumType(SipEndpointType, {
  name: "SipEndpointType",
  description: "What kind of line an endpoint is.",
  valuesConfig: {
    SIP: { description: "A softphone, an app or a browser that registers by SIP." },
    PSTN: { description: "A line of the public telephone network." },
  },
});

/**
 * What a resolver hands over about an endpoint: its name, and its password and its record where PIOPIY gave them along.
 * What is not there is read by the name, and only when asked for.
 */
@ObjectType({
  description:
    "An account that a softphone, an app or a browser registers with at PIOPIY, to make and take audio and video calls.",
})
@Directive('@key(fields: "username")')
@Directive("@authenticated")
export class SipEndpoint {
  @Field(() => ID, {
    description:
      'The name it registers with, unique in the PIOPIY account, case-sensitive, never changed. Example: "alice".',
  })
  username: string;

  knownPassword: Secret | undefined;
  record: SipEndpointRecord | undefined;

  constructor(username: string, knownPassword?: Secret, record?: SipEndpointRecord) {
    this.username = username;
    this.knownPassword = knownPassword;
    this.record = record;
  }
}
