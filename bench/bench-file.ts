/** The directory of the benchmark, relative to its compiled files. */
export const benchFolder = new URL("../", import.meta.url);

export function benchFile(path: string): string {
  return new URL(path, benchFolder).pathname;
}
