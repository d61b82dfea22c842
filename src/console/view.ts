/** What a view is to the frame around it. */
import type { Permission } from "./store.ts";

export interface Shared {
  /** What the user may do; undefined: everything. */
  readonly permissions: readonly Permission[] | undefined;
  readonly isAuthEnabled: boolean;
}

export interface View {
  readonly element: HTMLElement;
  /** The rest of the address has changed. */
  show(path: string): void;
  /** The view is left: what runs on its behalf ends. */
  leave(): void;
}

export type MakeView = (shared: Shared) => View;
