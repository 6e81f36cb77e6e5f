/** @file Text in HTML and SVG. */

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/**
 * A text as it stands in HTML or SVG, between tags or in a quoted attribute.
 *
 * @example
 * ```ts
 * escapeHtml('a < b & "c"'); // a &lt; b &amp; &quot;c&quot;
 * ```
 */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => entities[character]);
}
