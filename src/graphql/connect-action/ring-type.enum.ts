import { registerEnumType } from "type-graphql";

export enum RingType {
  SINGLE = "SINGLE",
  GROUP = "GROUP",
}

registerEnumType(RingType, {
  name: "RingType",
  description: "How several targets ring.",
  valuesConfig: {
    SINGLE: { description: "One after another, in the order of the list." },
    GROUP: { description: "All at once; who answers first gets the call." },
  },
});
