import leven from "leven";

/** Longer names are not compared: the time grows with the length, and any client can send long names. */
const MAX_LENGTH = 32;

/** Returns the known name that is closest to a misspelled one, in any letter case; undefined if none is close enough. */
export function nearestName(name: string, knownNames: readonly string[]): string | undefined {
  if (name.length > MAX_LENGTH) return undefined;
  const [nearest] = knownNames
    .map((known) => ({ known, edits: countEdits(name.toLowerCase(), known.toLowerCase()) }))
    // A short name allows fewer edits, since two edits may change half of it.
    .filter(({ known, edits }) => edits <= Math.min(2, (known.length - 1) / 2))
    .toSorted((one, other) => one.edits - other.edits);
  return nearest?.known;
}

/** Counts the letters to insert, remove or replace. Two swapped letters count as one edit. */
function countEdits(one: string, other: string): number {
  const edits = leven(one, other);
  return edits === 2 && sortLetters(one) === sortLetters(other) ? 1 : edits;
}

function sortLetters(text: string): string {
  return [...text].sort().join("");
}
