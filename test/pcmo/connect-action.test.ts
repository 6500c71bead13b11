import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import {
  buildConnectAction,
  type ConnectActionSpecification,
  connectActionProblems,
  connectDocument,
} from "../../src/pcmo/connect-action.js";

const targetsKey = fc.constantFrom("call", "connect");
const callType = fc.constantFrom("AUDIO", "VIDEO");
const ringType = fc.constantFrom("SINGLE", "GROUP");

const utf16 = fc.nat({ max: 0xffff }).map((unit) => String.fromCharCode(unit));
const anyText = fc.oneof(
  fc.string(),
  fc.string({ unit: "binary" }),
  fc.string({ unit: utf16 }),
  fc.constantFrom("", " ", "alice", "bob", "a b", "\u0000"),
);
const anyFrom = fc.option(fc.oneof(anyText, fc.stringMatching(/^\+?\d{5,17}$/)));
const anyNumber = fc.oneof(fc.integer({ min: -1, max: 12 }), fc.integer(), fc.double());
const anySpecification: fc.Arbitrary<ConnectActionSpecification> = fc.record({
  call: fc.array(fc.record({ user: anyText }), { maxLength: 120 }),
  from: anyFrom,
  callType,
  ringType,
  timeout: anyNumber,
  duration: anyNumber,
  loop: anyNumber,
});

const user = fc.string({ unit: "grapheme", minLength: 1 }).filter((name) => !/\p{Cc}/u.test(name));
const validFrom = fc.option(fc.stringMatching(/^\+?[1-9]\d{6,14}$/));
const validSpecification: fc.Arbitrary<ConnectActionSpecification> = fc.record({
  call: fc
    .uniqueArray(user, { minLength: 1, maxLength: 100 })
    .map((users) => users.map((user) => ({ user }))),
  from: validFrom,
  callType,
  ringType,
  timeout: fc.integer({ min: 1, max: 600 }),
  duration: fc.integer({ min: 1, max: 86_400 }),
  loop: fc.integer({ min: 1, max: 10 }),
});

/** The document as PIOPIY receives it. */
function serialize(specification: ConnectActionSpecification, key: "call" | "connect"): unknown {
  return JSON.parse(JSON.stringify(buildConnectAction(specification, key)));
}

describe("A connect action", () => {
  it("has problems, or is built as a document that its schema accepts, for any specification", () => {
    fc.assert(
      fc.property(fc.oneof(anySpecification, validSpecification), targetsKey, (specification, key) => {
        const problems = connectActionProblems(specification);
        if (problems.length > 0) {
          expect(() => buildConnectAction(specification, key)).toThrow();
        } else {
          const document = buildConnectAction(specification, key);
          expect(connectDocument.parse(document)).toEqual(document);
          expect(serialize(specification, key)).toEqual(document);
        }
      }),
      { seed: 6, numRuns: 1000 },
    );
  });

  it("has no problems within its ranges, and its keys are in PIOPIY's order", () => {
    fc.assert(
      fc.property(validSpecification, targetsKey, (specification, key) => {
        expect(connectActionProblems(specification)).toEqual([]);
        const { call, from, callType, ringType, timeout, duration, loop } = specification;
        const expected = [
          ["action", "connect"],
          ["duration", duration],
          ["timeout", timeout],
          ...(from == null ? [] : [["from", Number(from.replace("+", ""))]]),
          ["loop", loop],
          ["call_type", callType === "AUDIO" ? "audio" : "video"],
          ...(ringType === "SINGLE" ? [] : [["ring_type", "group"]]),
          [key, call.map(({ user }) => ({ type: "sip", user }))],
        ];
        const [action, ...others] = buildConnectAction(specification, key);
        expect(Object.entries(action)).toEqual(expected);
        expect(others).toEqual([]);
      }),
      { seed: 7, numRuns: 300 },
    );
  });

  it("has problems that point to values of the specification, in the order of its fields", () => {
    const fields = ["call", "from", "timeout", "duration", "loop"];
    fc.assert(
      fc.property(anySpecification, (specification) => {
        const positions = connectActionProblems(specification).map(
          ({ path: [field = "", index = "0", ...rest] }) => {
            if (rest.length > 0) {
              expect(rest).toEqual(["user"]);
              expect(specification.call[Number(index)]).toBeDefined();
            }
            return fields.indexOf(field) * 1000 + Number(index);
          },
        );
        expect(positions).toEqual(positions.toSorted((one, other) => one - other));
        expect(positions.every((position) => position >= 0)).toBe(true);
      }),
      { seed: 8, numRuns: 300 },
    );
  });

  it("has one problem when it has 10,000 targets", () => {
    const call = Array.from({ length: 10_000 }, () => ({ user: "" }));
    const rest = { callType: "AUDIO", ringType: "SINGLE", timeout: 1, duration: 1, loop: 1 } as const;
    expect(connectActionProblems({ call, ...rest })).toEqual([
      {
        code: "TOO_MANY_TARGETS",
        message: "`call` must contain 1 to 100 SIP endpoints (got 10000).",
        path: ["call"],
      },
    ]);
  });
});
