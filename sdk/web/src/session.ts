/** Who speaks: a session's id, its clock and its sequence. Turns fields into complete events. */
import type { Event, Fields } from './wire';

export interface Identity {
  userId: string;
  programmeId: string;
  region?: string;
}

export class Session {
  readonly #who: Identity;
  readonly id = randomId();
  #seq = 0;
  #latest: number;
  readonly #wallAtStart: number;

  constructor(readonly startedAt: number, who: Identity) {
    this.#who = who;
    this.#wallAtStart = Date.now();
    this.#latest = startedAt;
  }

  /** Milliseconds since 1970 on the session's own clock at the monotonic time `at`. */
  at_ms(at: number): number {
    return Math.round(this.#wallAtStart + (at - this.startedAt));
  }

  /** The next event. Its time never lies before that of the one before. */
  event<T extends Event['type']>(type: T, at: number, fields: Fields<T>): Event {
    this.#latest = Math.max(this.#latest, at);
    const { userId, programmeId, region } = this.#who;
    const head = {
      type,
      session_id: this.id,
      seq: this.#seq++,
      at_ms: this.at_ms(this.#latest),
      user_id: userId,
      programme_id: programmeId,
      region,
    };
    return { ...head, ...fields } as unknown as Event;
  }
}

/** A random UUID (version 4). Only pages in a secure context have `randomUUID`. */
export function randomId(): string {
  if (crypto.randomUUID) return crypto.randomUUID();
  const hex = (fixed: number, bits: number) => (fixed | (crypto.getRandomValues(new Uint8Array(1))[0]! & bits)).toString(16);
  return 'xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx'.replace(/x/g, () => hex(0, 15)).replace('y', () => hex(8, 3));
}
