import { GraphQLScalarType } from "graphql";

/** A PCMO document; the JSON that it is passes as it stands. */
export const Pcmo = new GraphQLScalarType({
  name: "PCMO",
  description:
    "A PCMO (PIOPIY call management object) document: the JSON array of actions, exactly as PIOPIY takes it from an answer URL.",
});
