/** Bytes that lie in a text: base64, as a page and a script embed their models. */

/**
 * Decode base64 to bytes.
 *
 * @param {string} text
 * @returns {Uint8Array}
 */
export function decodedBytes(text) {
  const found = atob(text);
  const bytes = new Uint8Array(found.length);
  for (let i = 0; i < found.length; i++) bytes[i] = found.charCodeAt(i);
  return bytes;
}
