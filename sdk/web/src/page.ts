/** Listening to the page: to its life (hidden, left, back from the back/forward cache) and to any target, guarded. */
import type { Guard } from './guard';

export interface PageLife {
  hidden: () => void;
  left: () => void;
  restored: () => void;
}

export type Stop = () => void;

/** Calls `handle`, guarded, on each such event until stopped. */
export function listen(guard: Guard, target: EventTarget, name: string, handle: (event: Event) => unknown): Stop {
  const guarded = (event: Event) => void guard.run(() => handle(event));
  target.addEventListener(name, guarded);
  return () => target.removeEventListener(name, guarded);
}

/** Follows the page until stopped. Without a page there is nothing to hear. */
export function onPage(guard: Guard, life: PageLife): Stop[] {
  if (typeof window !== 'object') return [];
  return [
    listen(guard, document, 'visibilitychange', () => isHidden() && life.hidden()),
    listen(guard, window, 'pagehide', life.left),
    listen(guard, window, 'pageshow', (event) => (event as PageTransitionEvent).persisted && life.restored()),
  ];
}

export function isHidden(): boolean {
  return typeof document === 'object' && document.visibilityState === 'hidden';
}
