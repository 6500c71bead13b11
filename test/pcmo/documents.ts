import fc from "fast-check";

/** Any JSON of a PCMO document, valid or not. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const name = fc.stringMatching(/^[a-z]{1,12}$/);
const file = fc.oneof(
  fc.record({ file_name: name.map((text) => `${text}.mp3`) }),
  fc.record({ file_url: name.map((text) => `https://files.example/${text}`) }),
);
const action_url = name.map((text) => `https://app.example/${text}`);
const from = fc.integer({ min: 1_000_000, max: 999_999_999_999_999 });
const times = {
  duration: fc.integer({ min: 1, max: 86_400 }),
  timeout: fc.integer({ min: 1, max: 600 }),
  loop: fc.integer({ min: 1, max: 10 }),
};
const ring_type = fc.constantFrom("single", "group");
const digits = { max_digit: fc.integer({ min: 1, max: 99 }), timeout: fc.integer({ min: 1, max: 99 }) };

const sipTargets = fc
  .uniqueArray(name, { minLength: 1, maxLength: 5 })
  .map((users) => users.map((user) => ({ type: "sip", user })));
const phoneTargets = fc.array(fc.record({ type: fc.constant("pstn"), number: from }), {
  minLength: 1,
  maxLength: 5,
});
const targetsKey = fc.constantFrom("call", "connect");

/** Valid actions with random optional keys, in random key order. */
const action: fc.Arbitrary<Json> = fc.oneof(
  actionOf("play", {}, {}, file),
  actionOf("speak", { text: fc.string({ minLength: 1 }) }),
  actionOf("param", { text: fc.string({ minLength: 1, unit: "binary" }) }),
  actionOf("input", { action_url }, digits),
  actionOf("play_get_input", { action_url }, { ...digits, max_retry: fc.integer({ min: 1, max: 9 }) }, file),
  actionOf("bridge", { connect: phoneTargets }, { from, ring_type, ...times }),
  actionOf(
    "connect",
    {},
    { from, ring_type, ...times, call_type: fc.constantFrom("audio", "video"), record: fc.boolean() },
    fc.tuple(targetsKey, sipTargets).map(([key, targets]) => ({ [key]: targets })),
  ),
  actionOf("record", {}),
  actionOf(
    "stream",
    { ws_url: name.map((text) => `wss://${text}.example/`) },
    {
      listen_mode: fc.constantFrom("caller", "callee", "both"),
      voice_quality: fc.constantFrom("8000", "16000"),
      stream_on_answer: fc.boolean(),
    },
  ),
  actionOf("hangup", {}),
);

/** Documents without errors. */
export const validDocument: fc.Arbitrary<Json[]> = fc.array(action, { minLength: 1, maxLength: 6 });

const anyKey = fc.oneof(
  fc.constantFrom("action", "call", "connect", "timeout", "file_name", "file_url", "from", "user", "number"),
  fc.constantFrom("type", "record", "loop", "Timeout", "", "a/b", "constructor", "toString"),
  fc.string({ maxLength: 5 }),
);
const unusualValue: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json>(
    null,
    true,
    false,
    "",
    " ",
    0,
    -1,
    1.5,
    1e300,
    601,
    11,
    86_401,
    999_999,
    1e15,
    [],
    {},
  ),
  fc.constantFrom("20", "connect", "sip", "pstn", "AUDIO", "http://a b", "ws://x", "welcome.mp3", "bob"),
  fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>,
);
const change = fc.record({
  kind: fc.constantFrom("delete", "replace", "add", "rename", "repeat", "quote"),
  location: fc.nat(),
  key: anyKey,
  value: unusualValue,
});

/** Valid documents with one to three random changes, most of which make them invalid. */
export const mutatedDocument: fc.Arbitrary<Json> = fc
  .tuple(validDocument, fc.array(change, { minLength: 1, maxLength: 3 }))
  .map(([document, changes]) => {
    const holder: { [key: string]: Json } = { document: structuredClone(document) };
    for (const one of changes) mutate(holder, one);
    // Plain objects only, as in a parsed request.
    return JSON.parse(JSON.stringify(holder.document));
  });

function actionOf(
  action: string,
  required: Record<string, fc.Arbitrary<Json>>,
  optional: Record<string, fc.Arbitrary<Json>> = {},
  more: fc.Arbitrary<{ [key: string]: Json }> = fc.constant({}),
): fc.Arbitrary<Json> {
  const drawn = fc.tuple(
    fc.record(required),
    fc.record(optional, { requiredKeys: [] }),
    more,
    fc.constant({ action }),
  );
  return fc
    .tuple(drawn, fc.boolean())
    .map(([parts, isReversed]) => Object.assign({}, ...(isReversed ? parts : parts.toReversed())));
}

interface Change {
  readonly kind: string;
  readonly location: number;
  readonly key: string;
  readonly value: Json;
}

/** Changes one value of a document: an element of a list, or the value of a key. */
function mutate(holder: { [key: string]: Json }, { kind, location, key, value }: Change): void {
  const locations = [...locationsOf(holder)];
  const [owner, step] = locations[location % locations.length] ?? [holder, "document"];
  const old = Reflect.get(owner, step) as Json;
  const isDocument = owner === holder;
  if (kind === "delete" && !isDocument) {
    if (Array.isArray(owner)) owner.splice(Number(step), 1);
    else delete owner[step];
  } else if (kind === "add" && typeof old === "object" && old !== null && !Array.isArray(old))
    old[key] = value;
  else if (kind === "rename" && !Array.isArray(owner) && !isDocument) {
    delete owner[step];
    owner[key] = old;
  } else if (kind === "repeat" && Array.isArray(old)) old.push(...structuredClone(old));
  else if (kind === "quote")
    Reflect.set(owner, step, typeof old === "string" ? old.toUpperCase() : String(old));
  else Reflect.set(owner, step, value);
}

function* locationsOf(owner: Json[] | { [key: string]: Json }): Generator<[typeof owner & object, string]> {
  for (const [step, value] of Object.entries(owner)) {
    yield [owner, step];
    if (typeof value === "object" && value !== null) yield* locationsOf(value);
  }
}
