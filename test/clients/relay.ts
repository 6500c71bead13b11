import { readFileSync } from "node:fs";
import { join } from "node:path";
import relay, { type ConcreteRequest, type OperationDescriptor } from "relay-runtime";
import type { CachingClient, Row } from "./caching-client.js";
import { compileRelay } from "./relay-compiler.js";

/** Returns the name of an operation, by which the compiler names its artifact. The compiler searches for this tag. */
const graphql = ([text = ""]: TemplateStringsArray) => /(?:query|mutation) (\w+)/.exec(text)?.[1] ?? "";

const LIST = graphql`
  query relayListQuery {
    sipEndpoints(first: 10) @connection(key: "relay_sipEndpoints") {
      __id
      edges {
        node {
          username
          password
        }
      }
    }
  }
`;
const READ = graphql`
  query relayReadQuery($username: ID!) {
    sipEndpoint(username: $username) {
      password
    }
  }
`;
const ROTATE = graphql`
  mutation relayRotateMutation($username: ID!) {
    rotateSipEndpointPassword(input: { username: $username }) {
      sipEndpoint {
        password
      }
    }
  }
`;
const CREATE = graphql`
  mutation relayCreateMutation($username: ID!, $connections: [ID!]!) {
    createSipEndpoint(input: { username: $username }) {
      sipEndpoint @appendNode(connections: $connections, edgeTypeName: "SipEndpointEdge") {
        username
      }
    }
  }
`;
const REMOVE = graphql`
  mutation relayRemoveMutation($username: ID!, $connections: [ID!]!) {
    removeSipEndpoint(input: { username: $username }) {
      removedId @deleteEdge(connections: $connections)
      deletedId: removedId @deleteRecord
    }
  }
`;

interface ListData {
  readonly sipEndpoints: { readonly __id: string; readonly edges: readonly { readonly node: Row | null }[] };
}

/** Compiles this module with the Relay compiler, and starts Relay with its artifacts. */
export async function startRelay(url: string): Promise<CachingClient> {
  const artifacts = await compileRelay("relay.js", readFileSync("test/clients/relay.ts", "utf8"));
  const artifact = async (name: string): Promise<ConcreteRequest> =>
    (await import(join(artifacts, `${name}.graphql.js`))).default;
  const environment = new relay.Environment({
    store: new relay.Store(new relay.RecordSource()),
    network: relay.Network.create(async ({ text }, variables) => {
      const body = JSON.stringify({ query: text, variables });
      const headers = { "content-type": "application/json" };
      return (await fetch(url, { method: "POST", headers, body })).json();
    }),
  });
  const query = async (name: string, variables: object = {}) =>
    relay
      .fetchQuery(environment, await artifact(name), { ...variables }, { fetchPolicy: "network-only" })
      .toPromise();
  const mutate = async (name: string, username: string, connections?: readonly string[]) => {
    const mutation = await artifact(name);
    const variables = { username, ...(connections && { connections }) };
    await new Promise<void>((resolve, reject) => {
      relay.commitMutation(environment, {
        mutation,
        variables,
        onCompleted: () => resolve(),
        onError: reject,
      });
    });
  };

  await query(LIST);
  const list: OperationDescriptor = relay.createOperationDescriptor(await artifact(LIST), {});
  environment.retain(list);
  const snapshot = environment.lookup(list.fragment);
  let { sipEndpoints } = snapshot.data as unknown as ListData;
  const subscription = environment.subscribe(snapshot, ({ data }) => {
    ({ sipEndpoints } = data as unknown as ListData);
  });
  return {
    rows: () => sipEndpoints.edges.map(({ node }) => node),
    read: (username) => query(READ, { username }),
    rotate: (username) => mutate(ROTATE, username),
    create: (username) => mutate(CREATE, username, [sipEndpoints.__id]),
    remove: (username) => mutate(REMOVE, username, [sipEndpoints.__id]),
    close: () => subscription.dispose(),
  };
}
