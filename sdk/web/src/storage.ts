/** Unsent events kept in localStorage until the next visit: one item, bounded, taken out before it is used. */
import type { Entry } from './queue';

const KEY = 'livemeter';

export function save(entries: Entry[], bytesMax: number): void {
  const kept = [...read(), ...entries.map(({ type, json }): [string, string] => [type, json])];
  // The newest are worth most: their counters cover the older ones.
  let bytes = 0;
  let from = kept.length;
  while (from > 0 && (bytes += kept[from - 1]![1].length) <= bytesMax) from--;
  localStorage.setItem(KEY, JSON.stringify(kept.slice(from)));
}

export function takeSaved(): [type: string, json: string][] {
  const kept = read();
  localStorage.removeItem(KEY);
  return kept;
}

/** What is there, as far as it can be ours: anybody can write to localStorage. */
function read(): [string, string][] {
  try {
    const kept: [string, string][] = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return kept.filter(([type, json]) => typeof type === 'string' && typeof JSON.parse(json) === 'object');
  } catch {
    return [];
  }
}
