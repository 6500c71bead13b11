import { GraphQLError, GraphQLScalarType, Kind } from "graphql";

/**
 * Takes a string or a whole number of any size and hands it on as text, unjudged: what a phone number is the
 * domain says, so that a wrong one is told together with all other mistakes of an input.
 */
export const PhoneNumber = new GraphQLScalarType<string, string>({
  name: "PhoneNumber",
  description:
    "A phone number in E.164 form: 7 to 15 digits with the country code, with or without a leading plus sign. A string, or a " +
    'whole number of any size. Examples: "+914471000000", "914471000000", 914471000000.',
  serialize: toText,
  parseValue: toText,
  parseLiteral(node) {
    if (node.kind === Kind.STRING || node.kind === Kind.INT) return node.value;
    throw new GraphQLError(`A PhoneNumber must be a string or a whole number, such as "914471000000".`, {
      nodes: node,
    });
  },
});

function toText(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "number" && Number.isInteger(value)) return String(value);
  throw new GraphQLError(`A PhoneNumber must be a string or a whole number, such as "914471000000".`);
}
