/** Light or dark: the system's wish, or this browser's own choice. */

export type Theme = "auto" | "light" | "dark";

const KEY = "casawatt.theme";
const ORDER: readonly Theme[] = ["auto", "light", "dark"];

function remembered(): Theme {
  try {
    const theme = localStorage.getItem(KEY);
    return theme === "light" || theme === "dark" ? theme : "auto";
  } catch {
    return "auto"; // storage may be forbidden; the system's wish then holds
  }
}

class ThemeChoice {
  choice = $state<Theme>("auto");
  /** Changes with every switch of colours, the system's own included. */
  version = $state(0);

  start(): void {
    this.#set(remembered());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      this.version += 1;
    });
  }

  next(): void {
    const theme = ORDER[(ORDER.indexOf(this.choice) + 1) % ORDER.length] ?? "auto";
    this.#set(theme);
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // Not remembered then; it still holds until the page is closed.
    }
  }

  #set(theme: Theme): void {
    this.choice = theme;
    this.version += 1;
    document.documentElement.dataset["theme"] = theme;
  }
}

export const theme = new ThemeChoice();
