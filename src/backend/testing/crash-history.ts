/** What crash-child.ts writes and crash.test.ts expects. */
export const crashHistory = { keys: 150, transactionsMax: 40, compactions: 0.1 };
