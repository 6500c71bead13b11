import { defineConfig } from "@graphql-mesh/compose-cli";
import { loadJSONSchemaSubgraph } from "@omnigraph/json-schema";

const account = { appid: Number(process.env.APP_ID), secret: process.env.SECRET };
const row = { username: "user-1", password: "made-up-1" };
const endpoint = { ...row, connect_URL: "sbc.bench.example", audio: true, video: true, type: "SIP" };

export const composeConfig = defineConfig({
  subgraphs: [
    {
      sourceHandler: loadJSONSchemaSubgraph("Piopiy", {
        endpoint: process.env.UPSTREAM_URL ?? "",
        operationHeaders: { "content-type": "application/json" },
        operations: [
          {
            type: "Query",
            field: "sipEndpoint",
            path: "get_sip",
            method: "POST",
            requestBaseBody: account,
            requestTypeName: "SipEndpointInput",
            requestSample: { username: "user-1" },
            responseTypeName: "SipEndpoint",
            responseSample: { code: "cmi-200", ...endpoint },
          },
          {
            type: "Query",
            field: "sipEndpointPage",
            path: "list_sip",
            method: "POST",
            requestBaseBody: account,
            requestTypeName: "SipEndpointPageInput",
            requestSample: { page: 1 },
            responseTypeName: "SipEndpointPage",
            responseSample: { code: "cmi-200", list: { count: 1, rows: [row] } },
          },
        ],
      }),
    },
  ],
  additionalTypeDefs: /* GraphQL */ `
    extend type SipEndpoint {
      connectUrl: String
      sipUri: String
    }
    extend type query_sipEndpointPage_list_rows_items {
      sipEndpoint: SipEndpoint
        @resolveTo(
          sourceName: "Piopiy"
          sourceTypeName: "Query"
          sourceFieldName: "sipEndpoint"
          requiredSelectionSet: "{ username }"
          sourceArgs: { input: { username: "{root.username}" } }
        )
    }
  `,
});
