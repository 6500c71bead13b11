import { Field, ID, InputType } from "type-graphql";
import { TargetType } from "./target-type.enum.js";

@InputType({ description: "Somebody whose phone is to ring." })
export class ConnectTargetInput {
  @Field(() => TargetType, { defaultValue: TargetType.SIP, description: "What kind of target it is." })
  type!: TargetType;

  @Field(() => ID, {
    description:
      'The username of the SIP endpoint, at most 256 bytes, without control characters. Example: "alice".',
  })
  user!: string;
}
