import { ApolloServer } from "@apollo/server";
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginInlineTraceDisabled,
  ApolloServerPluginLandingPageDisabled,
} from "@apollo/server/plugin/disabled";
import type { FastifyBaseLogger } from "fastify";
import type { Context } from "../context.js";
import { formatError } from "./format-error.js";
import { httpStatusPlugin } from "./http-status.plugin.js";
import { reportPlugin } from "./report.plugin.js";
import { buildGatewaySchema } from "./schema.js";

/** The engine that runs operations, without any transport. Without introspection, errors hint at no names either. */
export function createApollo(introspection: boolean, logger: FastifyBaseLogger): ApolloServer<Context> {
  return new ApolloServer<Context>({
    schema: buildGatewaySchema(),
    introspection,
    hideSchemaDetailsFromClientErrors: !introspection,
    includeStacktraceInErrorResponses: false,
    formatError,
    logger,
    nodeEnv: "production",
    // main.ts alone owns the signals.
    stopOnTerminationSignals: false,
    plugins: [
      reportPlugin,
      httpStatusPlugin,
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginInlineTraceDisabled(),
      ApolloServerPluginLandingPageDisabled(),
    ],
  });
}
