import { APOLLO_OR_YOGA, type Contestant, GATEWAY, NAIVE } from "../contestants.js";
import type { Results } from "./results.js";
import { table } from "./table.js";

interface Goal {
  readonly goal: string;
  readonly found: string;
  readonly isReached: boolean | undefined;
}

/** Returns a table of the gateway's goals, and whether this run reached them. */
export function goals(results: Results, contestants: readonly Contestant[]): string {
  const rows = evaluate(results, contestants).map(({ goal, found, isReached }) => [
    goal,
    found,
    isReached === undefined ? "" : isReached ? "reached" : "MISSED",
  ]);
  return table(["goal", "measured", ""], rows);
}

function evaluate(results: Results, contestants: readonly Contestant[]): Goal[] {
  const value = (workload: string, measure: string) => results.value(workload, GATEWAY, measure);
  const toNaive = (workload: string) => results.ratio(workload, GATEWAY, NAIVE, "perSecond");
  const atMost = (goal: string, most: number, found: number | undefined, unit = "", digits = 2): Goal =>
    limit(goal, found, unit, digits, (number) => number <= most);
  const atLeast = (goal: string, least: number, found: number | undefined, unit = "x"): Goal =>
    limit(goal, found, unit, 2, (number) => number >= least);

  const rivals = contestants.filter(({ name }) => APOLLO_OR_YOGA.includes(name));
  const best = rivals
    .map(({ name, title }) => ({ title, perSecond: results.value("hot", name, "perSecond") ?? 0 }))
    .toSorted((a, b) => b.perSecond - a.perSecond)[0];
  const hot = value("hot", "perSecond");
  const otherToBase = (comparison: string, workload: string) => {
    const [base, other] = [value(comparison, `${workload}Base`), value(comparison, `${workload}Other`)];
    return base === undefined || other === undefined ? undefined : other / base;
  };
  return [
    atMost("50 aliases cold: at most 1.08 round trips", 1.08, value("coldAliases", "roundTrips")),
    atMost(
      "50 aliases cold: at most 25 upstream requests",
      25,
      value("coldAliases", "upstreamRequests"),
      "",
      0,
    ),
    atMost("50 aliases warm: no upstream request", 0, value("coldAliases", "warmUpstreamRequests"), "", 0),
    atMost("50 rows cold: at most 2.12 round trips", 2.12, value("coldRows", "roundTrips")),
    atMost("50 rows cold: at most 60 upstream requests", 60, value("coldRows", "upstreamRequests"), "", 0),
    atMost("50 rows warm: no upstream request", 0, value("coldRows", "warmUpstreamRequests"), "", 0),
    atLeast("hot set: at least 4 times naive", 4, toNaive("hot")),
    atLeast(
      `hot set: faster than all on Apollo or Yoga (best: ${best?.title ?? "none"})`,
      1,
      hot === undefined || !best?.perSecond ? undefined : hot / best.perSecond,
    ),
    comparison(
      "hot set: ratio to Mercurius with JIT",
      results.ratio("hot", GATEWAY, "mercurius", "perSecond"),
    ),
    atLeast("distinct names: at least as fast as naive", 1, toNaive("distinct")),
    atMost("200 identical cold queries: one upstream request", 1, value("burst", "upstreamRequests"), "", 0),
    atMost("added latency: p50 of at most 1.5 ms", 1.5, value("added", "p50"), " ms"),
    atMost("added latency: p99 of at most 10 ms", 10, value("added", "p99"), " ms"),
    atMost(
      "1,000 creates in mutations of 200: at most 1.25 times the time of direct upstream requests",
      1.25,
      value("bulk", "ratio"),
      "x",
    ),
    atMost("start to first response: at most 600 ms", 600, value("start", "ms"), " ms", 0),
    atLeast("two workers: at least 1.7 times one, distinct names", 1.7, otherToBase("workers", "distinct")),
    atLeast("two workers: at least 1.7 times one, hot set", 1.7, otherToBase("workers", "hot")),
    atLeast("metrics: at least 0.97 times without, distinct names", 0.97, otherToBase("metrics", "distinct")),
    atLeast("metrics: at least 0.97 times without, hot set", 0.97, otherToBase("metrics", "hot")),
  ];
}

/** Returns a figure for comparison, which is not a goal. */
function comparison(goal: string, ratio: number | undefined): Goal {
  return { goal, found: ratio === undefined ? "not measured" : `${ratio.toFixed(2)}x`, isReached: undefined };
}

function limit(
  goal: string,
  found: number | undefined,
  unit: string,
  digits: number,
  isReached: (found: number) => boolean,
): Goal {
  if (found === undefined) return { goal, found: "not measured", isReached: undefined };
  return { goal, found: found.toFixed(digits) + unit, isReached: isReached(found) };
}
