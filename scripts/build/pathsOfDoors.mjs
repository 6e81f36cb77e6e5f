/** @file The files that the `exports` of a manifest name, whatever their conditions. */

/** @param {unknown} door - `exports`, or one of its values. @returns {string[]} */
export function pathsOfDoors(door) {
  if (typeof door === "string") return [door];
  return Object.values(/** @type {object} */ (door ?? {})).flatMap(pathsOfDoors);
}
