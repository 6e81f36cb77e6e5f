/**
 * @file One WebAssembly memory for all kernels of a device.
 *
 * gpu.js makes a memory for each kernel: a browser refuses somewhere above a hundred of them, since each reserves gigabytes of address
 * space, and a training step has hundreds of kernels. Each call copies its arguments in and its result out, so kernels that run one
 * after the other can use the same memory. gpu.js has no setting for it; the constructor is replaced while a kernel is compiled.
 *
 * Source: gpu.js 2.24, src/backend/web-assembly/kernel.js.
 */

/** Pages of 64 KiB, 256 MiB in all: the least maximum that gpu.js declares. A kernel that needs more says so, and gets its own memory. */
const pages = 4096;

interface Descriptor {
  readonly initial: number;
  readonly maximum?: number;
  readonly shared?: boolean;
}

type MemoryConstructor = new (descriptor: Descriptor) => object;

export class SharedMemory {
  #memory: object | null = null;

  /** Runs `compile`, which must be synchronous; kernels that it makes get this memory. */
  use<T>(compile: () => T): T {
    const { WebAssembly } = globalThis as unknown as { WebAssembly: { Memory: MemoryConstructor } };
    const Original = WebAssembly.Memory;
    const provide = (): object => (this.#memory ??= new Original({ initial: pages, maximum: pages }));
    WebAssembly.Memory = function (descriptor: Descriptor) {
      return !descriptor.shared && descriptor.maximum === pages ? provide() : new Original(descriptor);
    } as unknown as MemoryConstructor;
    try {
      return compile();
    } finally {
      WebAssembly.Memory = Original;
    }
  }
}
