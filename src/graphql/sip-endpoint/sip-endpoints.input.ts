import { ArgsType, Field, InputType, Int, registerEnumType } from "type-graphql";
import { DEFAULT_FIRST, MAX_FIRST, MAX_NAMES } from "../cost.js";
import { ID } from "../scalars.js";

/** The maximum length of a text that a username must contain. */
export const MAX_FILTER_BYTES = 256;

@InputType({
  description:
    "Conditions on the username of a SIP endpoint. A username must meet all conditions that are not null.",
})
class SipUsernameFilter {
  @Field(() => String, {
    nullable: true,
    description:
      `Text that the username must contain, at most ${MAX_FILTER_BYTES} bytes of UTF-8. Not case-sensitive. Every username contains ` +
      'the empty text. Example: "sales".',
  })
  contains?: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      `Text with which the username must start, at most ${MAX_FILTER_BYTES} bytes of UTF-8. Not case-sensitive. Every username starts ` +
      'with the empty text. Example: "sales-".',
  })
  startsWith?: string | null;

  @Field(() => [ID], {
    nullable: true,
    description: `Usernames, at most ${MAX_NAMES}. The username must be one of them. Case-sensitive. With an empty list, no endpoint matches.`,
  })
  in?: readonly string[] | null;

  @Field(() => ID, {
    nullable: true,
    description: 'Username that the endpoint must have. Case-sensitive. Example: "alice".',
  })
  equals?: string | null;
}

@InputType({ description: "Conditions on the SIP endpoints in a list." })
class SipEndpointFilter {
  @Field(() => SipUsernameFilter, { nullable: true, description: "Conditions on the username." })
  username?: SipUsernameFilter | null;
}

enum SipEndpointOrderField {
  USERNAME = "USERNAME",
}

registerEnumType(SipEndpointOrderField, {
  name: "SipEndpointOrderField",
  description: "Fields by which a list of SIP endpoints can be ordered.",
  valuesConfig: {
    USERNAME: {
      description:
        "The username, without regard to case: by the code points of the username after Unicode simple case folding, then by those of the " +
        "username itself.",
    },
  },
});

enum SipEndpointOrderDirection {
  ASC = "ASC",
  DESC = "DESC",
}

registerEnumType(SipEndpointOrderDirection, {
  name: "SipEndpointOrderDirection",
  description: "Directions of an order.",
  valuesConfig: {
    ASC: { description: "Ascending, such as from a to z." },
    DESC: { description: "Descending, such as from z to a." },
  },
});

@InputType({ description: "Order of a list of SIP endpoints." })
class SipEndpointOrder {
  @Field(() => SipEndpointOrderField, { description: "Field by which the list is ordered." })
  field!: SipEndpointOrderField;

  @Field(() => SipEndpointOrderDirection, {
    defaultValue: SipEndpointOrderDirection.ASC,
    description: "Direction of the order.",
  })
  direction!: SipEndpointOrderDirection;
}

@ArgsType()
export class SipEndpointsArgs {
  @Field(() => Int, {
    nullable: true,
    description:
      `Number of rows to return, from the start of the list or after the cursor \`after\`, 0 to ${MAX_FIRST}. If \`first\` and \`last\` are ` +
      `omitted or null, ${DEFAULT_FIRST}. Cannot be combined with \`last\`.`,
  })
  first?: number | null;

  @Field(() => String, {
    nullable: true,
    description:
      "Cursor after which the page begins, such as `pageInfo.endCursor` of the previous page. Cannot be combined with `before` or " +
      "`offset`.",
  })
  after?: string | null;

  @Field(() => Int, {
    nullable: true,
    description:
      `Number of rows to return, from the end of the list or before the cursor \`before\`, 0 to ${MAX_FIRST}. The rows are in the same ` +
      "order as with `first`. Cannot be combined with `first`.",
  })
  last?: number | null;

  @Field(() => String, {
    nullable: true,
    description:
      "Cursor before which the page ends, such as `pageInfo.startCursor` of the next page. Use it with `last`: with `first`, the page has " +
      "the first rows of the whole list, up to the cursor. Cannot be combined with `after` or `offset`.",
  })
  before?: string | null;

  @Field(() => Int, {
    nullable: true,
    description:
      "Number of rows to skip at the start of the list, 0 or more. Cannot be combined with `after` or `before`. Example: 20.",
  })
  offset?: number | null;

  @Field(() => SipEndpointFilter, {
    nullable: true,
    description:
      "Conditions that the SIP endpoints must meet. If omitted or null, all endpoints are in the list.",
  })
  filter?: SipEndpointFilter | null;

  @Field(() => SipEndpointOrder, {
    nullable: true,
    description: "Order of the list. If omitted or null, the order in which PIOPIY lists the endpoints.",
  })
  orderBy?: SipEndpointOrder | null;
}
