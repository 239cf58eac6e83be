/** A monotonic clock in milliseconds. Without `performance` it is `Date.now()`, kept from running backwards. */
export function monotonicClock(): () => number {
  if (typeof performance === 'object') return () => performance.now();
  let latest = 0;
  return () => (latest = Math.max(latest, Date.now()));
}
