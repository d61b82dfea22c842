import { parseRequestHead, type RequestHead } from "./request-head.ts";

/** The one field whose value is another with every call of a client that sets deadlines. */
const volatileName = "grpc-timeout";

/**
 * The latest header list of a connection. A list that says the same again, but for its `grpc-timeout`, needs no
 * checking, and what the application made of the first holds for it too (`basis`).
 */
export class HeadMemo {
  private fields: readonly string[] | undefined = undefined;
  private basis: RequestHead | undefined = undefined;

  /** The head that a decoded list stands for. Throws StreamError if it is malformed. */
  read(streamId: number, fields: readonly string[]): RequestHead {
    const { basis } = this;
    if (basis !== undefined && this.matches(fields))
      return basis.withFields(fields.slice(basis.pseudoLength));
    const head = parseRequestHead(streamId, fields);
    if (fields.includes(volatileName)) {
      this.fields = fields;
      this.basis = head;
    }
    return head;
  }

  private matches(fields: readonly string[]): boolean {
    const known = this.fields!;
    if (fields.length !== known.length) return false;
    for (let at = 0; at < fields.length; at += 2) {
      const name = fields[at]!;
      if (name !== known[at]) return false;
      if (fields[at + 1] === known[at + 1]) continue;
      if (name !== volatileName || !/^[0-9A-Za-z]+$/.test(fields[at + 1]!)) return false;
    }
    return true;
  }
}
