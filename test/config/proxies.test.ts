import { describe, expect, it } from "@jest/globals";
import { ConfigError, readConfig } from "../../src/config.js";
import { createAgent } from "../../src/egress-proxy.js";

const complete = { AUTH: "none", PIOPIY_APP_ID: "2222223", PIOPIY_SECRET: "made-up-secret" };
const proxies = { HTTPS_PROXY: "http://secure.example.com:3128", HTTP_PROXY: "http://plain.example.com" };

function read(variables: Record<string, string>) {
  return readConfig({ ...complete, ...variables }).proxies;
}

function mistakes(variables: Record<string, string>): readonly string[] {
  try {
    read(variables);
  } catch (error) {
    if (error instanceof ConfigError) return error.mistakes;
    throw error;
  }
  return [];
}

describe.each(["HTTPS_PROXY", "HTTP_PROXY"])("%s", (name) => {
  it.each([
    "http://proxy.example.com:3128",
    "http://proxy.example.com/",
    "https://user:made%20up@proxy.example.com",
    "proxy.example.com:3128",
    "http://[fd00::1]:3128",
  ])("may be %s", (value) => {
    expect(mistakes({ [name]: value })).toEqual([]);
  });

  it.each([
    "socks5://hidden.example.com:1080",
    "http://",
    "http://hidden.example.com:port",
    "http://hidden.example.com/path",
    "http://hidden.example.com?a=1",
    "hidden value",
  ])("may not be %s, and the error does not show it", (value) => {
    const found = mistakes({ [name]: value });
    expect(found).toEqual([
      `${name} must be the http:// or https:// URL of a proxy, such as http://proxy.example.com:3128, without a path or a query.`,
    ]);
  });
});

describe("A variable of a proxy in lower case", () => {
  it("takes precedence, unless it is empty", () => {
    const both = { HTTPS_PROXY: "http://upper.example.com", https_proxy: "http://lower.example.com" };
    expect(read(both).https?.reveal()).toBe("http://lower.example.com");
    expect(read({ ...both, https_proxy: " " }).https?.reveal()).toBe("http://upper.example.com");
    expect(read({ http_proxy: "http://lower.example.com" }).http?.reveal()).toBe("http://lower.example.com");
    expect(read({ no_proxy: "a.example.com b.example.com" }).noProxy).toEqual([
      "a.example.com",
      "b.example.com",
    ]);
  });
});

describe("NO_PROXY", () => {
  const isProxied = (url: string, settings: Record<string, string>) => {
    const agent = createAgent(url, read(settings), 1000);
    agent.destroy();
    return ["TunnelAgent", "ForwardAgent"].includes(agent.constructor.name);
  };

  it.each([
    ["*", "https://api.example.com/"],
    ["api.example.com", "https://api.example.com/"],
    ["API.Example.com", "https://api.example.com/"],
    ["other.example.com,api.example.com", "https://api.example.com/"],
    [".example.com", "https://api.example.com/"],
    ["*.example.com", "https://a.api.example.com/"],
    ["api.example.com:443", "https://api.example.com/"],
    ["api.example.com:80", "http://api.example.com/"],
    [".example.com:8443", "https://api.example.com:8443/"],
    ["*:8443", "https://api.example.com:8443/"],
    ["192.0.2.1", "https://192.0.2.1/"],
    ["fd00::1", "https://[fd00::1]/"],
    ["[fd00::1]:443", "https://[fd00::1]/"],
  ])("%s excludes %s from the proxy", (NO_PROXY, url) => {
    expect(isProxied(url, proxies)).toBe(true);
    expect(isProxied(url, { ...proxies, NO_PROXY })).toBe(false);
  });

  it.each([
    ["example.com", "https://api.example.com/"],
    [".example.com", "https://example.com/"],
    [".example.com", "https://api-example.com/"],
    ["api.example.com:80", "https://api.example.com/"],
    ["api.example.com:443", "http://api.example.com/"],
    ["192.0.2.0/24", "https://192.0.2.1/"],
    ["api.*", "https://api.example.com/"],
  ])("%s does not exclude %s", (NO_PROXY, url) => {
    expect(isProxied(url, { ...proxies, NO_PROXY })).toBe(true);
  });

  it.each([
    "https://localhost:8443/",
    "http://127.0.0.2/",
    "https://[::1]/",
  ])("is not needed for the loopback address %s", (url) => {
    expect(isProxied(url, proxies)).toBe(false);
  });

  it("leaves a scheme without a proxy alone, and so does ALL_PROXY", () => {
    const settings = { HTTP_PROXY: proxies.HTTP_PROXY, ALL_PROXY: "http://all.example.com" };
    expect(isProxied("https://api.example.com/", settings)).toBe(false);
    expect(isProxied("http://api.example.com/", settings)).toBe(true);
  });
});
