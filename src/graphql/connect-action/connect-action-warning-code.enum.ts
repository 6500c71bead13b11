import { registerEnumType } from "type-graphql";

/** What is legal and unwise. Each value equals its name. */
export enum ConnectActionWarningCode {
  SIMILAR_TARGETS = "SIMILAR_TARGETS",
  LONG_RINGING = "LONG_RINGING",
  OUTSIDE_NEWER_RANGE = "OUTSIDE_NEWER_RANGE",
  VIDEO_UNAVAILABLE = "VIDEO_UNAVAILABLE",
}

registerEnumType(ConnectActionWarningCode, {
  name: "ConnectActionWarningCode",
  description: "What is unwise in an input, for a program to act upon.",
  valuesConfig: {
    SIMILAR_TARGETS: { description: "Two targets differ by the case of their letters only." },
    LONG_RINGING: { description: "It may ring for more than 120 seconds, longer than most callers wait." },
    OUTSIDE_NEWER_RANGE: {
      description:
        "PIOPIY's newer API would refuse it: ringing takes 5 to 120 seconds there, talking 10 to 7200.",
    },
    VIDEO_UNAVAILABLE: {
      description: "A video call to an endpoint that takes none. Told when `verify` is true.",
    },
  },
});
