import type { ContractCheck } from "./contract-check.js";
import { endpointChecks } from "./endpoint-checks.js";
import { listChecks } from "./list-checks.js";
import { refusalChecks } from "./refusal-checks.js";

/**
 * PIOPIY's behaviour, as statements that can be run against any address. A check uses PIOPIY's five calls only,
 * works on endpoints of its own and removes them, so it does no harm to a real account.
 */
export const contract: readonly ContractCheck[] = [...endpointChecks, ...listChecks, ...refusalChecks];
