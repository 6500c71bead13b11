import fc from "fast-check";

/** A selected field, with its type and the fields selected below it. */
export interface Field {
  readonly text: string;
  readonly type?: string;
  readonly below: readonly Field[];
}

const leaf = (...names: string[]): fc.Arbitrary<Field> =>
  fc.constantFrom(...names).map((text) => ({ text, below: [] }));
const branch = (text: string, type: string, below: fc.Arbitrary<Field[]>): fc.Arbitrary<Field> =>
  below.map((fields) => ({ text, type, below: fields }));
const some = (...fields: fc.Arbitrary<Field>[]): fc.Arbitrary<Field[]> =>
  fc.array(fc.oneof(...fields), { minLength: 1, maxLength: 4 });

const ofEndpoint = some(leaf("__typename", "username", "type", "video"));
const ofEdge = some(leaf("cursor"), branch("node", "SipEndpoint", ofEndpoint));
const ofList = some(
  leaf("totalCount"),
  branch("nodes", "SipEndpoint", ofEndpoint),
  branch("edges", "SipEndpointEdge", ofEdge),
  branch("pageInfo", "PageInfo", some(leaf("hasNextPage", "endCursor"))),
);
const list = fc
  .option(fc.integer({ min: -1, max: 120 }), { nil: undefined })
  .map((first) => (first === undefined ? "sipEndpoints" : `sipEndpoints(first: ${first})`))
  .chain((text) => branch(text, "SipEndpointConnection", ofList));

/** Generates the fields of a query. Fields may be repeated. */
export const anyQuery: fc.Arbitrary<Field[]> = some(
  leaf("__typename"),
  branch('sipEndpoint(username: "alice")', "SipEndpoint", ofEndpoint),
  list,
);

/** Prints the fields without fragments. */
export function inline(fields: readonly Field[]): string {
  return `{ ${fields.map(({ text, below }) => (below.length > 0 ? `${text} ${inline(below)}` : text)).join(" ")} }`;
}

/** Prints all selections as named fragments. */
export function inFragments(fields: readonly Field[]): string {
  const fragments: string[] = [];
  const spread = (type: string, selected: readonly Field[]): string => {
    const texts = selected.map(({ text, type: inner, below }) =>
      inner ? `${text} ${spread(inner, below)}` : text,
    );
    fragments.push(`fragment F${fragments.length} on ${type} { ${texts.join(" ")} }`);
    return `{ ...F${fragments.length - 1} }`;
  };
  return [spread("Query", fields), ...fragments].join(" ");
}

/** Prints each field in two nested inline fragments. The outer one has a type condition. */
export function inInlineFragments(fields: readonly Field[], type = "Query"): string {
  const texts = fields.map(({ text, type: inner, below }) => {
    const field = inner ? `${text} ${inInlineFragments(below, inner)}` : text;
    return `... on ${type} { ... { ${field} } }`;
  });
  return `{ ${texts.join(" ")} }`;
}

/** Repeats one field of the tree next to itself. */
export function withField(fields: readonly Field[], where: number, which: number): Field[] {
  const index = where % fields.length;
  const chosen = fields[index];
  if (!chosen) throw new Error("Every selection has a field.");
  if (chosen.below.length === 0 || which % 3 === 0) return [...fields, chosen];
  const deeper = { ...chosen, below: withField(chosen.below, where + which, Math.floor(which / 3)) };
  return fields.with(index, deeper);
}
