/**
 * @file Lines at the bottom of a terminal that change in place, such as progress bars, below the text that is printed meanwhile.
 *
 * The cursor rests at the beginning of the last line: what a terminal shows of Ctrl-C by itself then goes where the next drawing
 * replaces it. It is never hidden, saved or moved elsewhere, so there is nothing to put back, however the process ends.
 */

/** What is asked of a terminal. `NodeJS.WriteStream` is one. */
export interface Terminal {
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

/** The size of a terminal that does not tell its own. */
const usual = { columns: 80, rows: 24 };

/** Between two drawings: more often, nobody could read them. */
const drawEveryMs = 100;

/** Lines for a terminal of this width. Those that are longer are cut off. */
export type Layout = (columns: number) => readonly string[];

export class StatusLines {
  readonly #terminal: Terminal;
  #layout: Layout | null = null;
  /** As they stand on the terminal; the cursor is at the beginning of the last one. */
  #drawn: readonly string[] = [];
  #drawnAt = -Infinity;
  #timer: NodeJS.Timeout | null = null;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  /** Shows these lines instead of those that are there, now or soon. */
  show(layout: Layout): void {
    this.#layout = layout;
    const wait = this.#drawnAt + drawEveryMs - performance.now();
    if (wait <= 0) this.#draw();
    else this.#timer ??= setTimeout(() => this.#draw(), wait).unref();
  }

  /** Has `print` write whole lines to the terminal, which come to stand above the status lines. */
  above(print: () => void): void {
    this.#erase();
    print();
    if (this.#layout) this.#draw();
  }

  /** Leaves the lines where they are, as text. */
  keep(): void {
    if (!this.#layout) return;
    this.#draw();
    this.#forget();
    if (this.#drawn.length > 0) this.#terminal.write("\n");
    this.#drawn = [];
  }

  /** Takes the lines away. */
  clear(): void {
    this.#erase();
    this.#forget();
  }

  #forget(): void {
    this.#layout = null;
    this.#drawnAt = -Infinity;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #draw(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    const columns = this.#columns;
    const all = this.#layout!(columns);
    const most = (this.#terminal.rows || usual.rows) - 1; // above the first row of a terminal nothing can be replaced
    const lines = all.length <= most ? all : [...all.slice(0, most - 1), `... and ${all.length - most + 1} more`];
    const shown = lines.map((line) => line.slice(0, columns - 1)); // with a full row the cursor would be on the next one
    this.#terminal.write(`${this.#toErase()}${shown.join("\n")}\r`);
    this.#drawn = shown;
    this.#drawnAt = performance.now();
  }

  #erase(): void {
    const text = this.#toErase();
    if (text !== "") this.#terminal.write(text);
    this.#drawn = [];
  }

  /** To the beginning of the first line, and everything from there on is gone. */
  #toErase(): string {
    if (this.#drawn.length === 0) return "";
    // A terminal that has become narrower since has broken lines in two.
    const rows = this.#drawn.map((line) => Math.max(1, Math.ceil(line.length / this.#columns)));
    const up = rows.slice(0, -1).reduce((sum, count) => sum + count, 0);
    return `\r${up > 0 ? `\x1b[${up}A` : ""}\x1b[J`;
  }

  get #columns(): number {
    return this.#terminal.columns || usual.columns;
  }
}
