/** A small plot over time: one or two lines, with the newest numbers in words. */
import { h, replace, svg } from "./dom.ts";

const width = 320;
const height = 96;

export interface Line {
  readonly name: string;
  /** A value a look, the newest last; undefined where there was none. */
  readonly values: readonly (number | undefined)[];
}

export interface PlotOptions {
  readonly title: string;
  readonly format: (value: number) => string;
}

export class Plot {
  readonly element: HTMLElement;
  readonly #options: PlotOptions;
  readonly #picture = svg("svg", {
    viewBox: `0 0 ${width} ${height}`,
    role: "img",
    preserveAspectRatio: "none",
  });
  readonly #legend = h("p", { class: "legend" });
  readonly #top = h("span", { class: "top dim" });

  constructor(options: PlotOptions) {
    this.#options = options;
    this.element = h(
      "figure",
      { class: "card plot" },
      h("figcaption", {}, options.title),
      this.#legend,
      h("div", { class: "picture" }, this.#top, this.#picture),
    );
  }

  draw(lines: readonly Line[], points: number): void {
    const { title, format } = this.#options;
    const all = lines.flatMap(({ values }) => values.filter((value) => value !== undefined));
    const top = niceAbove(Math.max(0, ...all));
    this.#top.textContent = all.length === 0 ? "" : format(top);
    const newest = lines.map(({ name, values }) => {
      const last = values.at(-1);
      return [name, last === undefined ? "–" : format(last)] as const;
    });
    replace(
      this.#legend,
      newest.map(([name, text], i) => h("span", { class: `line-${i}` }, name, " ", h("strong", {}, text))),
    );
    this.#picture.setAttribute(
      "aria-label",
      `${title}: ${newest.map(([name, text]) => `${name} ${text}`).join(", ")}`,
    );
    const grid = [0.25, 0.5, 0.75].map((part) =>
      svg("line", { class: "grid", x1: 0, x2: width, y1: height * part, y2: height * part }),
    );
    const paths = lines.flatMap(({ values }, i) => this.#path(values, { top, points, index: i }));
    this.#picture.replaceChildren(...grid, ...paths);
  }

  #path(
    values: Line["values"],
    { top, points, index }: { top: number; points: number; index: number },
  ): SVGElement[] {
    const x = (i: number) => width - ((values.length - 1 - i) * width) / Math.max(1, points - 1);
    let path = "";
    let isDown = false;
    values.forEach((value, i) => {
      if (value === undefined) isDown = false;
      else {
        const y = height - 2 - (value / top) * (height - 6);
        path += `${isDown ? "L" : "M"}${x(i).toFixed(1)} ${y.toFixed(1)}`;
        isDown = true;
      }
    });
    return path === ""
      ? []
      : [svg("path", { class: `line line-${index}`, d: path, "vector-effect": "non-scaling-stroke" })];
  }
}

/** 1, 2 or 5 times a power of ten, and not under `value`. */
function niceAbove(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * power).find((nice) => nice >= value) ?? 10 * power;
}
