import { ApolloServer } from "@apollo/server";
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginInlineTraceDisabled,
  ApolloServerPluginLandingPageDisabled,
} from "@apollo/server/plugin/disabled";
import type { FastifyBaseLogger } from "fastify";
import type { DocumentNode } from "graphql";
import type { Config } from "../config.js";
import type { Context } from "../context.js";
import { apolloLogger } from "./apollo-logger.js";
import { costPlugin } from "./cost.plugin.js";
import { DocumentCache } from "./document-cache.js";
import { documentLimits } from "./document-limits.js";
import { formatError } from "./format-error.js";
import { httpStatusPlugin } from "./http-status.plugin.js";
import { PersistedQueries } from "./persisted-queries.js";
import { repeatPlugin } from "./repeat.plugin.js";
import { reportPlugin } from "./report.plugin.js";
import { reportedErrorsPlugin } from "./reported-errors.plugin.js";
import { responseSizePlugin } from "./response-size.plugin.js";
import { buildGatewaySchema } from "./schema.js";
import { stalePlugin } from "./stale.plugin.js";
import { trustedDocumentsPlugin } from "./trusted-documents.plugin.js";
import { variablesPlugin } from "./variables.plugin.js";

const MAX_VALIDATION_ERRORS = 5;

/** The engine that runs operations, without any transport. Without introspection, errors hint at no names either. */
export function createApollo(
  { introspection, limits, trustedDocuments }: Config,
  logger: FastifyBaseLogger,
): ApolloServer<Context> {
  return new ApolloServer<Context>({
    schema: buildGatewaySchema(),
    introspection,
    hideSchemaDetailsFromClientErrors: !introspection,
    includeStacktraceInErrorResponses: false,
    formatError,
    logger: apolloLogger(logger),
    nodeEnv: "production",
    // main.ts alone owns the signals.
    stopOnTerminationSignals: false,
    parseOptions: { maxTokens: limits.tokens },
    validationRules: [documentLimits(limits)],
    validationOptions: { maxErrors: MAX_VALIDATION_ERRORS },
    documentStore: new DocumentCache<DocumentNode>(),
    persistedQueries: { cache: new PersistedQueries(trustedDocuments) },
    plugins: [
      reportedErrorsPlugin,
      responseSizePlugin,
      reportPlugin({ introspection, maxTokens: limits.tokens }),
      trustedDocumentsPlugin(trustedDocuments),
      costPlugin,
      variablesPlugin(introspection),
      stalePlugin,
      repeatPlugin,
      httpStatusPlugin,
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginInlineTraceDisabled(),
      ApolloServerPluginLandingPageDisabled(),
    ],
  });
}
