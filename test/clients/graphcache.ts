import { type AnyVariables, Client, fetchExchange, gql, type TypedDocumentNode } from "@urql/core";
import { type CacheExchangeOpts, cacheExchange } from "@urql/exchange-graphcache";
import type { CachingClient, Row } from "./caching-client.js";

const LIST: TypedDocumentNode<{ sipEndpoints: { nodes: Row[] } }> = gql`
  query {
    sipEndpoints {
      nodes {
        id
        username
        password
      }
    }
  }
`;
const READ = gql`
  query ($username: ID!) {
    sipEndpoint(username: $username) {
      id
      password
    }
  }
`;
const ROTATE = gql`
  mutation ($username: ID!) {
    rotateSipEndpointPassword(input: { username: $username }) {
      sipEndpoint {
        id
        password
      }
    }
  }
`;
const CREATE = gql`
  mutation ($username: ID!) {
    createSipEndpoint(input: { username: $username }) {
      sipEndpoint {
        id
      }
    }
  }
`;
const REMOVE = gql`
  mutation ($username: ID!) {
    removeSipEndpoint(input: { username: $username }) {
      removedId
    }
  }
`;

/** Starts urql with its normalized cache. It reads the list again after an endpoint was created or removed. */
export async function startGraphcache(
  url: string,
  schema?: CacheExchangeOpts["schema"],
): Promise<CachingClient> {
  const cache = cacheExchange({
    ...(schema && { schema }),
    updates: {
      Mutation: {
        createSipEndpoint: (_result, _args, cache) => cache.invalidate("SipEndpointConnection"),
        removeSipEndpoint: ({ removeSipEndpoint }, _args, cache) =>
          cache.invalidate({ __typename: "SipEndpoint", id: Object(removeSipEndpoint).removedId }),
      },
    },
  });
  const client = new Client({ url, preferGetMethod: false, exchanges: [cache, fetchExchange] });
  let rows: readonly Row[] = [];
  const { unsubscribe } = client.query(LIST, {}).subscribe(({ data }) => {
    if (data) rows = data.sipEndpoints.nodes;
  });
  const mutate = (mutation: TypedDocumentNode<unknown, AnyVariables>, username: string) =>
    client.mutation(mutation, { username }).toPromise();
  return {
    rows: () => rows,
    read: (username) => client.query(READ, { username }, { requestPolicy: "network-only" }).toPromise(),
    rotate: (username) => mutate(ROTATE, username),
    create: (username) => mutate(CREATE, username),
    remove: (username) => mutate(REMOVE, username),
    close: unsubscribe,
  };
}
