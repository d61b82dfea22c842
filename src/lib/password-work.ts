/** What a thread that works on passwords is asked, one thing at a time. */
export type PasswordWork =
  | { readonly kind: "hash"; readonly password: string; readonly cost: number }
  | { readonly kind: "match"; readonly password: string; readonly hash: string };

export interface PasswordThread {
  /** The hash, or whether the password matches. Rejects if the thread ended; it is of no use any more then. */
  run(work: PasswordWork): Promise<string | boolean>;
  /** Ends the thread, also in the middle of its work. */
  end(): void;
}
