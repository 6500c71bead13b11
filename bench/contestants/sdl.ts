/** The part of the gateway's schema that the workloads use, for contestants that are built from SDL. */
export const sdl = /* GraphQL */ `
  type Query {
    sipEndpoint(username: ID!): SipEndpoint
    sipEndpoints(first: Int! = 10, offset: Int! = 0): SipEndpointConnection!
  }

  type SipEndpoint {
    username: ID!
    connectUrl: String!
    sipUri: String!
    audio: Boolean!
    video: Boolean!
    type: SipEndpointType!
  }

  enum SipEndpointType {
    SIP
    PSTN
  }

  type SipEndpointConnection {
    nodes: [SipEndpoint!]!
    totalCount: Int!
  }
`;

export interface Page {
  readonly first: number;
  readonly offset: number;
}
