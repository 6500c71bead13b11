import { Field, Int, ObjectType } from "type-graphql";
import { PageInfo } from "./page-info.type.js";
import { SipEndpoint } from "./sip-endpoint.type.js";
import { SipEndpointEdge } from "./sip-endpoint-edge.type.js";

@ObjectType({ description: "A page of the list of SIP endpoints, in PIOPIY's order." })
export class SipEndpointConnection {
  @Field(() => [SipEndpointEdge], { description: "The rows with their cursors." })
  edges!: SipEndpointEdge[];

  @Field(() => [SipEndpoint], { description: "The endpoints alone, without cursors." })
  nodes!: SipEndpoint[];

  @Field(() => PageInfo, { description: "Where this page stands in the list." })
  pageInfo!: PageInfo;

  @Field(() => Int, { description: "How many SIP endpoints the PIOPIY account has in all." })
  totalCount!: number;
}
