import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import {
  type CallDocument,
  type ConnectAction,
  pcmoSchema,
} from "../../../src/emulator/phone-call/pcmo-schema.js";
import { type PhoneBehaviour, simulateCall } from "../../../src/emulator/phone-call/simulate.js";
import type { TimelineEntry } from "../../../src/emulator/phone-call/timeline.js";
import { buildConnectAction } from "../../../src/pcmo/connect-action.js";

const seconds = (minimum: number, maximum: number) => fc.integer({ min: minimum, max: maximum });
const username = fc.constantFrom("alice", "bob", "carol", "dave", "ghost");

const connect = fc.record(
  {
    action: fc.constant("connect" as const),
    call: fc.array(
      username.map((user) => ({ type: "sip", user })),
      { minLength: 1, maxLength: 6 },
    ),
    timeout: seconds(1, 60),
    duration: seconds(1, 7200),
    loop: seconds(1, 4),
    ring_type: fc.constantFrom("single", "group"),
  },
  { requiredKeys: ["action", "call"] },
);
const other = fc.constantFrom(
  { action: "speak", text: "Hello." },
  { action: "record" },
  { action: "hangup" },
);
const documentOf = (action: fc.Arbitrary<object>, maxLength: number) =>
  fc.array(action, { minLength: 1, maxLength }).map((actions): CallDocument => pcmoSchema.parse(actions));

const behaviour: fc.Arbitrary<PhoneBehaviour> = fc.oneof(
  fc.record({ answersAfter: seconds(0, 80) }),
  fc.record({ answersAfter: seconds(0, 80), hangsUpAfter: seconds(1, 8000) }),
  fc.constantFrom("busy", "never", "unregistered"),
);
/** The endpoint ghost never exists; the others have random behaviours. */
const phones = fc
  .record({ alice: behaviour, bob: behaviour, carol: behaviour, dave: behaviour })
  .map((behaviours) => {
    const all = new Map<string, PhoneBehaviour>(Object.entries(behaviours));
    return (name: string) => all.get(name);
  });

type Check = (timeline: readonly TimelineEntry[], document: CallDocument) => void;

function always(check: Check, document = documentOf(fc.oneof(connect, other), 4)): void {
  fc.assert(
    fc.property(document, phones, (actions, phonesOfAll) => {
      check(simulateCall(actions, phonesOfAll).timeline, actions);
    }),
    { seed: 6, numRuns: 500 },
  );
}

const onlyConnect = documentOf(connect, 1);
const ofKind = (timeline: readonly TimelineEntry[], ...events: TimelineEntry["event"][]) =>
  timeline.filter(({ event }) => events.includes(event));

/** Returns the ringing phones after each event. */
function ringingAlong(timeline: readonly TimelineEntry[]): { at: number; ringing: string[] }[] {
  let ringing: string[] = [];
  return timeline.map((entry) => {
    if (entry.event === "rings") ringing = [...ringing, entry.endpoint];
    if (entry.event === "answers" || entry.event === "stops ringing") {
      expect(ringing).toContain(entry.endpoint);
      ringing = ringing.filter((name) => name !== entry.endpoint);
    }
    return { at: entry.at, ringing };
  });
}

/** Returns for how many seconds at least one phone rings. */
function ringingTime(timeline: readonly TimelineEntry[]): number {
  const along = ringingAlong(timeline);
  return along.reduce(
    (sum, { at, ringing }, index) =>
      sum + (ringing.length > 0 ? (along[index + 1]?.at ?? Number.NaN) - at : 0),
    0,
  );
}

describe("a simulated call with any document and any phones", () => {
  it("has events in order of time", () => {
    always((timeline) => {
      const times = timeline.map(({ at }) => at);
      expect(times).toEqual([...times].sort((one, next) => one - next));
      expect(times[0]).toBe(0);
    });
  });

  it("ends once, with its last event", () => {
    always((timeline) => {
      expect(ofKind(timeline, "ends")).toEqual(timeline.slice(-1));
    });
  });

  it("is answered by one phone at most", () => {
    always((timeline) => {
      expect(ofKind(timeline, "answers").length).toBeLessThanOrEqual(1);
    });
  });

  it("leaves no phone ringing: each ringing phone answers or stops ringing", () => {
    always((timeline) => {
      expect(ringingAlong(timeline).at(-1)?.ringing).toEqual([]);
    });
  });

  it("never rings a phone that already rings, is busy, is not registered or does not exist", () => {
    fc.assert(
      fc.property(documentOf(connect, 3), phones, (document, phonesOfAll) => {
        const { timeline } = simulateCall(document, phonesOfAll);
        for (const { ringing } of ringingAlong(timeline)) {
          expect(new Set(ringing).size).toBe(ringing.length);
          for (const name of ringing) {
            expect(["busy", "unregistered", undefined]).not.toContain(phonesOfAll(name));
          }
        }
      }),
      { seed: 6, numRuns: 500 },
    );
  });

  it("rings one phone at a time with ring type single, and all at the same time with group", () => {
    always((timeline, [action]) => {
      const { ring_type, timeout } = action as ConnectAction;
      const most = Math.max(...ringingAlong(timeline).map(({ ringing }) => ringing.length));
      if (ring_type === "single") expect(most).toBeLessThanOrEqual(1);
      else for (const { at } of ofKind(timeline, "rings")) expect(at % timeout).toBe(0);
    }, onlyConnect);
  });

  it("rings no longer than timeout, loop and, with ring type single, the number of targets allow", () => {
    always((timeline, [action]) => {
      const { ring_type, timeout, loop, call } = action as ConnectAction;
      const targets = ring_type === "single" ? (call ?? []).length : 1;
      expect(ringingTime(timeline)).toBeLessThanOrEqual(timeout * loop * targets);
    }, onlyConnect);
  });

  it("lasts no longer than its duration after the answer, and reports why it ended", () => {
    always((timeline, [action]) => {
      const answered = ofKind(timeline, "answers")[0];
      const end = timeline.at(-1);
      if (!answered || end?.event !== "ends") return;
      const talk = end.at - answered.at;
      const { duration } = action as ConnectAction;
      expect(talk).toBeLessThanOrEqual(duration);
      expect(end.reason).toBe(talk === duration ? "duration" : "endpoint hung up");
      expect(ofKind(timeline, "hangs up")).toHaveLength(talk === duration ? 0 : 1);
    }, onlyConnect);
  });
});

describe("the emulator", () => {
  it("accepts every document that the gateway writes", () => {
    const specification = fc.record({
      call: fc
        .uniqueArray(fc.stringMatching(/^[^\s\p{Cc}]{1,20}$/u), { minLength: 1, maxLength: 100 })
        .map((users) => users.map((user) => ({ user }))),
      from: fc.option(fc.stringMatching(/^\+?[1-9]\d{6,14}$/)),
      callType: fc.constantFrom("AUDIO" as const, "VIDEO" as const),
      ringType: fc.constantFrom("SINGLE" as const, "GROUP" as const),
      timeout: seconds(1, 600),
      duration: seconds(1, 86_400),
      loop: seconds(1, 10),
    });
    fc.assert(
      fc.property(specification, fc.constantFrom("call" as const, "connect" as const), (given, key) => {
        const written = buildConnectAction(given, key);
        expect(pcmoSchema.safeParse(written).error).toBeUndefined();
      }),
      { seed: 6, numRuns: 300 },
    );
  });
});
