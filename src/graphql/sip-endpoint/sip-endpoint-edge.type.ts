import { Field, ObjectType } from "type-graphql";
import { SipEndpoint } from "./sip-endpoint.type.js";

@ObjectType({ description: "A row of a list of SIP endpoints." })
export class SipEndpointEdge {
  @Field(() => String, {
    description:
      "The place of this row, to go on from with `after`. Opaque: it is good for this gateway only.",
  })
  cursor!: string;

  @Field(() => SipEndpoint, { description: "The endpoint itself." })
  node!: SipEndpoint;
}
