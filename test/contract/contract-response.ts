import assert from "node:assert/strict";

type JsonObject = Readonly<Record<string, unknown>>;

/** A response of PIOPIY, with assertions. It never contains the account's secret. */
export class ContractResponse {
  /** The JSON object of the body, or an empty object. */
  readonly body: JsonObject;
  /** 200, 400, 420 and so on: the normalized code of the body, or else the HTTP status. */
  readonly code: number;

  constructor(
    private readonly httpStatus: number,
    private readonly contentType: string,
    text: string,
  ) {
    this.body = parse(text);
    this.code = Number(/\d{3}/.exec(String(this.body.code))?.[0] ?? httpStatus);
  }

  /** The list in a response of `list_sip`. */
  get list(): { count: number; rows: { username: string; password: string }[] } {
    this.assertSuccess();
    const list = this.body.list;
    assert.ok(isObject(list), "list is an object");
    assert.ok(typeof list.count === "number", "count is a number");
    assert.ok(Array.isArray(list.rows), "rows is an array");
    return { count: list.count, rows: list.rows };
  }

  assertSuccess(): void {
    assert.equal(this.httpStatus, 200, "the HTTP status of a success");
    assert.equal(this.code, 200, "the code of a success");
  }

  /** The error may be in the HTTP status, the body, or both: PIOPIY's documentation does not say. */
  assertRejection(code: number): void {
    assert.equal(this.code, code, "the code of the refusal");
    assert.ok([200, code].includes(this.httpStatus), "the HTTP status is 200 or the code");
    assert.match(this.contentType, /^application\/json/, "the content type of the refusal");
  }

  assertNotFound(): void {
    assert.equal(this.httpStatus, 404, "the HTTP status");
    assert.match(this.contentType, /^text\/html/, "the content type");
  }

  assertFields(fields: JsonObject): void {
    this.assertSuccess();
    const { code: _, ...reported } = this.body;
    assert.deepEqual(reported, fields, "the fields besides the code");
    assert.deepEqual(Object.keys(this.body), ["code", ...Object.keys(fields)], "the order of the fields");
  }
}

function parse(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
