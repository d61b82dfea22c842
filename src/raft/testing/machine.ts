/**
 * The smallest state machine: it remembers the texts of the entries that were applied.
 */
import { type ConfState, emptyConfState, type SnapshotMark } from "../../lib/raft-entry.ts";

export interface MachineState {
  /** The last entry applied. */
  readonly index: number;
  readonly confState: ConfState;
  /** The texts applied, oldest first. Empty entries leave no trace. */
  readonly texts: string[];
}

export const emptyMachine: MachineState = { index: 0, confState: emptyConfState, texts: [] };

/** A state that no longer changes with the first one. */
export function copyState(state: MachineState): MachineState {
  return { ...state, texts: state.texts.slice() };
}

export function toBytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function toText(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** A snapshot's data. */
export function machineToBytes(state: MachineState): Uint8Array {
  return toBytes(JSON.stringify(state.texts));
}

export function machineFromBytes(metadata: SnapshotMark, data: Uint8Array): MachineState {
  const texts = JSON.parse(toText(data)) as string[];
  return { index: metadata.index, confState: metadata.confState, texts };
}
