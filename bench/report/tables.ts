import { type Contestant, GATEWAY, NAIVE } from "../contestants.js";
import { SIZES } from "../workloads/growth.js";
import { SEARCHED } from "../workloads/search.js";
import type { Results } from "./results.js";
import { table } from "./table.js";

/** Returns all tables of a run, each under a heading. */
export function tables(results: Results, contestants: readonly Contestant[]): string {
  const present = contestants.filter(({ name }) => results.problem("all", name) === undefined);
  const rows = (cells: (name: string) => readonly string[]) =>
    present.map(({ name, title }) => [title, ...cells(name)]);
  const number = (workload: string, name: string, measure: string, digits = 0) =>
    show(results, workload, name, results.value(workload, name, measure), digits);

  const throughput = (workload: string, name: string) => {
    const ratio = results.ratio(workload, name, NAIVE, "perSecond");
    const perSecond = number(workload, name, "perSecond");
    return ratio === undefined ? perSecond : `${perSecond} (${ratio.toFixed(1)}x)`;
  };
  return [
    "## Throughput: responses per second, and ratio to naive",
    table(
      ["", "distinct names", "hot set of 20", "50 aliases", "50 rows"],
      rows((name) => ["distinct", "hot", "aliases", "rows"].map((workload) => throughput(workload, name))),
    ),
    "## With a PIOPIY that takes 50 ms: round trips, upstream requests and added latency",
    table(
      [
        ...[
          "",
          "50 aliases cold",
          "requests",
          "warm",
          "requests",
          "50 rows cold",
          "requests",
          "warm",
          "requests",
        ],
        ...["added p50", "added p99"],
      ],
      rows((name) => [
        ...["coldAliases", "coldRows"].flatMap((workload) => [
          number(workload, name, "roundTrips", 2),
          number(workload, name, "upstreamRequests"),
          unit(number(workload, name, "warmMs", 1), "ms"),
          number(workload, name, "warmUpstreamRequests"),
        ]),
        unit(number("added", name, "p50", 1), "ms"),
        unit(number("added", name, "p99", 1), "ms"),
      ]),
    ),
    "## Identical requests in parallel, start and memory",
    table(
      [
        "",
        "200 identical cold: upstream requests",
        "last response after",
        "start to first response",
        "memory after the run",
      ],
      rows((name) => [
        number("burst", name, "upstreamRequests"),
        unit(number("burst", name, "ms"), "ms"),
        unit(number("start", name, "ms"), "ms"),
        unit(number("memory", name, "megabytes"), "MB"),
      ]),
    ),
    "## 1,000 creates with a PIOPIY that takes 50 ms, 32 upstream requests in flight",
    table(
      ["five mutations of 200", "direct upstream requests", "ratio"],
      [
        [
          unit(number("bulk", GATEWAY, "bulkMs"), "ms"),
          unit(number("bulk", GATEWAY, "directMs"), "ms"),
          number("bulk", GATEWAY, "ratio", 2),
        ],
      ],
    ),
    "## Two workers of this gateway: responses per second, and processor time per response",
    comparisonTable(results, "workers", "with `WORKERS=1`", "with `WORKERS=2`"),
    "The load and the upstream use the same cores, so on two cores a second worker gets only the rest. The processor time per response shows the throughput that a second " +
      "worker would add on an idle core.",
    "## Metrics of this gateway: responses per second, and processor time per response",
    comparisonTable(results, "metrics", "without `METRICS_PORT`", "with `METRICS_PORT`"),
    `## Growth of the account (${SIZES.join(", ")} endpoints): upstream requests, and ratio of the time at the last size to the first`,
    table(
      ["", "last page", "time", "one endpoint", "time"],
      rows((name) =>
        ["page", "one"].flatMap((what) => [
          growthRequests(results, name, what),
          growthRatio(results, name, what),
        ]),
      ),
    ),
    `## Search of this gateway in ${SEARCHED} endpoints, with a PIOPIY that takes 5 ms`,
    table(
      ["", "cold", "upstream requests", "warm", "upstream requests"],
      [
        [
          "endpoints whose names contain a text",
          unit(number("search", GATEWAY, "coldMs"), "ms"),
          number("search", GATEWAY, "coldRequests"),
          unit(number("search", GATEWAY, "warmMs", 1), "ms"),
          number("search", GATEWAY, "warmRequests"),
        ],
      ],
    ),
  ].join("\n\n");
}

function growthRequests(results: Results, name: string, what: string): string {
  const requests = SIZES.map((size) => results.value("growth", name, `${what}Requests${size}`));
  return requests.includes(undefined) ? show(results, "growth", name, undefined, 0) : requests.join(", ");
}

/** Returns a table that compares the gateway with two settings. */
function comparisonTable(results: Results, name: string, base: string, other: string): string {
  const value = (measure: string) => results.value(name, GATEWAY, measure);
  const row = (title: string, workload: string) => {
    const [first, second] = [value(`${workload}Base`), value(`${workload}Other`)];
    const costs = ["Base", "Other"].map((which) => value(`${workload}${which}Microseconds`));
    if (!first || !second) return [title, "-", "-", "-", "-", "-"];
    const shown = costs.map((cost = Number.NaN) => `${cost.toFixed(0)} µs`);
    return [title, first.toFixed(0), second.toFixed(0), `${(second / first).toFixed(2)}x`, ...shown];
  };
  return table(
    ["", base, other, "ratio", `per response ${base}`, `per response ${other}`],
    [row("distinct names", "distinct"), row("hot set of 20", "hot")],
  );
}

function growthRatio(results: Results, name: string, what: string): string {
  const first = results.value("growth", name, `${what}Ms${SIZES[0]}`);
  const last = results.value("growth", name, `${what}Ms${SIZES.at(-1)}`);
  return first === undefined || last === undefined ? "-" : `${(last / first).toFixed(2)}x`;
}

function show(
  results: Results,
  workload: string,
  name: string,
  value: number | undefined,
  digits: number,
): string {
  if (value !== undefined) return value.toFixed(digits);
  return results.problem(workload, name) === undefined ? "-" : "invalid";
}

function unit(text: string, name: string): string {
  return /^-?\d/.test(text) ? `${text} ${name}` : text;
}
