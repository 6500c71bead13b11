import { Field, ID, InputType } from "type-graphql";

@InputType({ description: "The SIP endpoint that is to be made." })
export class CreateSipEndpointInput {
  @Field(() => ID, {
    description:
      'A name that is not in use, 1 to 64 of A-Z, a-z, 0-9, dot, underscore and hyphen, beginning with a letter or digit. Example: "alice".',
  })
  username!: string;

  @Field(() => String, {
    nullable: true,
    description:
      "The password it will register with, 1 to 128 characters, no control characters, no space at either end. " +
      "Left out, a strong one of 22 letters and digits is made.",
  })
  password?: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      "Makes repeating safe: 8 to 128 visible ASCII characters, a random one such as a UUID for each new endpoint. When the same " +
      "caller sends the input again with the same key, for instance after OUTCOME_UNKNOWN, an endpoint that the first attempt made is " +
      "answered as if it were made now, with the same password, instead of USERNAME_TAKEN.",
  })
  idempotencyKey?: string | null;
}
