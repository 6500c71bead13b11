import { ApolloClient, gql, HttpLink, InMemoryCache } from "@apollo/client";
import type { CachingClient, Row } from "./caching-client.js";

const LIST = gql`
  query List {
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
  query Read($username: ID!) {
    sipEndpoint(username: $username) {
      id
      password
    }
  }
`;
const ROTATE = gql`
  mutation Rotate($username: ID!) {
    rotateSipEndpointPassword(input: { username: $username }) {
      sipEndpoint {
        id
        password
      }
    }
  }
`;
const CREATE = gql`
  mutation Create($username: ID!) {
    createSipEndpoint(input: { username: $username }) {
      sipEndpoint {
        id
      }
    }
  }
`;
const REMOVE = gql`
  mutation Remove($username: ID!) {
    removeSipEndpoint(input: { username: $username }) {
      removedId
    }
  }
`;

/** Starts Apollo Client. It shows a new endpoint after it reads the list again. */
export async function startApolloClient(uri: string): Promise<CachingClient> {
  const client = new ApolloClient({ link: new HttpLink({ uri }), cache: new InMemoryCache() });
  let rows: readonly Row[] = [];
  client.watchQuery<{ sipEndpoints: { nodes: Row[] } }>({ query: LIST }).subscribe(({ data, dataState }) => {
    if (dataState === "complete") rows = data.sipEndpoints.nodes;
  });
  return {
    rows: () => rows,
    read: (username) => client.query({ query: READ, variables: { username }, fetchPolicy: "network-only" }),
    rotate: (username) => client.mutate({ mutation: ROTATE, variables: { username } }),
    create: (username) =>
      client.mutate({ mutation: CREATE, variables: { username }, refetchQueries: ["List"] }),
    remove: (username) =>
      client.mutate<{ removeSipEndpoint: { removedId: string } }>({
        mutation: REMOVE,
        variables: { username },
        update(cache, { data }) {
          const id = data?.removeSipEndpoint.removedId ?? "";
          cache.evict({ id: cache.identify({ __typename: "SipEndpoint", id }) ?? "" });
        },
      }),
    close: () => client.stop(),
  };
}
