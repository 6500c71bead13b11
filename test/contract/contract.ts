import type { ContractCheck } from "./contract-check.js";
import { endpointChecks } from "./endpoint-checks.js";
import { listChecks } from "./list-checks.js";
import { refusalChecks } from "./refusal-checks.js";

/**
 * PIOPIY's behaviour, as checks that run against any address. A check uses only PIOPIY's five operations and its own endpoints,
 * which it removes. So it does not change other endpoints of a real account.
 */
export const contract: readonly ContractCheck[] = [...endpointChecks, ...listChecks, ...refusalChecks];
