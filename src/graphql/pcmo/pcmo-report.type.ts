import { Field, ObjectType } from "type-graphql";
import { Pcmo } from "./pcmo.scalar.js";
import { PcmoProblem } from "./pcmo-problem.type.js";

@ObjectType({ description: "What there is to say about a PCMO document before PIOPIY gets it." })
export class PcmoReport {
  @Field(() => Boolean, { description: "Whether the document has no error; warnings do not count." })
  valid!: boolean;

  @Field(() => [PcmoProblem], {
    description:
      "All problems at once: errors first, then warnings, each in the order of the document. At most 100, and then one " +
      "that tells how many more there are.",
  })
  problems!: PcmoProblem[];

  @Field(() => [String], {
    description:
      "What the document does: a sentence for each action, in order; empty when it has errors. Values that are left out are told " +
      'as PIOPIY\'s defaults. Example: "Plays welcome.mp3.".',
  })
  description!: readonly string[];

  @Field(() => Pcmo, {
    nullable: true,
    description:
      "The same document as this gateway would write it: keys in PIOPIY's order, the targets under the key that the gateway is " +
      "configured for, no `ring_type` but group, and nothing added. Null when it has errors.",
  })
  normalized!: unknown;
}
