const ASCII = /^\p{ASCII}*$/u;
/** Cherokee letters fold to upper case, because their lower case is younger in Unicode. */
const CHEROKEE = /\p{Script=Cherokee}/u;
/** The characters whose folding is not the lower case of their upper case, besides Cherokee letters. */
const EXCEPTIONS = new Map([
  ["\u0131", "\u0131"],
  ["\u1fd3", "\u0390"],
  ["\u1fe3", "\u03b0"],
  ["\ufb05", "\ufb06"],
]);
const ABOVE_SURROGATES = /[\ud800-\uffff]/g;

/** Folds the case of a text for comparisons, by the simple case folding of Unicode. It does not depend on a language. */
export function foldCase(text: string): string {
  return ASCII.test(text) ? text.toLowerCase() : Array.from(text, foldCharacter).join("");
}

/**
 * Returns a text by which `<` orders usernames: by the code points of the name with folded case, then by those of the name
 * itself. Different names have different texts.
 */
export function orderKey(username: string): string {
  // Most names need no replacements, which take five times longer.
  if (ASCII.test(username)) return `${username.toLowerCase()}\0${username}`;
  return `${byCodePoints(foldCase(username))}\0${byCodePoints(username)}`;
}

function foldCharacter(character: string): string {
  const exception = EXCEPTIONS.get(character);
  if (exception) return exception;
  const upper = oneCharacter(character.toUpperCase()) ?? character;
  return CHEROKEE.test(character) ? upper : (oneCharacter(upper.toLowerCase()) ?? upper);
}

/** Returns the text if it is one character. Some characters have several in the other case, which simple folding leaves out. */
function oneCharacter(text: string): string | undefined {
  const [first, second] = text;
  return second === undefined ? first : undefined;
}

/** Moves the surrogates, which stand for the code points from U+10000 on, behind the other UTF-16 units: `<` compares the units. */
function byCodePoints(text: string): string {
  return text.replace(ABOVE_SURROGATES, (unit) => {
    const code = unit.charCodeAt(0);
    return String.fromCharCode(code < 0xe000 ? code + 0x2000 : code - 0x800);
  });
}
