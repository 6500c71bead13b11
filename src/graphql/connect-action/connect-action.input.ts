import { Field, InputType, Int, registerEnumType } from "type-graphql";
import { ID, PiopiyPhoneNumber } from "../scalars.js";

enum ConnectCallType {
  AUDIO = "AUDIO",
  VIDEO = "VIDEO",
}

registerEnumType(ConnectCallType, {
  name: "ConnectCallType",
  description: "Media of a call.",
  valuesConfig: {
    AUDIO: { description: "Voice only." },
    VIDEO: { description: "Voice and video. PIOPIY supports video between mobile apps and browsers." },
  },
});

enum ConnectRingType {
  SINGLE = "SINGLE",
  GROUP = "GROUP",
}

registerEnumType(ConnectRingType, {
  name: "ConnectRingType",
  description: "Order in which several targets ring.",
  valuesConfig: {
    SINGLE: { description: "One after another, in the order of the list." },
    GROUP: { description: "All at the same time. The first target that answers gets the call." },
  },
});

enum ConnectTargetType {
  SIP = "SIP",
}

registerEnumType(ConnectTargetType, {
  name: "ConnectTargetType",
  description: "Kinds of targets.",
  valuesConfig: { SIP: { description: "A SIP endpoint of the PIOPIY account." } },
});

@InputType({ description: "A target to ring." })
class ConnectTargetInput {
  @Field(() => ConnectTargetType, {
    defaultValue: ConnectTargetType.SIP,
    description: "Kind of the target. `SIP` is the only kind.",
  })
  type!: ConnectTargetType;

  @Field(() => ID, {
    description:
      "Username of the SIP endpoint, case-sensitive. 1 to 256 bytes of UTF-8 without control characters. " +
      'Example: "alice".',
  })
  user!: string;
}

@InputType({ description: "The targets to ring, and how to ring them." })
export class ConnectActionInput {
  @Field(() => [ConnectTargetInput], {
    description: "Targets to ring: 1 to 100 SIP endpoints, each at most once.",
  })
  call!: ConnectTargetInput[];

  @Field(() => PiopiyPhoneNumber, {
    nullable: true,
    description:
      'Caller id shown to the targets. If omitted, PIOPIY shows its default number. Example: "914471000000".',
  })
  from?: string | null;

  @Field(() => ConnectCallType, { defaultValue: ConnectCallType.AUDIO, description: "Media of the call." })
  callType!: ConnectCallType;

  @Field(() => ConnectRingType, {
    defaultValue: ConnectRingType.SINGLE,
    description: "Order in which several targets ring.",
  })
  ringType!: ConnectRingType;

  @Field(() => Int, { defaultValue: 40, description: "Seconds to ring each target, 1 to 600." })
  timeout!: number;

  @Field(() => Int, {
    defaultValue: 5400,
    description: "Maximum length of the conversation in seconds, 1 to 86400 (24 hours).",
  })
  duration!: number;

  @Field(() => Int, {
    defaultValue: 1,
    description: "Number of times to ring the targets, 1 to 10. With 1, each target rings once.",
  })
  loop!: number;
}
