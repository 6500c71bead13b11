import { ArgsType, Field, Int } from "type-graphql";

/** The largest page. */
export const MAX_FIRST = 100;

@ArgsType()
export class SipEndpointsArgs {
  @Field(() => Int, { defaultValue: 10, description: `How many rows, 1 to ${MAX_FIRST}.` })
  first!: number;

  @Field(() => String, {
    nullable: true,
    description:
      "The cursor of the row after which the page begins, from a page before. Not together with `offset`.",
  })
  after?: string | null;

  @Field(() => Int, {
    nullable: true,
    description: "How many rows of the list to pass over, 0 or more. Not together with `after`.",
  })
  offset?: number | null;
}
