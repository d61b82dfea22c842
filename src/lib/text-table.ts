/** A table of text in lines and corners, as etcdctl and etcdutl draw it (`-w table`): heads in capitals and centred. */

export interface TableOptions {
  /** Of the rows. Default "left". */
  readonly align?: "left" | "right";
}

export function textTable(
  heads: readonly string[],
  rows: readonly (readonly string[])[],
  { align = "left" }: TableOptions = {},
): string {
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...rows.map((row) => (row[column] ?? "").length)),
  );
  const line = (left: string, middle: string, right: string) =>
    `${left}${widths.map((width) => "─".repeat(width + 2)).join(middle)}${right}\n`;
  const cells = (texts: readonly string[], place: (text: string, width: number) => string) =>
    `│${widths.map((width, column) => ` ${place(texts[column] ?? "", width)} `).join("│")}│\n`;
  const aligned = (text: string, width: number) =>
    align === "right" ? text.padStart(width) : text.padEnd(width);
  return [
    line("┌", "┬", "┐"),
    cells(
      heads.map((head) => head.toUpperCase()),
      centred,
    ),
    line("├", "┼", "┤"),
    ...rows.map((row) => cells(row, aligned)),
    line("└", "┴", "┘"),
  ].join("");
}

function centred(text: string, width: number): string {
  const left = Math.floor((width - text.length) / 2);
  return text.padStart(text.length + left).padEnd(width);
}
