import { describe, expect, it } from "@jest/globals";
import { connectDocument } from "../../src/pcmo/connect-action.js";

const action = {
  action: "connect",
  duration: 600,
  timeout: 20,
  from: 914471000000,
  loop: 1,
  call_type: "audio",
  ring_type: "group",
  call: [{ type: "sip", user: "alice" }],
};
const { call, ...rest } = action;

describe("A PCMO document with a connect action", () => {
  it.each([
    ["all keys", action],
    ["no caller id", { ...action, from: undefined }],
    ["no ring type", { ...action, ring_type: undefined }],
    ["the target list under connect", { ...rest, connect: call }],
    ["a username with a space", { ...action, call: [{ type: "sip", user: "a b" }] }],
  ])("may have %s", (_title, one) => {
    expect(connectDocument.safeParse([one]).success).toBe(true);
  });

  it.each<[string, unknown]>([
    ["no action", []],
    ["two actions", [action, action]],
    ["an object in place of the list", action],
    ["another action", [{ ...action, action: "play" }]],
    ["both keys of the target list", [{ ...action, connect: call }]],
    ["no target list", [rest]],
    ["an empty target list", [{ ...action, call: [] }]],
    ["101 targets", [{ ...action, call: Array(101).fill(call[0]) }]],
    ["a target of another type", [{ ...action, call: [{ type: "pstn", user: "alice" }] }]],
    ["a target with an empty username", [{ ...action, call: [{ type: "sip", user: "" }] }]],
    ["a username with a control character", [{ ...action, call: [{ type: "sip", user: "a\u0085b" }] }]],
    ["an unknown key in a target", [{ ...action, call: [{ type: "sip", user: "alice", ring: 1 }] }]],
    ["an unknown key", [{ ...action, record: true }]],
    ["the ring type single", [{ ...action, ring_type: "single" }]],
    ["a call type in capitals", [{ ...action, call_type: "AUDIO" }]],
    ["a caller id that is a string", [{ ...action, from: "914471000000" }]],
    ["a caller id of 16 digits", [{ ...action, from: 1e15 }]],
    ["a timeout that is a fraction", [{ ...action, timeout: 1.5 }]],
    ["a loop that is a string", [{ ...action, loop: "1" }]],
    ["a timeout of 601", [{ ...action, timeout: 601 }]],
    ["a duration of 0", [{ ...action, duration: 0 }]],
    ["11 attempts", [{ ...action, loop: 11 }]],
  ])("must not have %s", (_title, document) => {
    expect(connectDocument.safeParse(document).success).toBe(false);
  });
});
