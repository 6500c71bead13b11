import { ApolloServer } from "@apollo/server";
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginInlineTraceDisabled,
  ApolloServerPluginLandingPageDisabled,
} from "@apollo/server/plugin/disabled";
import type { FastifyBaseLogger } from "fastify";
import type { DocumentNode } from "graphql";
import type { Config } from "../config.js";
import { apolloLogger } from "./apollo-logger.js";
import type { Context } from "./context.js";
import { DocumentCache } from "./document-cache.js";
import { formatError } from "./format-error.js";
import { PersistedQueries } from "./persisted-queries.js";
import { costPlugin } from "./plugins/cost.js";
import { documentLimits } from "./plugins/document-limits.js";
import { httpStatusPlugin } from "./plugins/http-status.js";
import { reportedErrorsPlugin } from "./plugins/reported-errors.js";
import { reportPlugin } from "./plugins/request-log.js";
import { repeatPlugin } from "./plugins/response-cache.js";
import { responseSizePlugin } from "./plugins/response-size.js";
import { stalePlugin } from "./plugins/stale.js";
import { trustedDocumentsPlugin } from "./plugins/trusted-documents.js";
import { variablesPlugin } from "./plugins/variables.js";
import { buildGatewaySchema } from "./schema.js";

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
