import { describe, expect, it } from "@jest/globals";
import { ConfigError, describeConfig, readConfig } from "../../src/config.js";

const minimal = { AUTH: "none", PIOPIY_APP_ID: "2222223", PIOPIY_SECRET: "made-up-secret" };
const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector.example.com:4318" };

/** Returns the errors of a configuration. */
function mistakes(variables: Record<string, string>): readonly string[] {
  try {
    readConfig({ ...minimal, ...variables });
  } catch (error) {
    if (error instanceof ConfigError) return error.mistakes;
    throw error;
  }
  return [];
}

describe("The URL for spans", () => {
  const specific = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "https://traces.example.com/spans" };

  it.each<[string | undefined, Record<string, string>]>([
    [undefined, {}],
    ["http://collector.example.com:4318/v1/traces", endpoint],
    ["https://example.com/tenant/v1/traces", { OTEL_EXPORTER_OTLP_ENDPOINT: "https://example.com/tenant/" }],
    ["https://traces.example.com/spans", specific],
    ["https://traces.example.com/spans", { ...endpoint, ...specific }],
    [undefined, { ...endpoint, OTEL_SDK_DISABLED: "true" }],
    ["http://collector.example.com:4318/v1/traces", { ...endpoint, OTEL_SDK_DISABLED: "false" }],
  ])("is %s with %j", (expected, variables) => {
    const config = readConfig({ ...minimal, ...variables });
    expect(config.tracesUrl).toBe(expected);
    expect(describeConfig(config)).toMatchObject({ tracing: expected !== undefined });
  });

  it("is not in the description of the settings, because its path may be a credential", () => {
    const config = readConfig({
      ...minimal,
      OTEL_EXPORTER_OTLP_ENDPOINT: "https://example.com/made-up-token",
    });
    expect(JSON.stringify(describeConfig(config))).not.toContain("made-up");
  });
});

describe("Mistakes in the variables for tracing", () => {
  const scheme = "must be a URL that starts with https:// or http://.";

  it.each<[string, string, string]>([
    ["OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318", scheme],
    ["OTEL_EXPORTER_OTLP_ENDPOINT", "grpc://collector:4317", scheme],
    ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "made-up", scheme],
    [
      "OTEL_EXPORTER_OTLP_ENDPOINT",
      "https://user:made-up@example.com",
      "must not contain a user, a password or a fragment.",
    ],
    ["OTEL_EXPORTER_OTLP_ENDPOINT", "https://example.com?key=made-up", "must not contain a query."],
    ["OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", 'must be one of http/protobuf (got "grpc").'],
    [
      "OTEL_TRACES_SAMPLER",
      "sometimes",
      "must be one of always_on, always_off, traceidratio, parentbased_always_on, parentbased_always_off, " +
        'parentbased_traceidratio (got "sometimes").',
    ],
    ["OTEL_TRACES_SAMPLER_ARG", "1.1", 'must be a number from 0 to 1, such as 0.1 (got "1.1").'],
    ["OTEL_TRACES_SAMPLER_ARG", "10%", 'must be a number from 0 to 1, such as 0.1 (got "10%").'],
    ["OTEL_SDK_DISABLED", "yes", 'must be one of true, false (got "yes").'],
  ])("%s=%s", (name, value, message) => {
    expect(mistakes({ ...endpoint, [name]: value })).toEqual([`${name} ${message}`]);
  });

  it.each(["0", "0.1", ".5", "1", "1.0"])("OTEL_TRACES_SAMPLER_ARG may be %s", (value) => {
    expect(mistakes({ ...endpoint, OTEL_TRACES_SAMPLER_ARG: value })).toEqual([]);
  });

  it("are not reported without a URL for spans, because the variables may be those of other programs", () => {
    expect(mistakes({ OTEL_EXPORTER_OTLP_PROTOCOL: "grpc", OTEL_TRACES_SAMPLER: "xray" })).toEqual([]);
  });
});
