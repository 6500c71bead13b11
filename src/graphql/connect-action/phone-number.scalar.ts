import { GraphQLError, GraphQLScalarType, Kind } from "graphql";
import { exactText } from "../exact-text.js";

/**
 * Accepts a string or a whole number and passes it on as text, not validated: `src/pcmo` does that, so that a mistake is
 * reported together with all others of an input.
 */
export const PhoneNumber = new GraphQLScalarType<string, string>({
  name: "PhoneNumber",
  description:
    "A phone number in E.164 form: 7 to 15 digits with the country code, with or without a leading plus sign. A string, or a " +
    'whole number. Examples: "+914471000000", "914471000000", 914471000000.',
  serialize: exactText,
  parseValue: exactText,
  parseLiteral(node) {
    if (node.kind === Kind.STRING || node.kind === Kind.INT) return node.value;
    throw new GraphQLError(`A PhoneNumber must be a string or a whole number, such as "914471000000".`, {
      nodes: node,
    });
  },
});
