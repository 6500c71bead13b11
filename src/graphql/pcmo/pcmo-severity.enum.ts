import { registerEnumType } from "type-graphql";

export enum PcmoSeverity {
  ERROR = "ERROR",
  WARNING = "WARNING",
}

registerEnumType(PcmoSeverity, {
  name: "PcmoSeverity",
  description: "How bad a problem of a PCMO document is.",
  valuesConfig: {
    ERROR: { description: "PIOPIY's documents do not allow it: mend it before PIOPIY gets the document." },
    WARNING: { description: "It is allowed, and may not do what was meant." },
  },
});
