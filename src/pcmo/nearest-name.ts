const LONGEST = 32;

/** The name that somebody may have meant: at most two letters away, or another case. */
export function nearestName(name: string, names: readonly string[]): string | undefined {
  if (name.length > LONGEST) return undefined;
  const distances = names.map((other) => ({ other, distance: distanceOf(name.toLowerCase(), other) }));
  const [nearest] = distances.toSorted((one, other) => one.distance - other.distance);
  // Two letters of a short name are half of it.
  return nearest && nearest.distance <= Math.min(2, (nearest.other.length - 1) / 2)
    ? nearest.other
    : undefined;
}

/** Letters to insert, remove, replace, or swap with their neighbour. */
function distanceOf(one: string, other: string): number {
  let before: readonly number[] = [];
  let row = Array.from({ length: other.length + 1 }, (_, column) => column);
  for (let place = 1; place <= one.length; place++) {
    const next = [place];
    for (let column = 1; column <= other.length; column++) {
      const replaced = at(row, column - 1) + (one[place - 1] === other[column - 1] ? 0 : 1);
      const isSwap = one[place - 1] === other[column - 2] && one[place - 2] === other[column - 1];
      const swapped = isSwap ? at(before, column - 2) + 1 : Infinity;
      next.push(Math.min(replaced, swapped, at(row, column) + 1, at(next, column - 1) + 1));
    }
    before = row;
    row = next;
  }
  return at(row, other.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Infinity;
}
