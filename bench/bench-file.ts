/** The folder of the benchmark, seen from where its compiled files lie. */
export const benchFolder = new URL("../", import.meta.url);

export function benchFile(path: string): string {
  return new URL(path, benchFolder).pathname;
}
