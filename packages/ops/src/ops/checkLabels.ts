/** @file Whether the labels of crossEntropy are classes. */

import { formatShape, type Shape, stridesOf, ValueError, type Values } from "@gridgrad/core";

/** Throws unless every label is a class or `ignoreIndex`. */
export function checkLabels(labels: Values, shape: Shape, classes: number, ignoreIndex: number): void {
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i];
    if (label !== ignoreIndex && (label < 0 || label >= classes))
      throw wrongLabel(label, i, shape, classes, ignoreIndex);
  }
}

/** The error for the label at place `at` of a target. */
export function wrongLabel(label: number, at: number, shape: Shape, classes: number, ignoreIndex: number): ValueError {
  const position = stridesOf(shape).map((stride, axis) => Math.floor(at / stride) % shape[axis]);
  return new ValueError(
    "crossEntropy",
    `target must hold classes 0 to ${classes - 1} (logits have ${classes} classes) or ignoreIndex = ${ignoreIndex}`,
    `label ${label} at target${formatShape(position)}`,
  );
}
