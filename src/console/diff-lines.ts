/** What differs between two texts, line by line. */

export interface DiffLine {
  readonly kind: "same" | "added" | "removed";
  readonly text: string;
}

/** More lines than this are not compared one by one: it would take the page seconds. */
const linesMax = 2_000;

export function diffLines(before: string, after: string): DiffLine[] {
  const a = before.split("\n");
  const b = after.split("\n");
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a.at(-1 - tail) === b.at(-1 - tail)) tail++;
  const same = (text: string): DiffLine => ({ kind: "same", text });
  return [
    ...a.slice(0, head).map(same),
    ...diffMiddle(a.slice(head, a.length - tail), b.slice(head, b.length - tail)),
    ...a.slice(a.length - tail).map(same),
  ];
}

export interface ShownLine {
  readonly kind: DiffLine["kind"] | "folded";
  readonly text: string;
}

/** Lines around a difference, and characters of a line, that are shown; and lines in all, for a page has to hold them. */
const contextLines = 3;
const charactersMax = 2_000;
const shownMax = 2_000;

/** What differs, and a few lines around it: the rest is counted. */
export function foldLines(lines: readonly DiffLine[]): ShownLine[] {
  const isNear = new Uint8Array(lines.length);
  for (const [at, { kind }] of lines.entries()) {
    if (kind !== "same") isNear.fill(1, Math.max(0, at - contextLines), at + contextLines + 1);
  }
  const shown: ShownLine[] = [];
  let folded = 0;
  const endFold = () => {
    if (folded > 0) shown.push({ kind: "folded", text: `… ${count(folded)} the same` });
    folded = 0;
  };
  for (const [at, { kind, text }] of lines.entries()) {
    if (isNear[at] === 0) {
      folded++;
      continue;
    }
    endFold();
    if (shown.length >= shownMax) {
      shown.push({ kind: "folded", text: `… ${count(lines.length - at)} more` });
      return shown;
    }
    shown.push({ kind, text: text.length > charactersMax ? `${text.slice(0, charactersMax)}…` : text });
  }
  endFold();
  return shown;
}

const count = (lines: number): string => (lines === 1 ? "1 line" : `${lines} lines`);

function diffMiddle(a: readonly string[], b: readonly string[]): DiffLine[] {
  const removed = (text: string): DiffLine => ({ kind: "removed", text });
  const added = (text: string): DiffLine => ({ kind: "added", text });
  if (a.length > linesMax || b.length > linesMax) return [...a.map(removed), ...b.map(added)];
  // The length of the longest common subsequence of what is left of both.
  const width = b.length + 1;
  const common = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const here = i * width + j;
      common[here] =
        a[i] === b[j] ? common[here + width + 1]! + 1 : Math.max(common[here + width]!, common[here + 1]!);
    }
  }
  const lines: DiffLine[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    if (a[i] === b[j]) {
      lines.push({ kind: "same", text: a[i]! });
      i++;
      j++;
    } else if (common[(i + 1) * width + j]! >= common[i * width + j + 1]!) lines.push(removed(a[i++]!));
    else lines.push(added(b[j++]!));
  }
  return [...lines, ...a.slice(i).map(removed), ...b.slice(j).map(added)];
}
