/** @file What is wrong with a queue, for its user. */

/** A queue that cannot be used: the message says why, and what to do. */
export class QueueError extends Error {
  override name = "QueueError";
}
