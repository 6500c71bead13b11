import type { BuiltGateway } from "./built-gateway.js";

/** Sample in Prometheus's text format. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Returns the origin of `METRICS_PORT`, which the gateway logs when it starts. */
export function metricsOriginOf({ output }: BuiltGateway): string {
  const [, origin] = /"metrics":"(http\S+?)\/metrics"/.exec(output.stdout) ?? [];
  if (!origin) throw new Error(`the gateway has no metrics:\n${output.stdout}`);
  return origin;
}

/** Returns the samples of `/metrics`. */
export async function scrape(gateway: BuiltGateway): Promise<Sample[]> {
  const response = await fetch(`${metricsOriginOf(gateway)}/metrics`);
  const text = await response.text();
  if (response.status !== 200) throw new Error(text);
  const lines = text.matchAll(/^([a-z_\d]+)(?:\{(.*)\})? (\S+)$/gm);
  return [...lines].map(([, name = "", labels = "", value]) => ({
    name,
    labels: Object.fromEntries(
      [...labels.matchAll(/(\w+)="((?:\\.|[^"])*)"/g)].map(([, key, text]) => [key, text]),
    ),
    value: Number(value),
  }));
}

/** Returns the sum of the values of all samples with this name and these labels. */
export function sumOf(
  samples: readonly Sample[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number {
  return samples
    .filter((sample) => sample.name === name)
    .filter((sample) => Object.entries(labels).every(([key, value]) => sample.labels[key] === value))
    .reduce((sum, { value }) => sum + value, 0);
}
