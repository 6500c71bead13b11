import { registerEnumType } from "type-graphql";

export enum CallType {
  AUDIO = "AUDIO",
  VIDEO = "VIDEO",
}

registerEnumType(CallType, {
  name: "CallType",
  description: "What a call carries.",
  valuesConfig: {
    AUDIO: { description: "Voice alone." },
    VIDEO: { description: "Voice and picture, between apps and browsers." },
  },
});
