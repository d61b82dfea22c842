/** `-w table`. */
import { textTable } from "../../lib/text-table.ts";
import type { Printer } from "./results.ts";
import {
  hashHeads,
  hashRows,
  healthHeads,
  healthRows,
  memberHeads,
  memberRows,
  statusHeads,
  statusRows,
} from "./rows.ts";

/** Underscores of a head are blanks. */
function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  return textTable(
    heads.map((head) => head.replaceAll("_", " ")),
    rows,
    { align: "right" },
  );
}

export const tablePrinter: Printer = {
  memberList: (list) => table(memberHeads, memberRows(list)),
  endpointHealth: (list) => table(healthHeads, healthRows(list)),
  endpointStatus: (list) => table(statusHeads, statusRows(list)),
  endpointHash: (list) => table(hashHeads, hashRows(list)),
};
