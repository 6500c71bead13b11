import {
  type DocumentNode,
  type GraphQLFormattedError,
  type GraphQLSchema,
  specifiedRules,
  type ValidationContext,
  type ValidationRule,
  validate,
} from "graphql";
import { introspectionOff, validationMessages } from "./validation-errors.js";

const MAX_PROBLEMS = 5;
const MAX_LOCATIONS = 5;

/**
 * Explains why a document is not valid, at most five problems. It validates again and gives each error the message of the rule
 * that reports it: what GraphQL's own messages hold of the document may be a password.
 *
 * @param introspection whether the schema may be asked for, and messages may suggest its names
 */
export function explainValidation(
  schema: GraphQLSchema,
  document: DocumentNode,
  introspection: boolean,
): readonly GraphQLFormattedError[] {
  const problems = new Map<string, GraphQLFormattedError>();
  const explained = (rule: ValidationRule): ValidationRule => {
    const explain = validationMessages.get(rule);
    return (context) => {
      const reporting: ValidationContext = Object.create(context, {
        reportError: {
          value(error: Parameters<ValidationContext["reportError"]>[0]) {
            const message = explain?.(error.nodes ?? [], context, introspection) ?? OTHER;
            const locations = error.locations?.slice(0, MAX_LOCATIONS) ?? [];
            const extensions = {
              code: "GRAPHQL_VALIDATION_FAILED",
              retryable: false,
              // Apollo's clients and tools look for it.
              ...(rule === introspectionOff && { validationErrorCode: "INTROSPECTION_DISABLED" }),
            };
            // A field that lacks two arguments is reported twice.
            problems.set(JSON.stringify([message, locations]), { message, locations, extensions });
            context.reportError(error);
          },
        },
      });
      return rule(reporting);
    };
  };
  const rules = introspection ? specifiedRules : [...specifiedRules, introspectionOff];
  validate(schema, document, rules.map(explained), { maxErrors: MAX_PROBLEMS, hideSuggestions: true });
  return [...problems.values()].slice(0, MAX_PROBLEMS);
}

const OTHER = "This part of the document does not fit the schema.";
