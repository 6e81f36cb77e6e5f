/** @file stub */
/** @param {string} code */
export function bakeKernels(code) {
  return code;
}
