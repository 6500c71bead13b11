import { Field, Int, ObjectType } from "type-graphql";
import type { ErrorCode } from "../../errors.js";
import { formatValue, truncate } from "../../format-value.js";
import { isUsername } from "../../sip/username.js";
import type { Context } from "../context.js";
import { MAX_ITEMS } from "../cost.js";
import { gatewayErrorIn, MASKED_LOG_TEXT, MASKED_MESSAGE } from "../format-error.js";
import { ID } from "../scalars.js";
import { recordUse } from "../scopes.js";
import { SipUserError, USER_ERRORS_DESCRIPTION } from "../user-error.js";

@ObjectType({
  description:
    "A failure that the client cannot fix, returned as data. The other items of the list are not affected.",
})
class SipFailure {
  @Field(() => String, {
    description: 'Machine-readable code of the failure, as in `extensions.code`. Example: "OUTCOME_UNKNOWN".',
  })
  code!: ErrorCode;

  @Field(() => String, {
    description: "Human-readable description of the failure, in English: what happened and what to do.",
  })
  message!: string;

  @Field(() => Boolean, { description: "Whether the same item may succeed later without a change." })
  retryable!: boolean;
}

/** The outcome of an item: it took effect, its endpoint was already in the other state, or it failed. */
type ItemOutcome = "done" | "skipped" | "failed";

/** The result of one item of a list. */
@ObjectType()
export abstract class ItemResult {
  @Field(() => ID, {
    description: "Username of the item, as in the input. Truncated if it is no valid username.",
  })
  readonly username: string;

  readonly outcome: ItemOutcome;

  @Field(() => [SipUserError], { description: USER_ERRORS_DESCRIPTION })
  readonly userErrors: readonly SipUserError[];

  @Field(() => SipFailure, {
    nullable: true,
    description: "The failure of the item, such as an outage of PIOPIY. Null if there is none.",
  })
  readonly error: SipFailure | undefined;

  constructor(
    username: string,
    outcome: ItemOutcome,
    userErrors: readonly SipUserError[] = [],
    error?: SipFailure,
  ) {
    this.username = username;
    this.outcome = outcome;
    this.userErrors = userErrors;
    this.error = error;
  }
}

/** The results of a list, or the user errors because of which nothing is done. */
@ObjectType()
export abstract class ItemsPayload<Result extends ItemResult> {
  protected readonly items: readonly Result[];

  @Field(() => [SipUserError], {
    description:
      "Problems because of which nothing is done, such as a list that is too long, with the problems of all items. Empty if there " +
      "are none. Otherwise `results` is empty.",
  })
  readonly userErrors: readonly SipUserError[];

  constructor(items: readonly Result[], userErrors: readonly SipUserError[] = []) {
    this.items = items;
    this.userErrors = userErrors;
  }

  @Field(() => Int, { description: "Number of results with `error`, or with other `userErrors`." })
  get failed(): number {
    return this.count("failed");
  }

  protected count(outcome: ItemOutcome): number {
    return this.items.filter((item) => item.outcome === outcome).length;
  }
}

/** An item of the input. */
export interface Item {
  readonly username: string;
  /** The path of the username in the input. */
  readonly path: readonly string[];
  /** The problems that are known before any upstream request. */
  readonly userErrors: readonly SipUserError[];
}

/** Returns the problem of a list that is empty or too long. */
export function listErrors(list: string, { length }: readonly unknown[]): SipUserError[] {
  if (length === 0) {
    return [new SipUserError("NO_ITEMS", `\`${list}\` is empty. Add 1 to ${MAX_ITEMS} items.`, [list])];
  }
  if (length <= MAX_ITEMS) return [];
  const message = `\`${list}\` has ${length} items; the maximum is ${MAX_ITEMS}. Send them in several mutations.`;
  return [new SipUserError("TOO_MANY_ITEMS", message, [list])];
}

/** Adds the error of each item whose username is in the list more than once. */
export function withDuplicateErrors<I extends Item>(items: readonly I[]): readonly I[] {
  const counts = new Map<string, number>();
  for (const { username } of items) counts.set(username, (counts.get(username) ?? 0) + 1);
  return items.map((item) => {
    const { username, path, userErrors } = item;
    if (counts.get(username) === 1) return item;
    const message =
      `The list contains the username ${formatValue(username)} more than once, so nothing is done for it. ` +
      "Each username may be in the list once: remove the repetitions.";
    return { ...item, userErrors: [...userErrors, new SipUserError("DUPLICATE_USERNAME", message, path)] };
  });
}

/**
 * Executes an action for each item without user errors, and returns one result for each item. A failure of an item does not affect
 * the others. Writes an audit entry for each item, or one entry for a dry run.
 *
 * @param Result creates the result of an item that fails
 */
export async function executeItems<I extends Item, R extends ItemResult>(
  context: Context,
  { fieldName, isDryRun }: { readonly fieldName: string; readonly isDryRun: boolean },
  items: readonly I[],
  act: (item: I) => Promise<R>,
  Result: new (...parts: ConstructorParameters<typeof ItemResult>) => R,
): Promise<readonly R[]> {
  context.extendDeadline(items.length);
  warnOfSimilarNames(items, context);
  if (isDryRun) context.audit(fieldName, undefined, "dry-run");
  return context.piopiy.mapAll(items, async (item) => {
    const { username, userErrors } = item;
    const name = isUsername(username) ? username : truncate(username);
    const execute = async () =>
      userErrors.length > 0 ? new Result(name, "failed", userErrors) : await act(item);
    try {
      return await (isDryRun ? execute() : recordUse(context, fieldName, name, execute));
    } catch (error) {
      return new Result(name, "failed", [], describeFailure(error, context));
    }
  });
}

/** Warns of usernames that differ only in upper and lower case. PIOPIY publishes no rule for them. */
function warnOfSimilarNames(items: readonly Item[], context: Context): void {
  const seen = new Map<string, string>();
  for (const { username, path } of items) {
    const key = username.toLowerCase();
    const similar = seen.get(key) ?? username;
    seen.set(key, similar);
    if (similar === username) continue;
    context.warn(
      `The usernames ${formatValue(similar)} and ${formatValue(username)} differ only in upper and lower case. ` +
        "PIOPIY may treat them as the same username: check whether both are intended.",
      path,
    );
  }
}

/** Describes an error for clients. As in `formatError`, the message of an unexpected error is masked. */
function describeFailure(error: unknown, context: Context): SipFailure {
  const own = gatewayErrorIn(error);
  if (!own) context.log.error({ err: error }, MASKED_LOG_TEXT);
  const code = own?.code ?? "INTERNAL_SERVER_ERROR";
  context.countFailure(code);
  return { code, message: own?.message ?? MASKED_MESSAGE, retryable: own?.extensions.retryable === true };
}
