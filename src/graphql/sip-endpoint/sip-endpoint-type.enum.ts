import { registerEnumType } from "type-graphql";

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
