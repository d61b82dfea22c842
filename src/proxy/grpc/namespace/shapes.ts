/** Where keys stand in the messages that carry them: by tag (field number * 8 + wire type), as in etcd's .proto files. */

/** What is done with a field that holds a key. */
export type KeyEdit =
  /** The prefix is put before it. */
  | "key"
  /** The end of a range: the same, except that a zero byte, the end of all keys, becomes the end of the namespace. */
  | "end"
  /** The prefix is taken off. */
  | "strip"
  /** The same, and keys of others are left out. */
  | "stripOrDrop";

export interface Shape {
  /** Refused without a key. */
  readonly needsKey?: boolean;
  readonly fields: ReadonlyMap<number, KeyEdit | Shape>;
}

const shape = (fields: readonly (readonly [number, KeyEdit | Shape])[], needsKey = false): Shape => ({
  fields: new Map(fields),
  needsKey,
});

const keyAndEnd = [
  [0x0a, "key"],
  [0x12, "end"],
] as const;

export const rangeRequest = shape(keyAndEnd, true);
export const putRequest = shape([[0x0a, "key"]], true);
export const deleteRangeRequest = shape(keyAndEnd, true);
/** An empty key stands for the first of all, here the first of the namespace. */
export const watchRequest = shape([[0x0a, shape(keyAndEnd)]]);

const compare = shape(
  [
    [0x1a, "key"],
    [0x202, "end"],
  ],
  true,
);

/** Transactions hold transactions. */
const txnRequestFields = new Map<number, KeyEdit | Shape>();
export const txnRequest: Shape = { fields: txnRequestFields };
const requestOp = shape([
  [0x0a, rangeRequest],
  [0x12, putRequest],
  [0x1a, deleteRangeRequest],
  [0x22, txnRequest],
]);
txnRequestFields.set(0x0a, compare).set(0x12, requestOp).set(0x1a, requestOp);

const keyValue = shape([[0x0a, "strip"]]);
export const rangeResponse = shape([[0x12, keyValue]]);
export const rangeStreamResponse = shape([[0x0a, rangeResponse]]);
export const putResponse = shape([[0x12, keyValue]]);
export const deleteRangeResponse = shape([[0x1a, keyValue]]);

const txnResponseFields = new Map<number, KeyEdit | Shape>();
export const txnResponse: Shape = { fields: txnResponseFields };
txnResponseFields.set(
  0x1a,
  shape([
    [0x0a, rangeResponse],
    [0x12, putResponse],
    [0x1a, deleteRangeResponse],
    [0x22, txnResponse],
  ]),
);

export const leaseTimeToLiveResponse = shape([[0x2a, "stripOrDrop"]]);
/** One event, without the tag and the length before it. */
export const event = shape([
  [0x12, keyValue],
  [0x1a, keyValue],
]);
