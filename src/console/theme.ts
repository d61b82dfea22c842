/** Light, dark, or as the system has it; the browser remembers what was chosen. */
const themes = ["auto", "light", "dark"] as const;
type Theme = (typeof themes)[number];

const storageName = "etclite-theme";

/** Where nothing may be stored, the choice lasts as long as the page. */
let chosen = readChoice();

function readChoice(): Theme {
  try {
    return themes.find((name) => name === localStorage.getItem(storageName)) ?? "auto";
  } catch {
    return "auto";
  }
}

export const theme = (): Theme => chosen;

export function showTheme(): void {
  if (chosen === "auto") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = chosen;
}

export function nextTheme(): Theme {
  chosen = themes[(themes.indexOf(chosen) + 1) % themes.length]!;
  try {
    localStorage.setItem(storageName, chosen);
  } catch {}
  showTheme();
  return chosen;
}
