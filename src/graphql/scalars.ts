import { GraphQLError, GraphQLID, GraphQLScalarType, Kind } from "graphql";

/**
 * Returns the text of an ID or a phone number that came as JSON. Rejects numbers beyond ±(2^53 - 1): JSON.parse rounds them, so
 * the result would not be the number that the client sent.
 */
function exactText(value: unknown): string {
  if (typeof value === "string") return value;
  if (Number.isSafeInteger(value)) return String(value);
  throw new GraphQLError("The value must be a string, or a whole number from -(2^53 - 1) to 2^53 - 1.");
}

/** The scalar `ID` of the GraphQL specification. The implementation of graphql-js accepts numbers that JSON.parse has rounded. */
export const ID = new GraphQLScalarType<string, string>({ ...GraphQLID.toConfig(), parseValue: exactText });

/**
 * Accepts a string or a whole number and returns it as text. The number is validated later, in `src/pcmo`, so that
 * an invalid number is reported together with all other problems of an input.
 */
export const PiopiyPhoneNumber = new GraphQLScalarType<string, string>({
  name: "PiopiyPhoneNumber",
  specifiedByURL: "https://www.itu.int/rec/T-REC-E.164",
  description:
    "A phone number in E.164 format: 7 to 15 digits with the country code, with or without a leading plus sign. A string or a " +
    'whole number. Examples: "+914471000000", "914471000000", 914471000000.',
  serialize: exactText,
  parseValue: exactText,
  parseLiteral(node) {
    if (node.kind === Kind.STRING || node.kind === Kind.INT) return node.value;
    throw new GraphQLError(
      `A PiopiyPhoneNumber must be a string or a whole number, such as "914471000000".`,
      {
        nodes: node,
      },
    );
  },
});

/** A PCMO document, as JSON. */
export const Pcmo = new GraphQLScalarType({
  name: "PCMO",
  specifiedByURL: "https://doc.telecmi.com/piopiy/docs/pcmo-overview",
  description:
    "A PCMO (PIOPIY call management object) document: a JSON array of actions that PIOPIY executes in order when a call comes " +
    "in. PIOPIY requests the document from the answer URL of the phone number that was dialled. Example in a query, where keys " +
    'have no quotes: `[{ action: "hangup" }]`. Example in the JSON of the variables: `[{ "action": "hangup" }]`.',
});
