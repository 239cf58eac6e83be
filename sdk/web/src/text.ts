/** Texts as the contract allows them: bounded in UTF-8 bytes, without control characters or broken surrogates. */

/** Ids and names. */
export const ID_BYTES_MAX = 128;
/** Messages and causes. */
export const TEXT_BYTES_MAX = 1024;

export function clip(text: unknown, bytesMax: number): string {
  const bytes = new TextEncoder().encode(String(text).slice(0, bytesMax).replace(/[\x00-\x1f\x7f]/g, ' '));
  // A character cut in two becomes U+FFFD, which may be two bytes longer than what was left of it.
  return new TextDecoder().decode(bytes.length > bytesMax ? bytes.subarray(0, bytesMax - 2) : bytes);
}

export function utf8Bytes(text: string): number {
  return new TextEncoder().encode(text).length;
}
