/** Users' passwords and tokens. */
import { integer, later, type OptionTable, text } from "../option.ts";

const auth = later("authentication");

export const authOptions = {
  authToken: text("auth-token", {
    default: "simple",
    help: "The kind of token: 'simple', 'jwt,pub-key=...,priv-key=...,sign-method=...', or one's own (docs/tokens.md).",
    status: auth,
    // It may be a token itself, and that of root.
    secret: true,
  }),
  bcryptCost: integer("bcrypt-cost", "uint", {
    default: 10,
    help: "How much work a password's hash is: 4 to 31, one more doubles it.",
    status: auth,
  }),
  authTokenTtlSeconds: integer("auth-token-ttl", "uint", {
    default: 300,
    help: "For how many seconds a simple token is good after it was last used.",
    status: auth,
  }),
} satisfies OptionTable;
