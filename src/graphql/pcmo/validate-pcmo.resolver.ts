import { Arg, Ctx, Query, Resolver } from "type-graphql";
import { validatePcmo } from "../../pcmo/validate.js";
import type { Context } from "../context.js";
import { RequiresScope } from "../scopes.js";
import { Pcmo } from "./pcmo.scalar.js";
import { PcmoProblem, PcmoReport } from "./pcmo-report.type.js";

/** Judges PCMO documents. Nothing is asked upstream. */
@Resolver()
export class ValidatePcmoResolver {
  @RequiresScope("sip:read")
  @Query(() => PcmoReport, {
    description:
      "Judges a PCMO document with any actions before PIOPIY gets it: its mistakes, what it does, and how this gateway would write " +
      "it. Whether its endpoints and files exist is not asked. Costs a unit for each started 20 bytes of the document.",
  })
  validatePcmo(
    @Arg("pcmo", () => Pcmo, {
      description: 'The document, as JSON. Example: [{ "action": "hangup" }].',
    })
    pcmo: unknown,
    @Ctx() { pcmoTargetsKey }: Context,
  ): PcmoReport {
    const { problems, ...report } = validatePcmo(pcmo, pcmoTargetsKey);
    return { ...report, problems: problems.map((problem) => new PcmoProblem(problem)) };
  }
}
