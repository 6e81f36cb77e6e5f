/**
 * @file The standard output or error of a process. The other end may be closed or full at any time, and that must not end what the process
 * is doing: a training run matters more than the line that tells of it.
 */

import type { Writable } from "node:stream";

export class OutputStream {
  readonly #stream: Writable & { readonly isTTY?: boolean };
  /** Nothing more is written after it. */
  readonly #failed: Promise<void>;
  #problem: NodeJS.ErrnoException | null = null;

  constructor(stream: Writable & { readonly isTTY?: boolean }) {
    this.#stream = stream;
    this.#failed = new Promise((failed) => {
      stream.on("error", (error: NodeJS.ErrnoException) => {
        if (!this.#isClosed(error)) this.#problem ??= error;
        failed();
      });
    });
  }

  get isTerminal(): boolean {
    return this.#stream.isTTY === true;
  }

  write(text: string): void {
    this.#stream.write(text);
  }

  /** Resolves when all has been written: to what has kept a part of it from being written, such as a full disk, or `null`. */
  async end(): Promise<NodeJS.ErrnoException | null> {
    const written = new Promise((written) => this.#stream.write("", written));
    await Promise.race([written, this.#failed]);
    await new Promise((turned) => setImmediate(turned)); // errors are told in a turn of their own
    return this.#problem;
  }

  /** The reader of a pipe may leave first, as `head` does, and a terminal may be gone: nobody is there to print for. */
  #isClosed({ code }: NodeJS.ErrnoException): boolean {
    return code === "EPIPE" || code === "ECONNRESET" || (code === "EIO" && this.isTerminal);
  }
}
