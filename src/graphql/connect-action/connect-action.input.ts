import { Field, InputType, Int, registerEnumType } from "type-graphql";
import { ID, PhoneNumber } from "../scalars.js";

enum CallType {
  AUDIO = "AUDIO",
  VIDEO = "VIDEO",
}

registerEnumType(CallType, {
  name: "CallType",
  description: "What a call carries.",
  valuesConfig: {
    AUDIO: { description: "Voice alone." },
    VIDEO: { description: "Voice and picture, between apps and browsers." },
  },
});

enum RingType {
  SINGLE = "SINGLE",
  GROUP = "GROUP",
}

registerEnumType(RingType, {
  name: "RingType",
  description: "How several targets ring.",
  valuesConfig: {
    SINGLE: { description: "One after another, in the order of the list." },
    GROUP: { description: "All at once; who answers first gets the call." },
  },
});

enum TargetType {
  SIP = "SIP",
}

registerEnumType(TargetType, {
  name: "TargetType",
  description: "What kind of target rings.",
  valuesConfig: { SIP: { description: "A SIP endpoint of the PIOPIY account." } },
});

@InputType({ description: "Somebody whose phone is to ring." })
class ConnectTargetInput {
  @Field(() => TargetType, { defaultValue: TargetType.SIP, description: "What kind of target it is." })
  type!: TargetType;

  @Field(() => ID, {
    description:
      'The username of the SIP endpoint, at most 256 bytes, without control characters. Example: "alice".',
  })
  user!: string;
}

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
