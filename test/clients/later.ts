/** Checks of what comes with a later issue: they run, and may still fail. Take a line out when its part is done. */
export const later: ReadonlyMap<string, string> = new Map([
  ["http gateway: lease keep-alive, one message of a stream", "streams through JSON come with a later issue"],
]);
