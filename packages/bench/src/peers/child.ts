/** @file A contestant's process, seen from the benchmark: one request at a time, one answer each. */

import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

import type { Answer, Request } from "./protocol.ts";

export interface ChildCommand {
  /** How the contestant is called in tables and errors. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

/** Lines of the standard error that an error message repeats. */
const toldLines = 12;

export class Child {
  readonly name: string;
  readonly version: string;
  readonly threads: string;
  readonly #process: ChildProcess;
  readonly #answers: AsyncIterator<string>;
  readonly #errors: string[];

  private constructor(
    name: string,
    hello: Answer,
    process: ChildProcess,
    answers: AsyncIterator<string>,
    errors: string[],
  ) {
    this.name = name;
    this.version = hello.version!;
    this.threads = hello.threads!;
    this.#process = process;
    this.#answers = answers;
    this.#errors = errors;
  }

  /** @throws {Error} with its own words, when the contestant cannot start. */
  static async start({ name, command, args, cwd, env }: ChildCommand): Promise<Child> {
    const process = spawn(command, args, { cwd, env, stdio: ["pipe", "pipe", "pipe"] });
    const errors: string[] = [];
    process.on("error", (error) => errors.push(error.message));
    process.stdin.on("error", () => {}); // a process that is gone is noticed by its missing answer
    createInterface({ input: process.stderr }).on("line", (line) => {
      errors.push(line);
      if (errors.length > toldLines) errors.shift();
    });
    const answers = createInterface({ input: process.stdout })[Symbol.asyncIterator]();
    try {
      const hello = await nextAnswer(name, answers, errors);
      return new Child(name, hello, process, answers, errors);
    } catch (error) {
      process.kill();
      throw error;
    }
  }

  /** @throws {Error} when the contestant fails or has died. */
  async ask(request: Request): Promise<Answer> {
    this.#process.stdin!.write(`${JSON.stringify(request)}\n`);
    return nextAnswer(this.name, this.#answers, this.#errors);
  }

  /** Lets it end; it has a second. */
  async close(): Promise<void> {
    const { exitCode, signalCode } = this.#process;
    if (exitCode !== null || signalCode !== null) return;
    const ended = new Promise((resolve) => this.#process.once("exit", resolve));
    this.#process.stdin!.end();
    const timer = setTimeout(() => this.#process.kill("SIGKILL"), 1000); // ms
    await ended;
    clearTimeout(timer);
  }
}

async function nextAnswer(name: string, answers: AsyncIterator<string>, errors: readonly string[]): Promise<Answer> {
  const { value, done } = await answers.next();
  if (done) {
    await new Promise((resolve) => setTimeout(resolve, 50)); // ms, in which its last words arrive
    throw new Error(`${name}: its process must answer, but it has ended: ${errors.join("\n") || "without a word"}`);
  }
  const answer = JSON.parse(value as string) as Answer;
  if (answer.error !== undefined) throw new Error(`${name}: ${answer.error}`);
  return answer;
}
