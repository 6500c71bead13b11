import { Field, InputType, Int } from "type-graphql";
import { CallType } from "./call-type.enum.js";
import { ConnectTargetInput } from "./connect-target.input.js";
import { PhoneNumber } from "./phone-number.scalar.js";
import { RingType } from "./ring-type.enum.js";

@InputType({ description: "Who rings, how, and for how long." })
export class ConnectActionInput {
  @Field(() => [ConnectTargetInput], { description: "Who rings: 1 to 100 targets, no user twice." })
  call!: ConnectTargetInput[];

  @Field(() => PhoneNumber, {
    nullable: true,
    description:
      'The caller id that the targets see; left out, PIOPIY shows a default number of its own. Example: "914471000000".',
  })
  from?: string | null;

  @Field(() => CallType, { defaultValue: CallType.AUDIO, description: "Audio or video." })
  callType!: CallType;

  @Field(() => RingType, { defaultValue: RingType.SINGLE, description: "One after another, or all at once." })
  ringType!: RingType;

  @Field(() => Int, { defaultValue: 40, description: "How many seconds a target rings, 1 to 600." })
  timeout!: number;

  @Field(() => Int, { defaultValue: 5400, description: "How many seconds the talk may last, 1 to 86400." })
  duration!: number;

  @Field(() => Int, { defaultValue: 1, description: "How many times the targets are tried, 1 to 10." })
  loop!: number;
}
