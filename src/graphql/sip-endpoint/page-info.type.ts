import { Directive, Field, ObjectType } from "type-graphql";

@Directive("@shareable")
@ObjectType({ description: "Where a page stands in its list." })
export class PageInfo {
  @Field(() => Boolean, { description: "Whether rows follow this page: go on with after: endCursor." })
  hasNextPage!: boolean;

  @Field(() => Boolean, { description: "Whether rows precede this page." })
  hasPreviousPage!: boolean;

  @Field(() => String, {
    nullable: true,
    description: "The cursor of the first row; null when the page is empty.",
  })
  startCursor!: string | null;

  @Field(() => String, {
    nullable: true,
    description: "The cursor of the last row; null when the page is empty.",
  })
  endCursor!: string | null;
}
