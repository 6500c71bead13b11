import { Field, ID, InputType } from "type-graphql";

@InputType({ description: "A new password for a SIP endpoint. PIOPIY lets nothing else be changed." })
export class UpdateSipEndpointInput {
  @Field(() => ID, {
    description: "The name of an existing endpoint, at most 256 bytes, without control characters.",
  })
  username!: string;

  @Field(() => String, {
    nullable: true,
    description:
      "The new password, 1 to 128 characters, no control characters, no space at either end. " +
      "Left out, a strong one of 22 letters and digits is made.",
  })
  password?: string | null;
}
