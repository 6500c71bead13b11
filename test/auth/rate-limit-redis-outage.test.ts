import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { hasRedis, startRedis, type TestRedis } from "../support/redis.js";
import { until } from "../support/until.js";

const describeWithRedis = hasRedis ? describe : describe.skip;
if (!hasRedis)
  process.stderr.write("Skipped: the tests of a Redis outage need Redis (apt-get install redis-server).\n");

const one = "{ __typename }";
const AWAY = "Redis is unreachable: rate limits apply to each process separately, and nothing is cached";
const BACK = "Redis is reachable again";

describeWithRedis("While Redis is down", () => {
  let redis: TestRedis;
  let gateways: readonly [TestGateway, TestGateway];
  beforeEach(async () => {
    redis = await startRedis();
    const gateway = { REDIS_URL: redis.url, RATE_LIMIT_PER_MINUTE: "1000" };
    gateways = [await startGateway({ gateway }), await startGateway({ gateway })];
  });
  afterEach(async () => {
    await redis.kill();
    await Promise.all(gateways.map((gateway) => gateway.close()));
  });

  /** Returns the units that are left after a request to the first replica, then to the second. */
  async function left(): Promise<number[]> {
    const numbers: number[] = [];
    for (const gateway of gateways) {
      const { status, headers, extensions } = await gateway.execute(one);
      expect(status).toBe(200);
      const remaining = Number(headers.get("ratelimit-remaining"));
      expect(extensions).toEqual({ cost: { requested: 1, remaining } });
      numbers.push(remaining);
    }
    return numbers;
  }

  /**
   * Returns whether both replicas count the requests of both. A replica that waits too long for Redis, on a busy machine, counts a
   * request separately.
   */
  async function isShared(): Promise<boolean> {
    const numbers = [...(await left()), ...(await left())];
    return numbers.every((number, index) => number === Number(numbers[0]) - index);
  }

  /** Returns how often each replica has logged a message. */
  function logged(message: string): number[] {
    return gateways.map(({ log }) => log.filter((line) => JSON.parse(line).msg === message).length);
  }

  it("each replica counts separately; after the outage they share the count, and the log has one entry for each change", async () => {
    await until(isShared);
    expect([...logged(AWAY), ...logged(BACK)]).toEqual([0, 0, 0, 0]);

    await redis.kill();
    await until(() => logged(AWAY).every((times) => times > 0));
    const [first = 0, second = 0] = await left();
    expect(await left()).toEqual([first - 1, second - 1]);
    expect(logged(BACK)).toEqual([0, 0]);

    redis = await startRedis(redis.port);
    await until(() => logged(BACK).every((times) => times > 0));
    await until(isShared);
    expect([...logged(AWAY), ...logged(BACK)]).toEqual([1, 1, 1, 1]);
  });

  it("rate limits are enforced", async () => {
    await redis.kill();
    await until(() => logged(AWAY).every((times) => times > 0));
    const query = "{ sipEndpoints(first: 50) { nodes { username password sipUri audio video type } } }";
    expect((await gateways[0].execute(query)).status).toBe(200);
    await gateways[0].reset();
    expect(await gateways[0].execute(query)).toMatchObject({
      status: 429,
      errors: [{ extensions: { code: "RATE_LIMITED" } }],
    });
    expect(await gateways[0].upstreamRequests()).toEqual([]);
  });

  it("requests succeed also when the outage starts", async () => {
    let over = false;
    const clients = Array.from({ length: 4 }, async () => {
      const statuses = new Set<number>();
      while (!over) statuses.add((await gateways[0].execute(one)).status);
      return [...statuses];
    });
    try {
      await left();
      await redis.kill();
      await until(() => logged(AWAY).every((times) => times > 0));
    } finally {
      over = true;
    }
    expect((await Promise.all(clients)).flat()).toEqual([200, 200, 200, 200]);
  });

  it("requests succeed although its connections stay open", async () => {
    const statuses: number[] = [];
    redis.freeze();
    void gateways[0].execute(one).then(({ status }) => statuses.push(status));
    await until(() => statuses.length > 0);
    expect(statuses).toEqual([200]);
  });
});
