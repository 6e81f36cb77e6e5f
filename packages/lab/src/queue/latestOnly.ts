/**
 * @file A task that is asked for more often than it can be done: once at a time, and of those asked for meanwhile, only the newest.
 */

export class LatestOnly<T extends unknown[]> {
  readonly #task: (...args: T) => Promise<unknown>;
  readonly #onError: (error: Error) => void;
  #next: T | null = null;
  #running: Promise<void> | null = null;

  /** @param onError - told why the task has failed; the next call makes it good. */
  constructor(task: (...args: T) => Promise<unknown>, onError: (error: Error) => void) {
    this.#task = task;
    this.#onError = onError;
  }

  /** Begins the task, or asks for one more after the one that is under way. */
  ask(...args: T): void {
    this.#next = args;
    this.#running ??= this.#run();
  }

  /** Drops what was only asked for, and resolves when nothing is under way. */
  async end(): Promise<void> {
    this.#next = null;
    await this.#running;
  }

  async #run(): Promise<void> {
    for (let args = this.#next; args; args = this.#next) {
      this.#next = null;
      await this.#task(...args).catch(this.#onError);
    }
    this.#running = null;
  }
}
