import { z } from "zod";
import { pcmoDocument } from "./document.js";

/** The rules of a PCMO document as a JSON Schema, for editors and tools: it takes exactly the documents without errors. */
export function pcmoJsonSchema(): object {
  const { $schema, ...rules } = z.toJSONSchema(pcmoDocument, { target: "draft-2020-12", io: "input" });
  return {
    $schema,
    title: "PCMO",
    description:
      "A PCMO (PIOPIY call management object) document: the actions that PIOPIY runs in order. This schema takes exactly the " +
      "documents in which validatePcmo of the PIOPIY GraphQL Gateway finds no error; what validatePcmo only warns of, it takes.",
    ...rules,
  };
}
