/**
 * @file A turn of the event loop: timers, signals, messages and the drawing of a page happen between two tasks, and never while promises
 * follow each other. A device that answers at once leaves a training loop nothing else to wait for.
 */

/** What there is of the ways to ask for a task of one's own. */
interface World {
  readonly setImmediate?: (task: () => void) => void;
  readonly MessageChannel: new () => {
    readonly port1: { onmessage: (() => void) | null };
    readonly port2: { postMessage(message: null): void };
  };
}

/** Waits for their turn, in order. */
const waiting: (() => void)[] = [];

const ask = howToAsk(globalThis as unknown as World);

/** Resolves in another task, after those that are due. Unlike a timer of 0 ms it never takes milliseconds. */
export function turnOfEventLoop(): Promise<void> {
  return new Promise((turned) => {
    waiting.push(turned);
    ask();
  });
}

/** Node's own way, or a message to oneself, which browsers do not delay as they do timers. */
function howToAsk({ setImmediate, MessageChannel }: World): () => void {
  const next = (): void => waiting.shift()!();
  if (setImmediate) return () => setImmediate(next);
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = next;
  return () => port2.postMessage(null);
}
