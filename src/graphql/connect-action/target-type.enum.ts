import { registerEnumType } from "type-graphql";

export enum TargetType {
  SIP = "SIP",
}

registerEnumType(TargetType, {
  name: "TargetType",
  description: "What kind of target rings.",
  valuesConfig: { SIP: { description: "A SIP endpoint of the PIOPIY account." } },
});
