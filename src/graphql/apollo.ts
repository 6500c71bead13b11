import { ApolloServer, type ApolloServerPlugin } from "@apollo/server";
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginInlineTraceDisabled,
  ApolloServerPluginLandingPageDisabled,
} from "@apollo/server/plugin/disabled";
import type { FastifyBaseLogger } from "fastify";
import type { DocumentNode } from "graphql";
import type { Config } from "../config.js";
import { isError } from "../describe-error.js";
import type { Context } from "./context.js";
import { DocumentCache } from "./document-cache.js";
import { documentLimits } from "./document-limits.js";
import { formatError } from "./format-error.js";
import { costPlugin } from "./plugins/demand-control.js";
import { httpStatusPlugin } from "./plugins/http-status.js";
import { reportPlugin } from "./plugins/request-log.js";
import { responseCachePlugin } from "./plugins/response-cache.js";
import { responseSizePlugin } from "./plugins/response-size.js";
import { PersistedQueries, trustedDocumentsPlugin } from "./plugins/trusted-documents.js";
import { variablesPlugin } from "./plugins/variables.js";
import { buildGatewaySchema } from "./schema.js";

const TEXT = "Apollo Server reports a problem";

/** A logger for Apollo Server, whose texts hold the messages of errors: it logs that there is a problem, and its class. */
function apolloLogger(log: FastifyBaseLogger) {
  const writer = (level: "debug" | "info" | "warn" | "error") => (problem: unknown) => {
    if (isError(problem)) log[level]({ err: problem }, TEXT);
    else log[level](TEXT);
  };
  return { debug: writer("debug"), info: writer("info"), warn: writer("warn"), error: writer("error") };
}

/** Appends the errors that resolvers report beside their data. It stands before the plugins that read the errors of a response. */
const reportedErrorsPlugin: ApolloServerPlugin<Context> = {
  async requestDidStart({ contextValue: { reportedErrors } }) {
    return {
      async willSendResponse({ response: { body } }) {
        if (reportedErrors.length === 0 || body.kind !== "single") return;
        const errors = reportedErrors.map(({ error, path }) => ({ ...error.toJSON(), path }));
        body.singleResult.errors = [...(body.singleResult.errors ?? []), ...errors];
      },
    };
  },
};

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
      responseCachePlugin,
      httpStatusPlugin,
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginInlineTraceDisabled(),
      ApolloServerPluginLandingPageDisabled(),
    ],
  });
}
