import { ApolloServer, type ApolloServerPlugin } from "@apollo/server";
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginInlineTraceDisabled,
  ApolloServerPluginLandingPageDisabled,
} from "@apollo/server/plugin/disabled";
import type { FastifyBaseLogger } from "fastify";
import type { DocumentNode, ValidationRule } from "graphql";
import type { Config } from "../config.js";
import { isError } from "../describe-error.js";
import { GatewayError } from "../errors.js";
import type { Context } from "./context.js";
import { DocumentCache } from "./document-cache.js";
import { documentLimits } from "./document-limits.js";
import { formatError } from "./format-error.js";
import { demandControlPlugin } from "./plugins/demand-control.js";
import { requestLogPlugin } from "./plugins/request-log.js";
import { responseCachePlugin } from "./plugins/response-cache.js";
import { responseSizePlugin } from "./plugins/response-size.js";
import { PersistedQueryCache, trustedDocumentsPlugin } from "./plugins/trusted-documents.js";
import { variablesPlugin } from "./plugins/variables.js";
import { buildGatewaySchema } from "./schema.js";

const PROBLEM_TEXT = "Apollo Server reports a problem";

/** Creates the logger for Apollo Server. Apollo's texts contain messages of errors, so only the class of an error is logged. */
function apolloLogger(log: FastifyBaseLogger) {
  const logAt = (level: "debug" | "info" | "warn" | "error") => (message: unknown) => {
    if (isError(message)) log[level]({ err: message }, PROBLEM_TEXT);
    else log[level](PROBLEM_TEXT);
  };
  return { debug: logAt("debug"), info: logAt("info"), warn: logAt("warn"), error: logAt("error") };
}

/**
 * Appends the errors and the warnings that resolvers report in addition to their data. Runs before the plugins that read the errors
 * of a response.
 */
const reportsPlugin: ApolloServerPlugin<Context> = {
  async requestDidStart({ contextValue: { reportedErrors, warnings } }) {
    return {
      async willSendResponse({ response: { body } }) {
        if (body.kind !== "single") return;
        if (warnings.length > 0) {
          body.singleResult.extensions = { ...body.singleResult.extensions, warnings };
        }
        if (reportedErrors.length === 0) return;
        const errors = reportedErrors.map(({ error, path }) => ({ ...error.toJSON(), path }));
        body.singleResult.errors = [...(body.singleResult.errors ?? []), ...errors];
      },
    };
  },
};

/** Rejects subscriptions. graphql-js would try to execute them, although the schema has none. */
const noSubscriptions: ValidationRule = (context) => ({
  OperationDefinition({ operation }) {
    if (context.getSchema().getRootType(operation)) return;
    const problem = "The schema has no subscriptions. Send a query or a mutation.";
    context.reportError(new GatewayError("GRAPHQL_VALIDATION_FAILED", problem));
  },
});

const MAX_VALIDATION_ERRORS = 5;

/**
 * Creates the Apollo Server that executes operations. It does not handle HTTP connections. When introspection is off, errors
 * suggest no names of the schema.
 */
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
    // Only main.ts handles signals.
    stopOnTerminationSignals: false,
    parseOptions: { maxTokens: limits.tokens },
    validationRules: [documentLimits(limits), noSubscriptions],
    validationOptions: { maxErrors: MAX_VALIDATION_ERRORS },
    documentStore: new DocumentCache<DocumentNode>(),
    persistedQueries: { cache: new PersistedQueryCache(trustedDocuments) },
    plugins: [
      reportsPlugin,
      responseSizePlugin,
      requestLogPlugin({ introspection, maxTokens: limits.tokens }),
      trustedDocumentsPlugin(trustedDocuments),
      demandControlPlugin,
      variablesPlugin(introspection),
      responseCachePlugin,
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginInlineTraceDisabled(),
      ApolloServerPluginLandingPageDisabled(),
    ],
  });
}
