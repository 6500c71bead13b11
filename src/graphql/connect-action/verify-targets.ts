import { showValue } from "../../format-value.js";
import type {
  ConnectActionSpecification,
  SpecificationProblem,
  SpecificationWarning,
} from "../../pcmo/connect-action.js";
import type { PiopiyLoader } from "../../piopiy/loader.js";

/** A target that PIOPIY does not have. */
export interface MissingTarget {
  readonly code: "SIP_ENDPOINT_NOT_FOUND";
  readonly message: string;
  readonly path: readonly string[];
}

/** Asks PIOPIY for every target that is not wrong already, side by side. */
export async function verifyTargets(
  { call, callType }: ConnectActionSpecification,
  problems: readonly SpecificationProblem[],
  piopiy: PiopiyLoader,
): Promise<{ missing: MissingTarget[]; warnings: SpecificationWarning[] }> {
  const wrong = new Set(problems.map(({ path }) => path.join("/")));
  const missing: MissingTarget[] = [];
  const warnings: SpecificationWarning[] = [];
  if (wrong.has("call")) return { missing, warnings };
  const targets = call
    .map(({ user }, index) => ({ user, path: ["call", String(index), "user"] }))
    .filter(({ path }) => !wrong.has(path.join("/")));
  const records = await Promise.all(targets.map(({ user }) => piopiy.endpoint(user)));
  targets.forEach(({ user, path }, index) => {
    const record = records[index];
    const name = showValue(user);
    if (!record) {
      missing.push({ code: "SIP_ENDPOINT_NOT_FOUND", message: `PIOPIY has no SIP endpoint ${name}.`, path });
    } else if (callType === "VIDEO" && record.video === false) {
      warnings.push({ code: "VIDEO_UNAVAILABLE", message: `The SIP endpoint ${name} takes no video.`, path });
    }
  });
  return { missing, warnings };
}
